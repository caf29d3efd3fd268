"""A flag is asked again before and after each sublayer."""

import torch
import torch.nn as nn
SCALED = r"layers\.(\d+)\.(self_attn_layer_norm|final_layer_norm)"


class Layer(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.embed_dim = args.dim
        self.self_attn = nn.MultiheadAttention(self.embed_dim, 2, batch_first=True)
        self.self_attn_layer_norm = nn.LayerNorm(self.embed_dim)
        self.dropout_module = nn.Dropout(0.0)
        self.normalize_before = args.normalize_before
        self.fc1 = nn.Linear(self.embed_dim, 16)
        self.fc2 = nn.Linear(16, self.embed_dim)
        self.final_layer_norm = nn.LayerNorm(self.embed_dim)

    def residual_connection(self, x, residual):
        return residual + x

    def forward(self, x, encoder_padding_mask=None, attn_mask=None):
        if attn_mask is not None:
            attn_mask = attn_mask.masked_fill(attn_mask.to(torch.bool), -1e8)
        residual = x
        if self.normalize_before:
            x = self.self_attn_layer_norm(x)
        x, _ = self.self_attn(query=x, key=x, value=x, key_padding_mask=encoder_padding_mask, need_weights=False)
        x = self.dropout_module(x)
        x = self.residual_connection(x, residual)
        if not self.normalize_before:
            x = self.self_attn_layer_norm(x)

        residual = x
        if self.normalize_before:
            x = self.final_layer_norm(x)
        x = torch.relu(self.fc1(x))
        x = self.fc2(x)
        x = self.residual_connection(x, residual)
        if not self.normalize_before:
            x = self.final_layer_norm(x)
        return x


class Encoder(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.embed = nn.Embedding(20, args.dim)
        self.layers = nn.ModuleList([])
        self.layers.extend([self.build_encoder_layer(args) for i in range(args.layers)])
        self.layer_norm = nn.LayerNorm(args.dim) if args.normalize_before else None

    def build_encoder_layer(self, args):
        layer = Layer(args)
        return layer

    def forward(self, t):
        x = self.embed(t)
        for layer in self.layers:
            x = layer(x)
        if self.layer_norm is not None:
            x = self.layer_norm(x)
        return x


class Args: dim = 8; normalize_before = True; layers = 3


def build():
    return Encoder(Args()), (torch.randint(20, (2, 5)),)


WARNS = ["Post-LN"]
