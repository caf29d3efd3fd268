"""A subclass of nn.TransformerEncoder over a subclass of its layer, with tabs."""

import torch
import torch.nn as nn
SCALED = r"layers\.(\d+)\.norm[12]"


class PreNormLayer(nn.TransformerEncoderLayer):
	"""Tabs here."""
	def __init__(self, d_model, nhead, **kw):
		super().__init__(d_model, nhead, dim_feedforward=16, dropout=0.0, batch_first=True, norm_first=True)

	def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
		src = src + self._sa_block(self.norm1(src), src_mask, src_key_padding_mask, is_causal=is_causal)
		src = src + self._ff_block(self.norm2(src))
		return src


class MyEncoder(nn.TransformerEncoder):
	def __init__(self, d, n):
		super().__init__(PreNormLayer(d, 2), num_layers=n, norm=nn.LayerNorm(d), enable_nested_tensor=False)
		self.n = n


def build():
	return MyEncoder(8, 3), (torch.randn(2, 5, 8),)
