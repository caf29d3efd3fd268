import { describe, expect, it } from "vitest";
import { normSites } from "../../../src/python/normSites";
import * as models from "./support/models";
import { read, sitesOf } from "./support/read";

/** A class with these lines in its constructor. */
const inConstructor = (...lines: string[]): string =>
  [
    "import torch",
    "from torch import nn",
    "class Block(nn.Module):",
    "    def __init__(self, config, norm_layer, norm):",
    ...lines.map((line) => `        ${line}`),
  ].join("\n");

describe("norm sites", () => {
  it("are found in Hugging Face style, and not inside the norm class", () => {
    expect(sitesOf(models.huggingFace)).toEqual([
      "TinyAttention.q_norm = TinyRMSNorm (rms, constructed)",
      "TinyDecoderLayer.input_layernorm = TinyRMSNorm (rms, constructed)",
      "TinyDecoderLayer.post_attention_layernorm = TinyRMSNorm (rms, constructed)",
      "TinyModel.norm = TinyRMSNorm (rms, constructed)",
    ]);
  });

  it("are found in nanoGPT style, through ModuleDict", () => {
    expect(sitesOf(models.nanoGpt)).toEqual([
      "Block.ln_1 = LayerNorm (layer, constructed)",
      "Block.ln_2 = LayerNorm (layer, constructed)",
      "GPT.transformer.ln_f = LayerNorm (layer, constructed)",
    ]);
  });

  it("are found in torchtitan style", () => {
    expect(sitesOf(models.torchtitan)).toEqual([
      "TransformerBlock.attention_norm = nn.RMSNorm (rms, constructed)",
      "TransformerBlock.ffn_norm = nn.RMSNorm (rms, constructed)",
      "Transformer.norm = nn.RMSNorm (rms, constructed)",
    ]);
  });

  it("are found in timm style, where a parameter holds the class", () => {
    expect(sitesOf(models.timm)).toEqual([
      "Block.norm1 = norm_layer (layer, constructed)",
      "Block.norm2 = norm_layer (layer, constructed)",
      "VisionTransformer.norm_pre = norm_layer (layer, constructed)",
      "VisionTransformer.norm = norm_layer (layer, constructed)",
    ]);
  });

  it("of a wrapper are in the wrapper, not where the wrapper is constructed", () => {
    expect(sitesOf(models.wrappers)).toEqual([
      "PreNorm.norm = nn.LayerNorm (layer, constructed)",
      "FeedForward.net.1 = nn.LayerNorm (layer, constructed)",
    ]);
  });

  it("are found in a subclass of TransformerEncoderLayer", () => {
    const text = `
from torch.nn import LayerNorm as LN, TransformerEncoderLayer
class Layer(TransformerEncoderLayer):
    def __init__(self, d_model, nhead):
        super().__init__(d_model, nhead, norm_first=True)
        self.norm1 = LN(d_model)
    def forward(self, src):
        return src + self._sa_block(self.norm1(src))
`;
    expect(sitesOf(text)).toEqual(["Layer.norm1 = LN (layer, constructed)"]);
  });

  it("are found in Flax linen, named and numbered", () => {
    const text = `
import flax.linen as nn
class Block(nn.Module):
    @nn.compact
    def __call__(self, x):
        y = nn.LayerNorm(name="ln_1")(x)
        y = nn.RMSNorm()(y)
        y = nn.LayerNorm()(y)
        return nn.LayerNorm()(y)
class Other(nn.Module):
    def setup(self):
        self.ln = nn.LayerNorm()
`;
    expect(sitesOf(text)).toEqual([
      "Block.ln_1 = nn.LayerNorm (layer, constructed)",
      "Block.RMSNorm_0 = nn.RMSNorm (rms, constructed)",
      "Block.LayerNorm_0 = nn.LayerNorm (layer, constructed)",
      "Block.LayerNorm_1 = nn.LayerNorm (layer, constructed)",
      "Other.ln = nn.LayerNorm (layer, constructed)",
    ]);
  });

  it.each([
    ["from flax import nnx", "nnx.LayerNorm(dim, rngs=rngs)", "layer"],
    ["import equinox as eqx", "eqx.nn.LayerNorm(dim)", "layer"],
    ["import equinox as eqx", "eqx.nn.RMSNorm(dim)", "rms"],
    ["from tensorflow.keras import layers", "layers.LayerNormalization(epsilon=1e-6)", "layer"],
    ["import keras", "keras.layers.RMSNormalization()", "rms"],
    ["import apex", "apex.normalization.FusedLayerNorm(dim)", "layer"],
    ["import transformer_engine.pytorch as te", "te.RMSNorm(dim)", "rms"],
    ["from .norms import Norm", "Norm(dim)", "unknown"],
    ["from .norms import _Rmsnorm", "_Rmsnorm(dim)", "rms"],
    ["from .norms import T5LayerNorm", "T5LayerNorm(dim)", "rms"],
    ["from .norms import LayerNorm", "LayerNorm.build(config)", "layer"],
    ["from .norms import build_norm", "build_norm(config)", "unknown"],
    ["from torch import nn", "nn.LayerNorm(dim).to(device)", "layer"],
    ["from torch import nn", "torch.compile(nn.LayerNorm(dim))", "layer"],
    ["from torch import nn", "(nn.LayerNorm(dim))", "layer"],
    ["norms = {}", "norms_of(config)['LayerNorm']()", undefined],
    ["from torch import nn\nLN = nn.LayerNorm", "LN(dim)", "layer"],
    ["from torch import nn\nMyNorm2 = partial(nn.RMSNorm, eps=1)", "MyNorm2(dim)", "rms"],
    ["class Scaled(torch.nn.LayerNorm): pass", "Scaled(dim)", "unknown"],
    ["class A(nn.RMSNorm): pass\nclass B(A): pass", "B(dim)", "unknown"],
    ["from torch import nn", "config.norm_class(dim)", "unknown"],
    ["from torch import nn", "nn.GroupNorm(4, dim)", "unknown"],
    ["from .norms import GroupRMSNorm", "GroupRMSNorm(dim)", "rms"],
    ["from .norms import GroupLayerNorm", "GroupLayerNorm(dim)", "layer"],
    ["from .norms import WeightFreeLayerNorm", "WeightFreeLayerNorm(dim)", "layer"],
    ["from .norms import SyncedRMSNorm", "SyncedRMSNorm(dim)", "rms"],
    ["from .norms import UnitNorm", "UnitNorm(dim)", "unknown"],
    ["class GroupRMSNorm(Module): pass", "GroupRMSNorm(dim)", "rms"],
    ["from .norms import group_norm", "group_norm(config)", "unknown"],
    ["from torch import nn", "self.make_norm(dim)", "unknown"],
  ])("%s: %s", (imports, construction, kind) => {
    const text = `${imports}\nclass Layer(Module):\n    def __init__(self, dim):\n        self.x = ${construction}\n`;
    const sites = normSites(read(text));
    expect(sites.map((site) => site.kind)).toEqual(kind === undefined ? [] : [kind]);
    for (const { owner, attribute } of sites)
      expect([owner?.name, attribute]).toEqual(["Layer", "x"]);
  });

  it.each([
    "self.x = nn.BatchNorm1d(4)",
    "self.x = nn.SyncBatchNorm(4)",
    "self.x = nn.InstanceNorm(4)",
    "self.x = BatchNorm(4)",
    "self.x = FrozenBatchNorm(4)",
    "self.x = WeightNorm(nn.Linear(4, 4))",
    "self.x = weight_norm(nn.Linear(4, 4))",
    "self.x = batch_norm(config)",
    "self.x = nn.utils.spectral_norm(nn.Linear(4, 4))",
    "self.x = torch.norm(y)",
    "self.x = y.norm()",
    "self.x = torch.linalg.vector_norm(y)",
    "self.x = compute_grad_norm(y)",
    "self.x = clip_grad_norm_(y, 1.0)",
    "self.x = self.final_norm(y)",
    "self.x = config.layer_norm_eps",
    "self.x = nn.LayerNorm",
    "self.x = 'nn.LayerNorm(4)'  # nn.LayerNorm(4)",
    "self.x = layers.Normalization()",
  ])("are none in %s", (line) => {
    expect(sitesOf("from keras import layers\n" + inConstructor(line))).toEqual([]);
  });

  it.each([
    ["self.norms = nn.ModuleList([nn.LayerNorm(4) for _ in range(3)])", ["norms.*"]],
    ["self.norms = nn.ModuleList([nn.LayerNorm(4), nn.LayerNorm(8)])", ["norms.0", "norms.1"]],
    ["self.net = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))", ["net.1"]],
    [
      "self.net = nn.Sequential(OrderedDict([('a', nn.Linear(4, 4)), ('ln', nn.LayerNorm(4))]))",
      ["net.ln"],
    ],
    ["self.d = nn.ModuleDict({'ln': nn.LayerNorm(4), **more})", ["d.ln"]],
    ["self.d = nn.ModuleDict([['ln', nn.LayerNorm(4)]])", ["d.ln"]],
    ["self.d = nn.ModuleDict({str(i): nn.LayerNorm(4) for i in range(3)})", ["d.*"]],
    ["self.ln = nn.LayerNorm(4) if config.a else nn.RMSNorm(4)", ["ln", "ln"]],
    ["self.a = self.b = nn.LayerNorm(4)", ["b"]],
    ["self.a, self.b = nn.LayerNorm(4), nn.LayerNorm(4)", ["a", "b"]],
    ["self.ln: nn.Module = nn.LayerNorm(4)", ["ln"]],
    ["self.add_module('ln', nn.LayerNorm(4))", ["ln"]],
    ["setattr(self, 'ln', nn.LayerNorm(4))", ["ln"]],
    ["setattr(self, f'ln_{i}', nn.LayerNorm(4))", ["*"]],
    [
      "self.ls = []; self.ls.append(nn.LayerNorm(4)); self.ls.append(nn.RMSNorm(4))",
      ["ls.0", "ls.1"],
    ],
    ["self.ls = clones(nn.LayerNorm(4), 6)", ["ls.*"]],
    ["self.ls = nn.ModuleList([nn.LayerNorm(4)] * 3)", ["ls.*"]],
    ["ls = [nn.LayerNorm(4)]; self.ls = nn.ModuleList(ls)", ["ls.0"]],
    ["ln = nn.LayerNorm(4); self.ln = ln", ["ln"]],
    ["self.ln = norm(4)", ["ln"]],
    ["self.transformer.ln_f = nn.LayerNorm(4)", ["transformer.ln_f"]],
    ["self.m['ln_f'] = nn.LayerNorm(4)", ["m.ln_f"]],
  ])("have the attribute of %s", (line, attributes) => {
    const sites = normSites(read(inConstructor(...line.split("; "))));
    expect(sites.map(({ attribute }) => attribute)).toEqual(attributes);
  });

  it("are also calls of functions, with the weight they scale by", () => {
    const text = `
import torch, torch.nn.functional as F
from torch.nn.functional import rms_norm
class Block:
    def forward(self, x):
        x = F.layer_norm(x, (self.dim,), self.ln1_weight, self.ln1_bias)
        x = torch.layer_norm(x, (8,), weight=self.ln2.weight)
        return rms_norm(x, (x.size(-1),))
def norm(x):
    return F.rms_norm(x, (x.size(-1),))
`;
    expect(sitesOf(text)).toEqual([
      "Block.ln1_weight = F.layer_norm (layer, called)",
      "Block.ln2 = torch.layer_norm (layer, called)",
      "Block.? = rms_norm (rms, called)",
      "-.? = F.rms_norm (rms, called)",
    ]);
  });

  it("say where they are, counted in UTF-16 code units", () => {
    const text =
      '# 😀 é\nx = "😀"\nclass B:\n    def __init__(self):\n        self.ln = nn.LayerNorm(4)  # 😀\n';
    const [site] = normSites(read(text));
    expect(text.slice(site!.node.start, site!.node.end)).toBe("nn.LayerNorm(4)");
  });

  it("of a class stay while another class is broken", () => {
    const broken = models.nanoGpt.replace(
      "self.attn = CausalSelfAttention(config)",
      "self.attn = (",
    );
    expect(sitesOf(broken)).toContain("GPT.transformer.ln_f = LayerNorm (layer, constructed)");
  });
});
