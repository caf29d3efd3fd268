"""GPT-J's parallel block (one norm feeds both sublayers) and NeoX's (one norm for each)."""
import torch
import torch.nn as nn

SCALED = r"(?:joint|split)\.(\d+)\.(ln_1|input_layernorm|post_attention_layernorm)"


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return self.out((q @ k.mT).softmax(-1) @ v)


class JointBlock(nn.Module):
    def __init__(self, width, layer_idx):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.attn = Attention(width)
        self.mlp = nn.Linear(width, width)

    def forward(self, hidden_states):
        residual = hidden_states
        hidden_states = self.ln_1(hidden_states) * self.ln_scale
        attn_output = self.attn(hidden_states)
        feed_forward_hidden_states = self.mlp(hidden_states)
        return attn_output + feed_forward_hidden_states + residual


class SplitBlock(nn.Module):
    def __init__(self, width, use_parallel_residual=True, *, layer_idx):
        super().__init__()
        self.use_parallel_residual = use_parallel_residual
        self.input_layernorm = nn.LayerNorm(width)
        self.post_attention_layernorm = nn.LayerNorm(width)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.attention = Attention(width)
        self.mlp = nn.Linear(width, width)

    def forward(self, x):
        attn = self.attention(self.input_layernorm(x) * self.ln_scale)
        if self.use_parallel_residual:
            # x = x + attn(ln1(x)) + mlp(ln2(x))
            return self.mlp(self.post_attention_layernorm(x) * self.ln_scale) + attn + x
        attn = attn + x
        return self.mlp(self.post_attention_layernorm(attn) * self.ln_scale) + attn


class Model(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.embed = nn.Embedding(20, width)
        self.joint = nn.ModuleList([JointBlock(width, layer_idx=i) for i in range(3)])
        self.split = nn.ModuleList([SplitBlock(width, use_parallel_residual=i > 0, layer_idx=i) for i in range(3)])
        self.ln_f = nn.LayerNorm(width)

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.joint:
            x = block(x)
        y = self.embed(tokens)
        for block in self.split:
            y = block(y)
        return self.ln_f(x + y)


def build():
    return Model(), (torch.randint(20, (2, 6)),)
