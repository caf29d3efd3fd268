"""self by another name, norms in a list, a layer tried out below."""

import torch, torch.nn as nn
SCALED = r"net\.(\d+)\.norms\.\d+"


class Lyr(nn.Module):
    __slots__ = ()

    def __init__(this, width, *extra, act=nn.GELU, **kw):
        super().__init__()
        this.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2)])
        this.mix = nn.MultiheadAttention(width, 2, batch_first=True)
        this.ff = nn.Sequential(nn.Linear(width, width), act())

    def forward(this, inp):
        out = inp + this.mix(*[this.norms[0](inp)] * 3)[0]
        return this.ff(this.norms[1](out)) + out


class Net(nn.Module):
    def __init__(self, width=8, n=3):
        super().__init__()
        stuff = []
        for _ in range(n):
            stuff.append(Lyr(width, 1, 2))
        self.net = nn.Sequential(*stuff)
        self.last = nn.LayerNorm(width)

    def forward(self, x):
        return self.last(self.net(x))


def build():
    return Net(), (torch.randn(2, 5, 8),)


if __name__ == "__main__":
    b = Lyr(8)
    print(b(torch.randn(1, 2, 8)).shape)
