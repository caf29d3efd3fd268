import { describe, expect, it } from "vitest";
import { matchNorms } from "../../../src/python/matchNorms";
import type { ModuleFile } from "../../../src/python/structure";
import * as models from "./support/models";
import { file } from "./support/read";

/** Each match in a line: `model.norm ← model.py: TinyModel.norm`. */
function matched(
  files: readonly ModuleFile[],
  paths: readonly string[],
  names?: readonly string[],
): string[] {
  return matchNorms(files, paths, names).matches.map(({ normPath, path, sites }) => {
    const places = sites.map(({ owner, attribute }) => `${owner?.name ?? "-"}.${attribute ?? "?"}`);
    return `${normPath} ← ${path}: ${places.join(", ")}`;
  });
}

/** The same model under another name. */
const renamed = (text: string, name: string): string => text.replaceAll("Tiny", name);

describe("matchNorms", () => {
  it("finds a Hugging Face model's norms", () => {
    expect(matched([file("model.py", models.huggingFace)], models.huggingFacePaths)).toEqual([
      "model.layers.*.input_layernorm ← model.py: TinyDecoderLayer.input_layernorm",
      "model.layers.*.post_attention_layernorm ← model.py: TinyDecoderLayer.post_attention_layernorm",
      "model.norm ← model.py: TinyModel.norm",
    ]);
  });

  it("finds the norms of queries in the attention of a layer, and none in an attention alone", () => {
    const paths = [...models.huggingFacePaths, "model.layers.*.self_attn.q_norm"];
    expect(matched([file("model.py", models.huggingFace)], paths)).toContain(
      "model.layers.*.self_attn.q_norm ← model.py: TinyAttention.q_norm",
    );
    const start = models.huggingFace.indexOf("class TinyAttention");
    const attention = models.huggingFace
      .slice(start, models.huggingFace.indexOf("class TinyDecoderLayer"))
      .replace(/( +)self\.q_norm = (.*)/, "$&\n$1self.k_norm = $2");
    expect(
      matched(
        [file("attention.py", `from torch import nn\n${attention}`)],
        [...paths, "model.layers.*.self_attn.k_norm"],
      ),
    ).toEqual([]);
  });

  it("finds the norm of BERT's embeddings, beside those of its layers", () => {
    const code = `
from torch import nn

class BertEmbeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.LayerNorm = nn.LayerNorm(config.hidden_size)

class BertSelfOutput(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.LayerNorm = nn.LayerNorm(config.hidden_size)

class BertAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.output = BertSelfOutput(config)

class BertLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = BertAttention(config)

class BertEncoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layer = nn.ModuleList([BertLayer(config) for _ in range(config.num_hidden_layers)])

class BertModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embeddings = BertEmbeddings(config)
        self.encoder = BertEncoder(config)
`;
    const paths = ["bert.embeddings.LayerNorm", "bert.encoder.layer.*.attention.output.LayerNorm"];
    expect(matched([file("bert.py", code)], paths, ["bert"])).toEqual([
      "bert.embeddings.LayerNorm ← bert.py: BertEmbeddings.LayerNorm",
      "bert.encoder.layer.*.attention.output.LayerNorm ← bert.py: BertSelfOutput.LayerNorm",
    ]);
  });

  it("finds nanoGPT's", () => {
    expect(matched([file("model.py", models.nanoGpt)], models.nanoGptPaths)).toEqual([
      "transformer.h.*.ln_1 ← model.py: Block.ln_1",
      "transformer.h.*.ln_2 ← model.py: Block.ln_2",
      "transformer.ln_f ← model.py: GPT.transformer.ln_f",
    ]);
  });

  it("finds torchtitan's, also under a prefix that the code does not have", () => {
    const paths = ["layers.*.attention_norm", "layers.*.ffn_norm", "norm"];
    const found = [
      "layers.*.attention_norm ← model.py: TransformerBlock.attention_norm",
      "layers.*.ffn_norm ← model.py: TransformerBlock.ffn_norm",
      "norm ← model.py: Transformer.norm",
    ];
    const files = [file("model.py", models.torchtitan)];
    expect(matched(files, paths)).toEqual(found);
    expect(
      matched(
        files,
        paths.map((path) => `model.${path}`),
      ),
    ).toEqual(found.map((line) => `model.${line}`));
  });

  it("finds timm's, whose classes are handed from one to the other", () => {
    expect(
      matched([file("vit.py", models.timm)], ["blocks.*.norm1", "blocks.*.norm2", "norm"]),
    ).toEqual([
      "blocks.*.norm1 ← vit.py: Block.norm1",
      "blocks.*.norm2 ← vit.py: Block.norm2",
      "norm ← vit.py: VisionTransformer.norm",
    ]);
  });

  it("finds the norm in a wrapper and in what the wrapper was given", () => {
    const paths = ["layers.*.0.norm", "layers.*.1.norm", "layers.*.1.fn.net.1"];
    expect(matched([file("vit.py", models.wrappers)], paths)).toEqual([
      "layers.*.0.norm ← vit.py: PreNorm.norm",
      "layers.*.1.norm ← vit.py: PreNorm.norm",
      "layers.*.1.fn.net.1 ← vit.py: FeedForward.net.1",
    ]);
  });

  it("finds a decoder layer whose model is in a file that is not there", () => {
    const layer = models.huggingFace.slice(0, models.huggingFace.indexOf("class TinyModel"));
    expect(matched([file("layer.py", layer)], models.huggingFacePaths)).toEqual([
      "model.layers.*.input_layernorm ← layer.py: TinyDecoderLayer.input_layernorm",
      "model.layers.*.post_attention_layernorm ← layer.py: TinyDecoderLayer.post_attention_layernorm",
    ]);
  });

  it("follows imports from file to file", () => {
    const [head, tail] = models.huggingFace.split("class TinyModel");
    const layer = file("tiny/layer.py", head!);
    const imports = "from torch import nn\nfrom .layer import TinyDecoderLayer, TinyRMSNorm\n";
    const model = file("tiny/model.py", `${imports}class TinyModel${tail!}`);
    // Another model with a layer of the same name must not be taken for it.
    const other = file("other/layer.py", head!);
    expect(matched([other, layer, model], models.huggingFacePaths)).toEqual([
      "model.layers.*.input_layernorm ← tiny/layer.py: TinyDecoderLayer.input_layernorm",
      "model.layers.*.post_attention_layernorm ← tiny/layer.py: TinyDecoderLayer.post_attention_layernorm",
      "model.norm ← tiny/model.py: TinyModel.norm",
    ]);
  });

  it("takes the class that the structure puts there, of two with the same attributes", () => {
    const text = `
from torch import nn
class MtpLayer(nn.Module):
    def __init__(self, c):
        self.input_layernorm = nn.RMSNorm(c)
        self.post_attention_layernorm = nn.RMSNorm(c)
class MainLayer(nn.Module):
    def __init__(self, c):
        self.input_layernorm = nn.RMSNorm(c)
        self.post_attention_layernorm = nn.RMSNorm(c)
class Model(nn.Module):
    def __init__(self, c):
        self.layers = nn.ModuleList([MainLayer(c) for _ in range(4)])
        self.mtp = nn.ModuleList([MtpLayer(c) for _ in range(1)])
        self.norm = nn.RMSNorm(c)
`;
    expect(matched([file("m.py", text)], models.huggingFacePaths)).toEqual([
      "model.layers.*.input_layernorm ← m.py: MainLayer.input_layernorm",
      "model.layers.*.post_attention_layernorm ← m.py: MainLayer.post_attention_layernorm",
      "model.norm ← m.py: Model.norm",
    ]);
  });

  it("chooses neither of two models that fit as well, unless the checkpoint names one", () => {
    const files = [
      file("a.py", renamed(models.huggingFace, "Llama")),
      file("b.py", renamed(models.huggingFace, "Mistral")),
    ];
    const undecided = matchNorms(files, models.huggingFacePaths);
    expect(undecided.matches).toEqual([]);
    expect(undecided.ambiguous.toSorted()).toEqual(models.huggingFacePaths);
    for (const names of [
      ["mistral"],
      ["MistralForCausalLM"],
      ["MistralForSequenceClassification"],
    ]) {
      const lines = matched(files, models.huggingFacePaths, names);
      expect(lines).toHaveLength(3);
      for (const line of lines) expect(line).toContain("b.py: Mistral");
    }
  });

  it("does not tell Qwen2 from Qwen3 by their common beginning", () => {
    const files = [
      file("a.py", renamed(models.huggingFace, "Qwen2")),
      file("b.py", renamed(models.huggingFace, "Qwen3")),
    ];
    for (const line of matched(files, models.huggingFacePaths, ["qwen3"])) {
      expect(line).toContain("b.py: Qwen3");
    }
  });

  it("never completes one model with another", () => {
    const llama = renamed(models.huggingFace, "Llama");
    const layer = file("a.py", llama.slice(0, llama.indexOf("class LlamaModel")));
    const other = file("b.py", renamed(models.huggingFace, "Mistral"));
    expect(matched([layer, other], models.huggingFacePaths, ["llama"])).toEqual([
      "model.layers.*.input_layernorm ← a.py: LlamaDecoderLayer.input_layernorm",
      "model.layers.*.post_attention_layernorm ← a.py: LlamaDecoderLayer.post_attention_layernorm",
    ]);
  });

  it.each(["timm", "nanoGpt", "wrappers"] as const)("finds no LLaMA in %s", (style) => {
    expect(matched([file("other.py", models[style])], models.huggingFacePaths)).toEqual([]);
  });

  it("takes no class for having one norm of a common name", () => {
    const text = `
from torch import nn
class Pooler(nn.Module):
    def __init__(self):
        self.norm = nn.LayerNorm(8)
`;
    expect(matched([file("pooler.py", text)], models.huggingFacePaths)).toEqual([]);
  });

  it("gives both sites of a norm that is chosen between", () => {
    const text = models.nanoGpt.replace(
      "self.ln_1 = LayerNorm(config.n_embd, bias=config.bias)",
      "self.ln_1 = LayerNorm(config.n_embd) if config.ln else nn.RMSNorm(config.n_embd)",
    );
    const { matches } = matchNorms([file("model.py", text)], models.nanoGptPaths);
    expect(matches[0]!.sites.map(({ callee }) => callee)).toEqual(["LayerNorm", "nn.RMSNorm"]);
  });

  it("tells the places of a list that is filled one by one", () => {
    const text = `
from torch import nn
class SelfAttention(nn.Module):
    def __init__(self): self.layer_norm = nn.LayerNorm(8)
class FeedForward(nn.Module):
    def __init__(self): self.layer_norm = nn.LayerNorm(8)
class Block(nn.Module):
    def __init__(self):
        self.layer = nn.ModuleList()
        self.layer.append(SelfAttention())
        self.layer.append(FeedForward())
class Stack(nn.Module):
    def __init__(self):
        self.block = nn.ModuleList([Block() for _ in range(3)])
        self.final_layer_norm = nn.LayerNorm(8)
class Model(nn.Module):
    def __init__(self):
        self.encoder = Stack()
        self.decoder = Stack()
`;
    const stack = ["block.*.layer.0.layer_norm", "block.*.layer.1.layer_norm", "final_layer_norm"];
    const paths = ["encoder", "decoder"].flatMap((name) => stack.map((path) => `${name}.${path}`));
    const owners = ["SelfAttention.layer_norm", "FeedForward.layer_norm", "Stack.final_layer_norm"];
    expect(matched([file("t.py", text)], paths)).toEqual(
      paths.map((path, index) => `${path} ← t.py: ${owners[index % 3]!}`),
    );
  });

  it("knows what a class has from its base", () => {
    const text = `${models.huggingFace}
class OtherDecoderLayer(TinyDecoderLayer):
    pass
class OtherModel(TinyModel):
    def __init__(self, config):
        super().__init__(config)
        self.layers = nn.ModuleList([OtherDecoderLayer(config, i) for i in range(2)])
class OtherForCausalLM(TinyForCausalLM):
    def __init__(self, config):
        super().__init__(config)
        self.model = OtherModel(config)
`;
    expect(
      matched([file("m.py", text)], models.huggingFacePaths, ["OtherForCausalLM"]),
    ).toHaveLength(3);
  });

  it("ends on classes that contain or inherit themselves", () => {
    const text = `
from torch import nn
class A(A): pass
class B(C):
    def __init__(self):
        self.b = B(); self.c = C(); self.a = [B(), C(), B()]
        self.norm = nn.LayerNorm(8)
class C(B):
    def __init__(self):
        self.b = B(); self.c = nn.ModuleList([C() for _ in range(3)])
        self.ln_1 = nn.LayerNorm(8)
        x = [y, y]; y = [x, x]; self.x = x
`;
    expect(matched([file("m.py", text)], ["c.*.ln_1", "norm"])).toBeDefined();
  });

  it("has no matches without files, norms or code", () => {
    expect(matched([], models.huggingFacePaths)).toEqual([]);
    expect(matched([file("m.py", models.huggingFace)], [])).toEqual([]);
    expect(matched([file("m.py", "")], models.huggingFacePaths)).toEqual([]);
  });
});
