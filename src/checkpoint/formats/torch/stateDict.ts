import { CheckpointError, quote } from "../../errors";
import { limits, withinBytes } from "../../limits";
import { withoutLightningModule } from "../../wrappers";
import { TensorReference } from "./objects";
import {
  flatParameterText,
  isDivided,
  isOtherTensor,
  listedTensor,
  otherTensorText,
} from "./otherTensors";
import { Inert } from "./pickle/values";
import { settingsOf } from "./settings";

/** The file that something was saved to: its name, for messages, and its size. */
export interface SavedFile {
  readonly file: string;
  readonly bytes: number;
}

/** A model's weights among what a training script saved. */
export interface SavedModel {
  /** By name, in the order in which the model names them. */
  readonly tensors: ReadonlyMap<string, TensorReference>;
  /** The plain values beside them, under their own keys. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Keys under which people save weights, the likeliest first. */
const weightKeys = [
  "model_state_dict",
  "state_dict",
  "model_state",
  "model",
  "module",
  "net",
  "network",
  "weights",
  "params",
];
/** The state of an optimizer and of what else a run goes on with: tensors, but no weights. */
const otherState =
  /optim|sched|scaler|momentum|rng|random|callbacks|loops|grad|^(amp|loss|losses|metrics?|history|train(er|ing)?_state)$/i;
/** Averaged weights: taken where no others are there. */
const averaged = /(^|_)(ema|swa|avg|averaged)(_|$)/i;

/**
 * Finds the weights in what was saved: a state dict by itself, under one of the usual keys (also
 * inside another, as `{"model": {"state_dict": …}}`), under a single unusual one, or in a whole
 * pickled module. The state of optimizers beside it is left out; of weights and their running
 * average, the weights are taken.
 *
 * In a checkpoint of Lightning, the attribute under which its LightningModule keeps the model is taken
 * off the names.
 *
 * @throws CheckpointError where there are none, or one is of a kind that holds no plain numbers
 */
export function findModel({ file, bytes }: SavedFile, root: unknown): SavedModel {
  const walk = new Walk(file, withinBytes(limits.pickleVisits, bytes));
  const path = walk.wayToWeights(root);
  const weights = path.at(-1);
  if (weights === undefined) {
    throw new CheckpointError(
      "notACheckpoint",
      `${file}: holds no weights by name; expected a state dict, by itself or under a key such as "model" or "state_dict".`,
    );
  }
  const tensors = walk.tensorsOf(withoutOthers(weights));
  const isLightning = root instanceof Map && root.has("pytorch-lightning_version");
  const names = [...tensors.keys()];
  const plain = isLightning ? withoutLightningModule(names) : names;
  return {
    tensors: new Map([...tensors.values()].map((tensor, at) => [plain[at]!, tensor])),
    settings: settingsOf(path, bytes, (key) => otherState.test(key)),
  };
}

/** A walk through saved objects, on which each step counts: one object may be met by many ways. */
class Walk {
  private visits = 0;
  /** Objects that have been looked into for weights. */
  private readonly seen = new Set<unknown>();

  constructor(
    private readonly file: string,
    private readonly mostVisits: number,
  ) {}

  /** The objects from the root to the one whose tensors are the weights; empty where none are. */
  wayToWeights(value: unknown, depth = 0): unknown[] {
    if (typeof value !== "object" || value === null || this.seen.has(value)) return [];
    this.seen.add(value);
    this.step(depth);
    if (value instanceof Inert) {
      if (isModule(value)) return [value];
      return this.firstWay(value, [value.entries, ...value.attributes.values()], depth);
    }
    if (Array.isArray(value)) return this.firstWay(value, value as unknown[], depth);
    if (!(value instanceof Map)) return [];
    const entries = [...value].filter(
      (entry): entry is [string, unknown] => typeof entry[0] === "string",
    );
    const usual = weightKeys.map((key) => (value as Map<unknown, unknown>).get(key));
    const way = this.firstWay(value, usual, depth);
    if (way.length > 0) return way;
    const tensors = namedTensors(value);
    // One alone, without a dotted name, may be a loss beside the weights.
    if (tensors.length > 1 || tensors[0]?.includes(".")) return [value];
    const others = entries.filter(([key]) => !otherState.test(key) && !weightKeys.includes(key));
    for (const isTaken of [
      (key: string) => !averaged.test(key),
      (key: string) => averaged.test(key),
    ]) {
      const ways = others
        .filter(([key]) => isTaken(key))
        .map(([key, inner]) => [key, this.wayToWeights(inner, depth + 1)] as const)
        .filter(([, inner]) => inner.length > 0);
      // Several are parts of one model, and their keys belong to their tensors' names.
      if (ways.length > 1) return [new Map(ways.map(([key, inner]) => [key, inner.at(-1)]))];
      if (ways.length === 1) return [value, ...ways[0]![1]];
    }
    return tensors.length > 0 ? [value] : [];
  }

