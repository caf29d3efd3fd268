import { describe, expect, it } from "vitest";
import { qualifiedName, selfName } from "../../../src/python/module";
import { read } from "./support/read";

describe("names of a file", () => {
  it.each([
    ["import torch", "torch.nn.LayerNorm", "torch.nn.LayerNorm"],
    ["import torch.nn", "torch.nn.LayerNorm", "torch.nn.LayerNorm"],
    ["import torch.nn as nn", "nn.LayerNorm", "torch.nn.LayerNorm"],
    ["from torch import nn", "nn.LayerNorm", "torch.nn.LayerNorm"],
    ["from torch.nn import (LayerNorm as LN, Linear)", "LN", "torch.nn.LayerNorm"],
    ["import torch.nn.functional as F", "F.layer_norm", "torch.nn.functional.layer_norm"],
    ["from . import norms", "norms.RMSNorm", ".norms.RMSNorm"],
    ["from ..layers import RMSNorm", "RMSNorm", "..layers.RMSNorm"],
    ["try:\n    from apex import A\nexcept ImportError:\n    from b import A", "A", "b.A"],
    ["if x:\n    import torch.nn as nn", "nn.X", "torch.nn.X"],
    ["import torch.nn as nn\nLN = nn.LayerNorm", "LN", "torch.nn.LayerNorm"],
    ["from torch import nn\nLN = partial(nn.LayerNorm, eps=1e-6)", "LN", "torch.nn.LayerNorm"],
    ["A = B\nB = A", "A.x", "A.x"],
    ["", "Block", "Block"],
  ])("%j: %s is %s", (imports, name, meaning) => {
    expect(qualifiedName(read(imports), name)).toBe(meaning);
  });
});

describe("classes and functions of a file", () => {
  it("are found with their bases, methods and parameters", () => {
    const text = `
@dataclass
class Config:
    n_layer: int = 12
    name = "x"

class Block(nn.Module, Generic[T], metaclass=M):
    def __init__(this, config: Config, *args, layer_idx: int = 0, **kwargs):
        super().__init__()
    @property
    def a(self): pass
    @nn.compact
    @jit(static=True)
    def b(self, x, /, y, *, z): pass
`;
    const [config, block] = read(text).classes;
    expect(config!.fields.map(({ name, value }) => [name, value?.text])).toEqual([
      ["n_layer", "12"],
      ["name", '"x"'],
    ]);
    expect(block!.bases).toEqual(["nn.Module", "Generic"]);
    const [init, a, b] = block!.methods;
    expect(selfName(init!)).toBe("this");
    expect(
      init!.parameters.map(({ name, kind, annotation, default: value }) => [
        name,
        kind,
        annotation?.text,
        value?.text,
      ]),
    ).toEqual([
      ["this", "positional", undefined, undefined],
      ["config", "positional", "Config", undefined],
      ["args", "variadic", undefined, undefined],
      ["layer_idx", "keywordOnly", "int", "0"],
      ["kwargs", "keywords", undefined, undefined],
    ]);
    expect(a!.decorators).toEqual(["property"]);
    expect(b!.decorators).toEqual(["nn.compact", "jit"]);
    expect(b!.parameters.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "self positional",
      "x positional",
      "y positional",
      "z keywordOnly",
    ]);
  });

  it("are found inside conditions, functions and classes", () => {
    const text = `
if x:
    class A:
        class B: pass
else:
    def make():
        class C: pass
`;
    const { classes, functions } = read(text);
    expect(classes.map(({ name }) => name)).toEqual(["A", "B", "C"]);
    expect(functions.map(({ name }) => name)).toEqual(["make"]);
  });

  it("know what their methods make part of the object", () => {
    const text = `
class A:
    def __init__(self):
        self.a = 1
        self.b: int = 2
        if x:
            self.c = 3
        for i in range(3):
            self.d.append(4)
        self.e += [5]
        self.f["g"] = 6
        self.h[i] = 7
        self.add_module("j", 8)
        self.k, self.l = 9, 10
        self.m = self.n = 11
        other.o = 12
    def build(me):
        me.p = 13
`;
    const [definition] = read(text).classes;
    expect(
      definition!.attributes.map(({ path, value, how, method, isConditional, loops }) =>
        [path.join("."), value.text, how, method, isConditional, loops.length].join(" "),
      ),
    ).toEqual([
      "a 1 assigned __init__ false 0",
      "b 2 assigned __init__ false 0",
      "c 3 assigned __init__ true 0",
      "d.* 4 appended __init__ false 1",
      "e [5] extended __init__ false 0",
      "f.g 6 assigned __init__ false 0",
      "h.* 7 assigned __init__ false 0",
      "j 8 registered __init__ false 0",
      "k 9 assigned __init__ false 0",
      "l 10 assigned __init__ false 0",
      "n 11 assigned __init__ false 0",
      "m 11 assigned __init__ false 0",
      "p 13 assigned build false 0",
    ]);
  });
});
