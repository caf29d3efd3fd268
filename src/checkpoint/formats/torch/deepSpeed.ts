import { readdir, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { TensorEntry } from "../../checkpoint";
import { elementCount } from "../../checkpoint";
import { CheckpointError, lineOf, quote, written } from "../../errors";
import { limits } from "../../limits";
import { readSmallFile } from "../../smallFile";
import { rows } from "../../views";
import type { FileContents, Format } from "../format";
import { readContainer } from "./container";
import { withFile } from "../fileRange";
import { TensorReference } from "./objects";
import { Inert } from "./pickle/values";
import { together } from "./together";
import { entriesOf, readTorch } from "./readTorch";

const wholeModel = "mp_rank_00_model_states.pt";
const partedModel = /^zero_pp_rank_(\d+)_mp_rank_00_model_states\.pt$/;
const partedWeights = /^(?:bf16_|fp16_)?zero_pp_rank_(\d+)_mp_rank_00_optim_states\.pt$/;
/** What several processes have that divide each layer, the layers or the experts among them. */
const otherParts = /(^|_)mp_rank_(?!00_)\d+_|^layer_|expert_\d+/;

/** Whether a file is a part of a checkpoint of DeepSpeed, by its name. */
export function isDeepSpeed(name: string): boolean {
  return /mp_rank_\d+_(model|optim)_states\.pt$/.test(name);
}

export const deepSpeed: Format = {
  name: "DeepSpeed",
  usual: [wholeModel, "zero_pp_rank_0_mp_rank_00_model_states.pt"],
  fillsFolder: true,
  // The folder above holds a file `latest` with the name of this one.
  recognises: (name, head) =>
    isDeepSpeed(name) ||
    (name === "latest" && /^[\w.-]+\s*$/.test(Buffer.from(head).toString("latin1"))),
  read: async (_, named) => readDeepSpeed(await folderOf(named)),
};

async function folderOf(named: string): Promise<string> {
  if (basename(named) !== "latest") return dirname(named);
  const name = await readSmallFile(named, limits.folderNameBytes).catch((error: unknown) => {
    throw new CheckpointError("unreadable", `${named}: cannot be read: ${lineOf(error)}.`);
  });
  const folder = name.trim();
  if (!/^[\w.-]+$/.test(folder) || folder === "..") {
    throw new CheckpointError(
      "header",
      `${named}: names ${quote(folder)}, which is no folder beside it.`,
    );
  }
  return join(dirname(named), folder);
}

/**
 * Reads a checkpoint folder of DeepSpeed. With ZeRO stage 1 and 2 (and without ZeRO) one file holds
 * the whole model. With stage 3 each process keeps a part of every parameter: their shapes and names
 * are in the model's files, and the float32 numbers, one parameter after another, in the optimizer's;
 * the parts are put together as DeepSpeed's zero_to_fp32.py does.
 *
 * @throws CheckpointError where parts are missing or do not fit together without guessing; the message
 *   names the tool that makes one file of them
 */
export async function readDeepSpeed(folder: string): Promise<FileContents> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new CheckpointError("unreadable", `${folder}: cannot be read: ${lineOf(error)}.`);
  });
  const other = names.find((name) => otherParts.test(name));
  if (other !== undefined) {
    throw unknown(
      folder,
      `${quote(other)} is of a model whose layers or experts are divided`,
      "ds_to_universal.py",
    );
  }
  if (names.includes(wholeModel)) return readTorch(await realpath(join(folder, wholeModel)));
  const models = await inOrder(folder, names, partedModel);
  const weights = await inOrder(folder, names, partedWeights);
  if (models.length === 0 || models.length !== weights.length) {
    throw unknown(
      folder,
      `holds ${models.length} parts of the model and ${weights.length} of its float32 weights; expected as many of both`,
    );
  }
  const parts: ModelPart[] = [];
  for (const file of models) parts.push(await readModelPart(file));
  const flat: FlatWeights[] = [];
  for (const file of weights) flat.push(await readFlatWeights(file, weights.length));
  const first = parts[0]!;
  const trained = gathered(
    folder,
    first.shapes,
    flat.map(({ groups }) => groups),
  );
  const frozen = [...first.frozenShapes].flatMap(([name, shape]) => {
    const fragments = parts.map((part) => part.fragments.get(name));
    const all = fragments.filter((fragment) => fragment !== undefined);
    if (all.length < fragments.length) {
      throw unknown(folder, `has frozen parameter ${quote(name)} not in every part`);
    }
    return gathered(
      folder,
      new Map([[name, shape]]),
      all.map((fragment) => [fragment]),
    );
  });
  const tensors = new Map<string, TensorEntry>();
  for (const tensor of [...trained, ...frozen, ...first.buffers]) tensors.set(tensor.name, tensor);
  for (const [name, source] of first.shared) {
    const tensor = tensors.get(source);
    if (tensor) tensors.set(name, { ...tensor, name });
  }
  return {
    tensors: [...tensors.values()],
    bytes: [...parts, ...flat].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** The files of a kind by their process, none missing. */
async function inOrder(folder: string, names: readonly string[], kind: RegExp): Promise<string[]> {
  const files: string[] = [];
  for (const name of names) {
    const rank = kind.exec(name)?.[1];
    if (rank !== undefined) files[Number(rank)] = await realpath(join(folder, name));
  }
  const missing = files.findIndex((file) => (file as string | undefined) === undefined);
  if (missing >= 0) throw unknown(folder, `holds nothing of process ${missing}`);
  return files;
}

interface ModelPart {
  /** Of the trained parameters, in the order in which they lie in the flat weights. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly frozenShapes: ReadonlyMap<string, readonly number[]>;
  /** This process's part of each frozen parameter. */
  readonly fragments: ReadonlyMap<string, TensorEntry>;
  readonly buffers: readonly TensorEntry[];
  /** Names of parameters that are others. */
  readonly shared: readonly (readonly [name: string, source: string])[];
  readonly bytes: number;
}

async function readModelPart(file: string): Promise<ModelPart> {
  return withFile(file, async (whole) => {
    const container = await readContainer(whole);
    const saved = mapOf(container.root);
    const shapes: unknown = saved.get("param_shapes");
    if (!Array.isArray(shapes)) throw unknown(file, "states no shapes of its parameters");
    const bufferNames: readonly unknown[] = listOf(saved.get("buffer_names"));
    const buffers = [...tensorsOf(saved.get("module"))].filter(([name]) =>
      bufferNames.includes(name),
    );
    const fragments = tensorsOf(saved.get("frozen_param_fragments"));
    return {
      shapes: new Map(shapes.flatMap((group) => [...shapesOf(file, group)])),
      frozenShapes: shapesOf(file, saved.get("frozen_param_shapes")),
      fragments: byName(await entriesOf(file, container, fragments)),
      buffers: await entriesOf(file, container, new Map(buffers)),
      shared: [...mapOf(saved.get("shared_params"))].filter(
        (pair): pair is [string, string] =>
          typeof pair[0] === "string" && typeof pair[1] === "string",
      ),
      bytes: whole.bytes,
    };
  });
}

interface FlatWeights {
  /** One array for each group of parameters. */
  readonly groups: readonly TensorEntry[];
  readonly bytes: number;
}

async function readFlatWeights(file: string, processes: number): Promise<FlatWeights> {
  return withFile(file, async (whole) => {
    const container = await readContainer(whole);
    const state = mapOf(mapOf(container.root).get("optimizer_state_dict"));
    const stage = plainNumber(state.get("zero_stage"));
    if (stage !== 3)
      throw unknown(file, `is of ZeRO stage ${written(stage)}, and no ${wholeModel} is there`);
    const counts: unknown[] = [state.get("partition_count")].flat();
    const most = counts.reduce<number>((sum, count) => Math.max(sum, plainNumber(count) ?? 0), 0);
    if (most !== processes) {
      throw unknown(
        file,
        `was written by ${written(counts)} processes, but the folder has ${processes} parts`,
      );
    }
    const groups = listOf(state.get("fp32_flat_groups"));
    const tensors = groups.filter((group) => group instanceof TensorReference);
    if (tensors.length === 0 || tensors.length < groups.length) {
      throw unknown(file, "has no float32 weights one after another");
    }
    const entries = await entriesOf(
      file,
      container,
      new Map(tensors.map((tensor, at) => [`fp32_flat_groups.${at}`, tensor])),
    );
    if (entries.some(({ shape, view }) => shape.length !== 1 || view)) {
      throw unknown(file, "has float32 weights that are no flat arrays");
    }
    return { groups: entries, bytes: whole.bytes };
  });
}

/**
 * Parameters of which each process has an equal part, filled up at the end of the last, one after
 * another in its arrays.
 */
function gathered(
  folder: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  processes: readonly (readonly TensorEntry[])[],
): TensorEntry[] {
  const lengths = processes.map((groups) => groups.map(({ shape }) => shape[0]!));
  const [length] = lengths.map((groups) => groups.reduce((sum, one) => sum + one, 0));
  if (lengths.some((groups) => groups.join() !== lengths[0]!.join())) {
    throw unknown(folder, "has processes with parts of several sizes");
  }
  let offset = 0;
  const tensors = [...shapes].map(([name, shape]) => {
    const count = elementCount(shape);
    const share = Math.ceil(count / processes.length);
    if (offset + share > length!) {
      throw unknown(folder, `has weights that end inside parameter ${quote(name)}`);
    }
    const parts = processes.flatMap((groups, process) => {
      const before = process * share;
      return stretches(groups, offset, offset + Math.max(0, Math.min(share, count - before))).map(
        ({ at, tensor }) => ({ offsets: [before + at], tensor }),
      );
    });
    offset += share;
    const dataType = processes[0]![0]!.dataType;
    const flat = together(folder, name, dataType, [count], parts);
    return { ...flat, shape };
  });
  if (offset !== length) {
    throw unknown(
      folder,
      `has ${length! * processes.length} weights, but its parameters take ${offset * processes.length}`,
    );
  }
  return tensors;
}

/** Where the elements [start, end) of arrays that follow one another lie; `at` counts from `start`. */
function stretches(
  groups: readonly TensorEntry[],
  start: number,
  end: number,
): { at: number; tensor: TensorEntry }[] {
  const found: { at: number; tensor: TensorEntry }[] = [];
  let before = 0;
  for (const group of groups) {
    const length = group.shape[0]!;
    const [from, to] = [Math.max(start, before), Math.min(end, before + length)];
    if (from < to)
      found.push({ at: from - start, tensor: rows(group, from - before, to - before) });
    before += length;
  }
  return found;
}

function shapesOf(file: string, group: unknown): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, shape] of mapOf(group)) {
    const isShape =
      Array.isArray(shape) &&
      shape.length <= limits.tensorRank &&
      shape.every((size) => Number.isSafeInteger(size) && size >= 0);
    if (typeof name !== "string" || !isShape) throw unknown(file, "states shapes that are none");
    shapes.set(name, shape as number[]);
  }
  return shapes;
}

function tensorsOf(value: unknown): Map<string, TensorReference> {
  const found = new Map<string, TensorReference>();
  for (const [name, tensor] of mapOf(value)) {
    if (typeof name === "string" && tensor instanceof TensorReference) found.set(name, tensor);
  }
  return found;
}

function byName(tensors: readonly TensorEntry[]): Map<string, TensorEntry> {
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

function mapOf(value: unknown): ReadonlyMap<unknown, unknown> {
  return value instanceof Map ? value : new Map<unknown, unknown>();
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** A number, also as the member of an enumeration. */
function plainNumber(value: unknown): number | undefined {
  const inner = value instanceof Inert ? value.args[0] : value;
  return typeof inner === "number" ? inner : undefined;
}

function unknown(place: string, what: string, tool = "zero_to_fp32.py"): CheckpointError {
  return new CheckpointError(
    "unsupported",
    `${place}: ${what}; make one file of the checkpoint with DeepSpeed's ${tool}.`,
  );
}
