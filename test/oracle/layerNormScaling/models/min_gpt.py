"""minGPT's style: the feed-forward is a ModuleDict behind a lambda, the blocks a ModuleList."""
import torch
import torch.nn as nn

SCALED = r"transformer\.h\.(\d+)\.ln_[12]"


class NewGELU(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1.0 + torch.tanh(0.8 * (x + 0.044715 * torch.pow(x, 3.0))))


class SelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c_attn = nn.Linear(config["n_embd"], 3 * config["n_embd"])
        self.c_proj = nn.Linear(config["n_embd"], config["n_embd"])

    def forward(self, x):
        q, k, v = self.c_attn(x).split(x.size(-1), dim=2)
        att = (q @ k.transpose(-2, -1)).softmax(-1)
        return self.c_proj(att @ v)


class Block(nn.Module):
    """ an unassuming Transformer block """

    def __init__(self, config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config["n_embd"])
        self.attn = SelfAttention(config)
        self.ln_2 = nn.LayerNorm(config["n_embd"])
        self.mlp = nn.ModuleDict(dict(
            c_fc    = nn.Linear(config["n_embd"], 4 * config["n_embd"]),
            c_proj  = nn.Linear(4 * config["n_embd"], config["n_embd"]),
            act     = NewGELU(),
            dropout = nn.Dropout(config["resid_pdrop"]),
        ))
        m = self.mlp
        self.mlpf = lambda x: m.dropout(m.c_proj(m.act(m.c_fc(x)))) # MLP forward

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlpf(self.ln_2(x))
        return x


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(config["vocab_size"], config["n_embd"]),
            h=nn.ModuleList([Block(config) for _ in range(config["n_layer"])]),
            ln_f=nn.LayerNorm(config["n_embd"]),
        ))
        self.lm_head = nn.Linear(config["n_embd"], config["vocab_size"], bias=False)

    def forward(self, idx):
        x = self.transformer.wte(idx)
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


def build():
    config = dict(n_embd=12, n_layer=3, vocab_size=30, resid_pdrop=0.0)
    return GPT(config), (torch.randint(30, (2, 6)),)


# The lambda captures the layer it was made in, so a deep copy shares its feed-forward.
COPIES = False
