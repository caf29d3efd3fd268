import { describe, expect, it } from "vitest";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import {
  copyWithoutConfig,
  editWeights,
  fixture,
  referenceOf,
  tokensOf,
} from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { truth, written } from "../support/idioms";
import { diagnoseHere } from "../support/pipeline";
import type { StoredTensor, StoredTensors } from "../support/safetensors";
import { byRules, float32Tensor, floatsOf, renameTensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

function rowsOf(tensor: StoredTensor, start: number, end: number): StoredTensor {
  const [, ...inner] = tensor.shape;
  const width = inner.reduce((product, size) => product * size, 1);
  const values = floatsOf(tensor).subarray(start * width, end * width);
  return float32Tensor([...values], [end - start, ...inner]);
}

/** The rows of several tensors under one another. */
function under(...tensors: readonly StoredTensor[]): StoredTensor {
  const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const values = tensors.flatMap((tensor) => [...floatsOf(tensor)]);
  return float32Tensor(values, [rows, ...tensors[0]!.shape.slice(1)]);
}

const thirds = (names: (third: number) => string) => (tensors: StoredTensors) => {
  for (const [name, tensor] of [...tensors]) {
    const match = /^(.*\.attn)\.qkv\.(weight|bias)$/.exec(name);
    if (match === null) continue;
    tensors.delete(name);
    const size = tensor.shape[0]! / 3;
    for (const third of [0, 1, 2]) {
      const own = `${match[1]!}.${names(third)}.${match[2]!}`;
      tensors.set(own, rowsOf(tensor, third * size, (third + 1) * size));
    }
  }
};

describe("code of one's own", () => {
  const expected = (referenceOf("gpt2")["baseline"] as { nll: number }).nll;
  const isFused = { fused: "thirds" };

  it.each<[string, (tensors: StoredTensors) => void, object]>([
    [
      "calls a norm's parameters scale and shift",
      (tensors) => {
        renameTensors(
          tensors,
          byRules([/(norm\d?)\.weight$/, "$1.scale"], [/(norm\d?)\.bias$/, "$1.shift"]),
        );
      },
      isFused,
    ],
    [
      "calls the parameters of linears w and b, and a norm's g and b",
      (tensors) => {
        renameTensors(
          tensors,
          byRules([/(norm\d?)\.weight$/, "$1.g"], [/\.weight$/, ".w"], [/\.bias$/, ".b"]),
        );
      },
      isFused,
    ],
    [
      "calls a norm's parameters a_2 and b_2, with another norm than theirs",
      (tensors) => {
        renameTensors(
          tensors,
          byRules([/(norm\d?)\.weight$/, "$1.a_2"], [/(norm\d?)\.bias$/, "$1.b_2"]),
        );
      },
      { ...isFused, "norm-kind": "layer" },
    ],
    [
      "calls the fused linear as the attention",
      (tensors) => {
        renameTensors(tensors, byRules([/attn\.qkv\./, "attn.attn."]));
      },
      isFused,
    ],
    [
      "has a layer's linears in one module",
      (tensors) => {
        renameTensors(
          tensors,
          byRules(
            [/attn\.qkv\./, "qkv_proj."],
            [/attn\.proj\./, "out_proj."],
            [/mlp\.fc1\./, "fc_in."],
            [/mlp\.fc2\./, "fc_out."],
          ),
        );
      },
      isFused,
    ],
    [
      "has them in one module as w_q to w_o beside w_in and w_out",
      (tensors) => {
        thirds((at) => ["w_q", "w_k", "w_v"][at]!)(tensors);
        renameTensors(
          tensors,
          byRules(
            [/\.attn\.w_/, ".w_"],
            [/attn\.proj\./, "w_o."],
            [/mlp\.fc1\./, "w_in."],
            [/mlp\.fc2\./, "w_out."],
          ),
        );
      },
      {},
    ],
    [
      "has w_in and w_out in the feed-forward's module alone",
      (tensors) => {
        thirds((at) => ["wq", "wk", "wv"][at]!)(tensors);
        renameTensors(
          tensors,
          byRules(
            [/\.attn\.w/, ".w"],
            [/attn\.proj\./, "wo."],
            [/mlp\.fc1\./, "mlp.w_in."],
            [/mlp\.fc2\./, "mlp.w_out."],
          ),
        );
      },
      {},
    ],
    [
      "leads back by w_out where no w_in tells that it is the feed-forward's",
      (tensors) => {
        thirds((at) => ["w_query", "w_key", "w_value"][at]!)(tensors);
        renameTensors(tensors, byRules([/\.attn\.w_/, ".w_"], [/attn\.proj\./, "w_out."]));
      },
      {},
    ],
    [
      "calls them W_query, W_key and W_value",
      thirds((at) => ["W_query", "W_key", "W_value"][at]!),
      {},
    ],
    [
      "has a linear in each of their modules",
      thirds((at) => `${["query", "key", "value"][at]!}.linear`),
      {},
    ],
    [
      "has four linears in a row",
      (tensors) => {
        thirds((at) => `linears.${at}`)(tensors);
        renameTensors(tensors, byRules([/attn\.proj\./, "attn.linears.3."]));
      },
      {},
    ],
    [
      "calls the table in a module of embeddings as heads are called",
      (tensors) => {
        renameTensors(
          tensors,
          byRules([/^tok_embed\./, "src_embed.linear."], [/^head\./, "generator."]),
        );
      },
      isFused,
    ],
    [
      "keeps caches of keys and values",
      (tensors) => {
        tensors.set("blocks.0.attn.cache_k", float32Tensor([0, 0], [1, 2, 1, 1]));
        tensors.set("blocks.0.attn.v_cache", float32Tensor([0, 0], [1, 2, 1, 1]));
      },
      isFused,
    ],
  ])("that %s is read", async (_, change, more) => {
    const path = written(scratch(), "of timm", (tensors) => {
      change(tensors);
      for (const name of [...tensors.keys()].filter((own) => own.includes("cache"))) {
        for (const index of [1, 2, 3])
          tensors.set(name.replace("0", `${index}`), tensors.get(name)!);
      }
    });
    const { baseline } = await diagnoseHere(path, {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
      reading: { ...truth, ...more },
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
  });

  it("has no output of its attention in the feed-forward's w_out", async () => {
    const path = written(scratch(), "of timm", (tensors) => {
      thirds((at) => ["wq", "wk", "wv"][at]!)(tensors);
      renameTensors(
        tensors,
        byRules([/\.attn\.w/, ".w"], [/attn\.proj\./, "back."], [/mlp\.fc2\./, "mlp.w_out."]),
      );
    });
    const message = await failureOf(
      openCheckpoint(path).then((checkpoint) => readArchitecture(checkpoint)),
      CheckpointError,
    );
    expect(message).toContain("has no linear that could lead from the attention's values back");
  });

  it("may fuse the queries of each head of keys with its key and value", async () => {
    const folder = copyWithoutConfig("mistral", scratch());
    editWeights(folder, (tensors) => {
      for (const name of [...tensors.keys()].filter((own) => own.endsWith("q_proj.weight"))) {
        const [query, key, value] = ["q", "k", "v"].map((one) => {
          const own = name.replace("q_proj", `${one}_proj`);
          const tensor = tensors.get(own)!;
          tensors.delete(own);
          return tensor;
        }) as [StoredTensor, StoredTensor, StoredTensor];
        // Two heads of keys of six channels, each with two of queries.
        const grouped = [0, 1].flatMap((head) => [
          rowsOf(query, 12 * head, 12 * (head + 1)),
          rowsOf(key, 6 * head, 6 * (head + 1)),
          rowsOf(value, 6 * head, 6 * (head + 1)),
        ]);
        tensors.set(name.replace("q_proj", "wqkv"), under(...grouped));
      }
    });
    // As short as the window of its attention, which no tensor tells.
    const documents = tokensOf("mistral").map((tokens) => tokens.slice(0, 5));
    const known = await diagnoseHere(fixture("mistral"), { documents, metrics: ["variance"] });
    const { baseline } = await diagnoseHere(folder, {
      documents,
      metrics: ["variance"],
      reading: {
        heads: "4",
        norm: "pre-ln",
        "norm-kind": "rms",
        fused: "heads",
        positions: "rotary",
        rotary: "halves",
        "rotary-base": "10000",
        "rotary-span": "head",
        activation: "silu",
        scale: "head",
        "embedding-scale": "1",
        epsilon: "1e-5",
      },
    });
    expect(baseline!.nll).toBeCloseTo(known.baseline!.nll, 6);
  });
});
