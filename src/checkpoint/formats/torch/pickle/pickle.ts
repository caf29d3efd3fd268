import type { PickleReading } from "./machine";
import { Machine } from "./machine";
import { stepOf, stop } from "./opcodes";
import { PickleBytes } from "./pickleBytes";

/**
 * Reads one pickle of protocol 0 to 5 (Python's Lib/pickletools.py states every opcode). It is
 * a program for a machine with a stack; here its classes and calls are names, and nothing of it runs.
 *
 * @param bytes may go on behind the pickle's end
 * @returns the value, and the offset where the pickle ends. Lists, tuples and sets are arrays,
 *   dictionaries are `Map`s, None is null; whole numbers beyond 2^53 are bigint, bytes `Uint8Array`;
 *   an array, a map or an object may hold itself
 * @throws PickleTruncated where the bytes end before the pickle does, and CheckpointError where it is
 *   not a pickle or asks for more than the limits grant
 */
export function readPickle(
  bytes: Buffer,
  start: number,
  reading: PickleReading,
): { value: unknown; end: number } {
  const at = new PickleBytes(reading.file, bytes, start);
  const machine = new Machine(at, reading);
  for (;;) {
    const place = at.at;
    const code = at.byte();
    if (code === stop) return { value: machine.pop(), end: at.at };
    const step = stepOf(code);
    if (step === undefined) {
      const written = `0x${code.toString(16).padStart(2, "0")}`;
      return at.fail(`has ${written} at byte ${place} where an opcode should be`);
    }
    step(machine);
  }
}
