import type { Checkpoint, TensorEntry } from "../checkpoint/checkpoint";
import { stored } from "../checkpoint/dataType";
import { CheckpointError, quote } from "../checkpoint/errors";

/**
 * A checkpoint's tensors, handed out by name against an expected shape. It remembers what was taken:
 * a tensor nobody asked for means that the description is wrong, and so would every number be.
 */
export class TensorDirectory {
  private readonly taken = new Set<string>();

  constructor(private readonly checkpoint: Checkpoint) {}

  has(name: string): boolean {
    return this.checkpoint.tensors.has(name);
  }

  /** The shape of a tensor, before it is taken; undefined where there is none of the name. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.checkpoint.tensors.get(name)?.shape;
  }

  /**
   * @param shape sizes, outermost first, with what states each, for the message: `{ hidden_size: 64 }`
   * @throws CheckpointError when the tensor is missing, not floating point, or of another shape
   */
  take(name: string, ...shape: readonly Readonly<Record<string, number>>[]): TensorEntry {
    const { directoryFile, tensors } = this.checkpoint;
    const sizes = shape.flatMap((axes) => Object.values(axes));
    const stated = shape.flatMap((axes) => Object.keys(axes)).join(" × ");
    const expected = `[${sizes.join(", ")}] (${stated} of config.json)`;
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      throw new CheckpointError(
        "missingTensor",
        `${directoryFile}: tensor ${quote(name)} is missing; expected shape ${expected}.`,
      );
    }
    const fail = (what: string): never => {
      throw new CheckpointError("tensor", `${tensor.file}: tensor ${quote(name)}: ${what}.`);
    };
    if (tensor.unusable !== undefined) fail(tensor.unusable);
    if (stored(tensor.dataType).weight === undefined) {
      fail(`dtype is ${tensor.dataType}; expected a floating-point type`);
    }
    if (tensor.shape.length !== sizes.length || sizes.some((size, i) => size !== tensor.shape[i])) {
      fail(`shape is [${tensor.shape.join(", ")}]; expected ${expected}`);
    }
    this.taken.add(name);
    return tensor;
  }

  /** Takes a tensor of one element, of whatever rank. @throws CheckpointError when it holds more */
  takeNumber(name: string): TensorEntry {
    const rank = this.checkpoint.tensors.get(name)?.shape.length ?? 0;
    return this.take(name, ...Array.from({ length: rank }, () => ({ "one number": 1 })));
  }

  /** Names that match a pattern, each with what its first group matched. */
  named(pattern: RegExp): (readonly [name: string, group: string])[] {
    return [...this.checkpoint.tensors.keys()].flatMap((name) => {
      const match = pattern.exec(name);
      return match ? [[name, match[1] ?? ""] as const] : [];
    });
  }

  /**
   * Accepts tensors that play no part in the computation, such as stored rotary frequencies.
   *
   * @returns how many there are
   */
  ignore(pattern: RegExp): number {
    const found = this.named(pattern);
    for (const [name] of found) this.taken.add(name);
    return found.length;
  }

  /** @throws CheckpointError when a tensor was neither taken nor ignored */
  requireAllTaken(family: string): void {
    const left = [...this.checkpoint.tensors.keys()].filter((name) => !this.taken.has(name));
    if (left.length > 0) {
      const tensor = this.checkpoint.tensors.get(left[0]!)!;
      throw new CheckpointError(
        "config",
        `${tensor.file}: tensor ${quote(tensor.name)}${left.length > 1 ? ` and ${left.length - 1} more` : ""} ${left.length > 1 ? "have" : "has"} no place in a ${family} model with the layers and options that config.json states.`,
      );
    }
  }
}
