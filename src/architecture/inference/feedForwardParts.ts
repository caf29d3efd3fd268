import { rows } from "../../checkpoint/views";
import type { Linear } from "../description";
import { partOf } from "../familyReader";
import type { Orientation, Part, Refuse } from "./parts";
import { linearOf, wordOf } from "./parts";

/** A layer's feed-forward, as far as names and shapes tell. */
export interface FeedForwardParts {
  readonly up: Linear;
  readonly down: Linear;
  readonly gate: Linear | undefined;
  /** Whether names tell which of two linears is the gate. */
  readonly isGateKnown: boolean;
  readonly size: number;
}

const gateWords = /gate|^w1$|^fc1g$|^wg$/;
const upWords = /up|^w3$|^fc1x$|^wu$|^win$/;

/**
 * Tells the linears that are left of a layer as its feed-forward's.
 *
 * @param take called for each of them
 * @throws what `refuse` makes of linears that are no feed-forward of one kind
 */
export function feedForwardParts(
  linears: readonly Part[],
  hidden: number,
  orientation: Orientation,
  take: (part: Part) => Part,
  refuse: Refuse,
): FeedForwardParts {
  const names = linears.flatMap((part) => part.names);
  const read = linears.map((part) => ({ part, linear: linearOf(part, orientation) }));
  const isUp = ({ linear }: (typeof read)[number]): boolean => linear.weight.shape[1] === hidden;
  const isDown = ({ linear }: (typeof read)[number]): boolean => linear.weight.shape[0] === hidden;
  const isSquare = read.every((one) => isUp(one) && isDown(one));
  // Among squares, the order in which a module was made is the order in which it is used.
  const downs = isSquare ? read.slice(-1) : read.filter((one) => isDown(one) && !isUp(one));
  const ups = read.filter((one) => !downs.includes(one));
  const [down] = downs;
  const inner = down?.linear.weight.shape[1];
  const fail = (): Error =>
    refuse(names, "has in its layers no feed-forward of two linears, or of three with a gate, but");
  if (down === undefined || downs.length > 1 || inner === undefined || !ups.every(isUp))
    throw fail();
  if (isSquare && ups.length > 1) throw fail();
  const size = inner;
  const [first, second] = ups;
  if (first === undefined || ups.length > 2) throw fail();
  const taken = (): void => {
    for (const { part } of [...ups, down]) take(part);
  };
  const rowsOf = ({ linear }: (typeof read)[number]): number => linear.weight.shape[0]!;
  if (second === undefined) {
    if (rowsOf(first) === size) {
      taken();
      return { up: first.linear, down: down.linear, gate: undefined, isGateKnown: true, size };
    }
    // A gate and what it lets through, as one linear: nothing else has twice as many channels as are read.
    if (rowsOf(first) !== 2 * size) throw fail();
    taken();
    const half = (at: number): Linear =>
      partOf(first.linear, (tensor) => rows(tensor, at * size, (at + 1) * size));
    return { gate: half(0), up: half(1), down: down.linear, isGateKnown: false, size };
  }
  if (rowsOf(first) !== size || rowsOf(second) !== size) throw fail();
  // TransformerLens keeps one bias, of the linear that is not the gate.
  taken();
  const words = [first, second].map(({ part }) => wordOf(part.path));
  const gates = words.map((word) => gateWords.test(word));
  const upsNamed = words.map((word) => upWords.test(word));
  const isKnown = gates[0] !== gates[1] || upsNamed[0] !== upsNamed[1];
  const gateFirst = isKnown ? (gates[0] !== gates[1] ? gates[0]! : upsNamed[1]!) : true;
  const [gate, up] = gateFirst ? [first, second] : [second, first];
  return { gate: gate.linear, up: up.linear, down: down.linear, isGateKnown: isKnown, size };
}
