import type { Checkpoint, TensorEntry } from "../../checkpoint/checkpoint";
import { CheckpointError, quote } from "../../checkpoint/errors";
import { limits } from "../../checkpoint/limits";
import type { Architecture } from "../description";
import { inOwnWords } from "../dialects/dialect";
import type { NamePattern, Places } from "./pattern";
import { matchName, parsePattern } from "./pattern";
import type { Part, Role } from "./roles";
import { isBiasRole, partNamed, partNames, partOf } from "./roles";
import { partIn, rolesIn } from "./rolesIn";
import type { Statement } from "./statement";

/** A checkpoint whose tensors are under names that inference understands, by the roles stated of them. */
export interface ByRoles {
  readonly checkpoint: Checkpoint;
  /** @throws CheckpointError where a tensor was found to do something else than stated */
  readonly inOwnWords: (architecture: Architecture) => Architecture;
  /** A message about the translated checkpoint, with the tensors' own names. */
  readonly ownMessage: (message: string) => string;
}

/** A tensor with what is stated of it. */
interface Stated {
  readonly pattern: NamePattern;
  readonly role: Role;
  readonly places: Places;
  readonly tensor: TensorEntry;
}

/**
 * Puts a checkpoint's tensors under the names that inference has for their roles: a dialect that its
 * fathom.json states.
 *
 * @throws CheckpointError naming the file, the pattern and the tensor where these are not of one another
 */
export function byRoles(
  checkpoint: Checkpoint,
  path: string,
  roles: NonNullable<Statement["roles"]>,
): ByRoles {
  const fail = (what: string): never => {
    throw new CheckpointError("config", `${path}: ${what}.`);
  };
  if (roles.size > limits.statementPatterns) {
    fail(`"roles" names ${roles.size} patterns; the limit is ${limits.statementPatterns}`);
  }
  const patterns = [...roles].map(([text, role]) => {
    const pattern = parsePattern(text);
    if (typeof pattern === "string") return fail(`the pattern ${quote(text)} ${pattern}`);
    const why = whyNotPlaced(pattern, partOf(role));
    if (why !== undefined) fail(`the pattern ${quote(text)} is of "${role}", ${why}`);
    return { pattern, role };
  });
  const stated = [...checkpoint.tensors].map(([name, tensor]): Stated => {
    const found = patterns.flatMap(({ pattern, role }) => {
      const places = matchName(pattern, name);
      return places ? [{ pattern, role, places, tensor }] : [];
    });
    const [one, other] = found;
    if (one === undefined) {
      return fail(
        `"roles" states none of tensor ${quote(name)}; if it computes nothing, it is unused`,
      );
    }
    if (other !== undefined) {
      fail(
        `tensor ${quote(name)} has two roles, by ${quote(one.pattern.text)} and ${quote(other.pattern.text)}`,
      );
    }
    return one;
  });
  for (const { pattern } of patterns) requireAlike(pattern, stated, fail);
  requireWhole([...roles.values()].map(partOf), fail);

  const own = new Map<string, Stated>();
  const used = stated.filter(({ role }) => role !== "unused").toSorted(inOrder);
  for (const one of used) {
    const name = understoodName(one);
    const other = own.get(name);
    if (other) {
      fail(
        `${quote(other.tensor.name)} and ${quote(one.tensor.name)} are both stated as "${one.role}"`,
      );
    }
    own.set(name, one);
  }
  const output = patterns.find(({ role }) => role === "attention output")!.pattern;
  return {
    checkpoint: {
      ...checkpoint,
      tensors: new Map([...own].map(([name, { tensor }]) => [name, tensor])),
    },
    inOwnWords: (architecture) => {
      const found = rolesIn(architecture);
      for (const { tensor, role } of used) {
        const actual = partIn(found, tensor.name);
        if (actual !== undefined && actual !== partOf(role)) {
          fail(
            `tensor ${quote(tensor.name)} is stated as "${role}", but its shape is that of "${actual}"`,
          );
        }
      }
      return inOwnWords(architecture, {
        layerPath: (layer) => `${output.literals[0]!}${layer}`,
      });
    },
    ownMessage: (message) =>
      message.replace(/"[^"]*"/g, (quoted) => {
        const tensor = own.get(quoted.slice(1, -1))?.tensor;
        return tensor ? quote(tensor.name) : quoted;
      }),
  };
}

type Fail = (what: string) => never;