  private firstWay(outer: unknown, candidates: readonly unknown[], depth: number): unknown[] {
    for (const candidate of candidates) {
      const way = this.wayToWeights(candidate, depth + 1);
      if (way.length > 0) return [outer, ...way];
    }
    return [];
  }

  /** All tensors of a state dict or a module, those of dictionaries and modules in it too. */
  tensorsOf(weights: unknown): Map<string, TensorReference> {
    const found = new Map<string, TensorReference>();
    const visit = (value: unknown, name: string, depth: number): void => {
      this.step(depth);
      if (value instanceof TensorReference) {
        if (found.has(name)) this.fail(`has two tensors ${quote(name)}`);
        const flat = flatParameterText(name);
        if (flat !== undefined) this.unsupported(name, flat);
        found.set(name, value);
        return;
      }
      if (value instanceof Inert && !isModule(value)) {
        if (!isOtherTensor(value)) return;
        const listed = listedTensor(value);
        if (listed !== undefined && !isDivided(value)) visit(listed, name, depth);
        else this.unsupported(name, flatParameterText(name) ?? otherTensorText(value));
        return;
      }
      for (const [key, inner] of partsOf(value)) {
        visit(inner, name === "" ? key : `${name}.${key}`, depth + 1);
      }
    };
    visit(weights, "", 0);
    return found;
  }

  private step(depth: number): void {
    if (depth > limits.pickleDepth) {
      this.fail(`its objects lie more than ${limits.pickleDepth} deep in each other, the limit`);
    }
    if (++this.visits > this.mostVisits) {
      this.fail(
        `its objects are met by more than ${this.mostVisits} ways, the limit for a file of its size`,
      );
    }
  }

  private unsupported(name: string, what: string): never {
    throw new CheckpointError("unsupported", `${this.file}: tensor ${quote(name)} ${what}.`);
  }

  private fail(what: string): never {
    throw new CheckpointError("tensor", `${this.file}: ${what}.`);
  }
}

/** Whether an object is a module of torch.nn or of TorchScript, by what it holds. */
function isModule(object: Inert): boolean {
  return object.attributes.has("_parameters") || object.type.module.startsWith("__torch__");
}

/** The keys under which a dictionary itself holds tensors, as state dicts do. */
function namedTensors(value: ReadonlyMap<unknown, unknown>): string[] {
  const names: string[] = [];
  for (const [key, inner] of value) {
    const isTensor =
      inner instanceof TensorReference || (inner instanceof Inert && isOtherTensor(inner));
    if (isTensor && typeof key === "string" && !otherState.test(key)) names.push(key);
  }
  return names;
}

/**
 * Weights without the dictionaries of other state that lie beside them where a script put all into one:
 * torchtitan's folders, `{**model.state_dict(), "optimizer": …}`. A dictionary that holds no tensor itself
 * is made of parts that were chosen already.
 */
function withoutOthers(weights: unknown): unknown {
  if (!(weights instanceof Map) || namedTensors(weights).length === 0) return weights;
  const isLeft = ([key, value]: [unknown, unknown]): boolean =>
    value instanceof TensorReference ||
    typeof key !== "string" ||
    !(otherState.test(key) || averaged.test(key));
  return new Map([...(weights as Map<unknown, unknown>)].filter(isLeft));
}

/** What a dictionary or a module holds, by name, in the order of `state_dict()`. */
function* partsOf(value: unknown): Generator<[string, unknown]> {
  if (value instanceof Map) {
    for (const [key, inner] of value) {
      if (typeof key === "string" || typeof key === "number") yield [String(key), inner];
    }
  } else if (value instanceof Inert) {
    const attributes = value.attributes;
    if (!attributes.has("_parameters")) {
      yield* partsOf(attributes);
      return;
    }
    const passing = attributes.get("_non_persistent_buffers_set");
    const left: readonly unknown[] = Array.isArray(passing) ? passing : [];
    yield* partsOf(attributes.get("_parameters"));
    for (const [key, inner] of partsOf(attributes.get("_buffers"))) {
      if (!left.includes(key)) yield [key, inner];
    }
    yield* partsOf(attributes.get("_modules"));
  }
}
