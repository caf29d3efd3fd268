"""DeepSpeed's pipeline: layers are described, and made elsewhere from the descriptions."""

import torch.nn as nn
from deepspeed.pipe import LayerSpec, PipelineModule

REASON = "unclear-construction"


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.ff = nn.Linear(dim, dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        x = x + self.ff(self.norm2(x))
        return x


class GPTPipe(PipelineModule):
    def __init__(self, dim, depth):
        self.specs = [LayerSpec(nn.Embedding, 20, dim)]
        for _ in range(depth):
            self.specs.append(LayerSpec(Block, dim))
        self.specs.append(LayerSpec(nn.LayerNorm, dim))
        super().__init__(layers=self.specs)