/** A bias is told by its role or by the end of its own name: `bias`, `b`, `beta`, `b_Q`, `in_proj_bias`. */
function isBias({ role, tensor }: Stated): boolean {
  const last = tensor.name.split(".").at(-1)!;
  const isNamed = /(^|_)(bias|beta|b)$|^b_/i.test(last);
  return isBiasRole(role) || (isNamed && partNamed(partOf(role)).hasNoBias !== true);
}

function understoodName(stated: Stated): string {
  const { places, role, tensor } = stated;
  const part = partOf(role);
  // TransformerLens keeps its head the other way round, and says so by this name.
  const isTurned = part === "head" && /(^|\.)W_U$/.test(tensor.name);
  const { path, ending } = partNamed(part);
  const within = places.head === undefined ? path : path.replace(".", `.heads.${places.head}.`);
  const module = places.layer === undefined ? within : `layers.${places.layer}.${within}`;
  if (isTurned) return "W_U";
  return `${module}.${ending ?? (isBias(stated) ? "bias" : "weight")}`;
}

/** By layer, then in the order of the parts: of two squares the first is used first. */
function inOrder(one: Stated, other: Stated): number {
  const layer = (one.places.layer ?? -1) - (other.places.layer ?? -1);
  const rank = ({ role }: Stated): number => partNames.indexOf(partOf(role));
  return layer || rank(one) - rank(other) || (one.places.head ?? 0) - (other.places.head ?? 0);
}

/** Why a part cannot be where the placeholders of its pattern say. */
function whyNotPlaced({ placeholders }: NamePattern, part: Part): string | undefined {
  const { place } = partNamed(part);
  const isInLayer = placeholders.includes("layer");
  if (place === "layer" && !isInLayer)
    return "of which every layer has its own; expected {layer} in it";
  if (place === "model" && isInLayer) return "which no layer has; expected no {layer} in it";
  const isOfHead = placeholders.includes("head");
  return isOfHead && !["query", "key", "value", "unused"].includes(part)
    ? "which is not split by heads; expected no {head} in it"
    : undefined;
}

/** A pattern matches some tensor, and one in each layer. */
function requireAlike(pattern: NamePattern, all: readonly Stated[], fail: Fail): void {
  const own = all.filter((one) => one.pattern === pattern);
  if (own.length === 0) fail(`the pattern ${quote(pattern.text)} matches no tensor`);
  if (own[0]!.role === "unused" || !pattern.placeholders.includes("layer")) return;
  const layers = new Set(own.map(({ places }) => places.layer!));
  const count =
    1 +
    all.reduce(
      (most, { role, places }) => (role === "unused" ? most : Math.max(most, places.layer ?? 0)),
      0,
    );
  for (let layer = 0; layer < count; layer++) {
    if (!layers.has(layer)) {
      fail(
        `the pattern ${quote(pattern.text)} matches no tensor of layer ${layer}, of ${count} layers`,
      );
    }
  }
}

/** Parts that belong together, of which a model has one set. */
const alternatives: readonly (readonly (readonly Part[])[])[] = [
  [["token embedding"], ["patch embedding"]],
  [["query", "key", "value"], ["query", "key-value"], ["query-key-value"]],
  [["attention output"]],
  [
    ["feed-forward up", "feed-forward down"],
    ["feed-forward gate and up", "feed-forward down"],
  ],
  [["attention norm"]],
];

function requireWhole(parts: readonly Part[], fail: Fail): void {
  const has = (part: Part): boolean => parts.includes(part);
  for (const sets of alternatives) {
    const whole = sets.filter((set) => set.every(has));
    if (whole.length === 1) continue;
    const begun = sets.find((set) => set.some(has)) ?? sets[0]!;
    if (whole.length === 0)
      fail(`"roles" states no tensor to be "${begun.find((part) => !has(part))!}"`);
    fail(
      `"roles" states both "${whole[0]!.find((part) => !whole[1]!.includes(part))!}" and "${whole[1]!.find((part) => !whole[0]!.includes(part))!}"`,
    );
  }
  const outputs = (["attention output norm", "feed-forward output norm"] as const).filter(has);
  const isFour = outputs.length === 2 && has("feed-forward norm");
  if (outputs.length > 0 && !isFour) {
    fail(
      `"roles" states "${outputs[0]!}", with which layers have four norms, but not all four; where each sublayer has one, it is its norm, and reading.norm says where it stands`,
    );
  }
}
