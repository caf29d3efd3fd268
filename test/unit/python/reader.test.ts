import { copyFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { Texts } from "../../../src/protocol/texts";
import { PythonReader } from "../../../src/python/reader";
import { scratchFolders } from "../support/scratch";
import { longFile } from "./support/longFile";
import { huggingFace, huggingFacePaths } from "./support/models";
import { wasmFiles } from "./support/parser";

const scratch = scratchFolders();

async function load(texts?: Texts): Promise<PythonReader> {
  const folder = scratch();
  for (const file of Object.values(wasmFiles)) {
    copyFileSync(file, path.join(folder, path.basename(file)));
  }
  return PythonReader.load(folder, texts);
}

it("reads a file, and again after an edit", async () => {
  const reader = await load();
  const before = await reader.read("model.py", huggingFace);
  expect(before!.sites).toHaveLength(4);
  const edited = huggingFace.replace("self.q_norm = TinyRMSNorm(config.head_dim)", "pass");
  const after = await reader.read("model.py", edited, before);
  expect(after!.sites).toHaveLength(3);
  expect((await reader.match([after!], huggingFacePaths)).matches).toHaveLength(3);
});

it("stops without harm to what was read before", async () => {
  const reader = await load();
  const before = await reader.read("model.py", huggingFace);
  const places = before!.sites.map(({ node }) => node.start);
  const stop = new AbortController();
  const pending = reader.read("model.py", longFile(5000) + huggingFace, before, stop.signal);
  stop.abort();
  expect(await pending).toBeUndefined();
  expect(before!.sites.map(({ node }) => node.start)).toEqual(places);
});

it("finds the norms of a model beside its copy, once a person says which is meant", async () => {
  const reader = await load();
  const model = (await reader.read("model.py", huggingFace))!;
  const copy = (await reader.read("model_lns.py", huggingFace))!;
  const both = await reader.match([model, copy], huggingFacePaths);
  expect(both.matches).toEqual([]);
  expect(both.ambiguous).toHaveLength(huggingFacePaths.length);
  const { matches } = await reader.matchWithin([model, copy], "model_lns.py", huggingFacePaths);
  expect(new Set(matches.map(({ path }) => path))).toEqual(new Set(["model_lns.py"]));
  expect(matches).toHaveLength(huggingFacePaths.length);
});

it("takes a file by itself where it shares imports with a rival", async () => {
  const reader = await load();
  const model = (await reader.read("model.py", huggingFace))!;
  const copy = (await reader.read("model_lns.py", huggingFace))!;
  const imports = "from model import TinyModel\nfrom model_lns import TinyModel as Scaled\n";
  const train = (await reader.read("train.py", imports))!;
  const { matches } = await reader.matchWithin([model, copy, train], "model.py", huggingFacePaths);
  expect(new Set(matches.map(({ path }) => path))).toEqual(new Set(["model.py"]));
});

it("says why it does not edit in the language that it was given", async () => {
  const english = "No norm of a transformer layer was found in this code.";
  const german = "In diesem Code wurde keine Norm einer Transformer-Schicht gefunden.";
  const refusal = async (texts?: Texts): Promise<unknown> => {
    const reader = await load(texts);
    const model = (await reader.read("model.py", "import torch\n"))!;
    return reader.applyLayerNormScaling([model], { path: "model.py", offset: 0 });
  };
  const bundle = { [english]: german };
  expect(await refusal({ language: "de", bundle })).toMatchObject({ message: german });
  expect(await refusal()).toMatchObject({ message: english });
});
