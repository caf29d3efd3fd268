"""A loop that appends, indented with tabs; the stack is drop-path rates zipped with widths."""
import torch
from torch import nn

SCALED = r'stages\.(\d+)\.(n1|n2)'


class Layer(nn.Module):
	def __init__(self, d, rate, *, heads = 2, layer_idx):
		super(Layer, self).__init__()
		self.rate = rate
		self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
		self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
		self.mix = nn.MultiheadAttention(d, heads, batch_first = True)
		self.up = nn.Linear(d, 4 * d)
		self.down = nn.Linear(4 * d, d)

	def forward(self, h):
		q = self.n1(h) * self.ln_scale
		a, _ = self.mix(q, q, q)
		h = h + (1 - self.rate) * a
		h = h + (1 - self.rate) * self.down(torch.relu(self.up(self.n2(h) * self.ln_scale)))
		return h


class Net(nn.Module):
	def __init__(self, d = 12, rates = (0.0, 0.1, 0.2)):
		super(Net, self).__init__()
		self.embed = nn.Embedding(25, d)
		self.stages = nn.ModuleList()
		for layer_idx, rate in enumerate(rates):
			self.stages.append(Layer(d, rate, layer_idx=layer_idx))
		self.out_norm = nn.LayerNorm(d)

	def forward(self, ids):
		h = self.embed(ids)
		for i in range(len(self.stages)):
			h = self.stages[i](h)
		return self.out_norm(h)


def build():
	return Net(), (torch.randint(25, (2, 6)),)
