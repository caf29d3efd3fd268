/** Models in the styles in which people write them, each as short as its style allows. */

export const huggingFace = `
import torch
from torch import nn
from ...modeling_utils import PreTrainedModel

class TinyRMSNorm(nn.Module):
    def __init__(self, hidden_size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))

class TinyAttention(nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.q_norm = TinyRMSNorm(config.head_dim)

class TinyDecoderLayer(nn.Module):
    def __init__(self, config, layer_idx: int):
        super().__init__()
        self.self_attn = TinyAttention(config=config, layer_idx=layer_idx)
        self.input_layernorm = TinyRMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.post_attention_layernorm = TinyRMSNorm(config.hidden_size, eps=config.rms_norm_eps)

class TinyModel(PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.layers = nn.ModuleList(
            [TinyDecoderLayer(config, layer_idx) for layer_idx in range(config.num_hidden_layers)]
        )
        self.norm = TinyRMSNorm(config.hidden_size, eps=config.rms_norm_eps)

class TinyForCausalLM(PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.model = TinyModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
`;

export const huggingFacePaths = [
  "model.layers.*.input_layernorm",
  "model.layers.*.post_attention_layernorm",
  "model.norm",
];

export const nanoGpt = `
import torch.nn as nn
from torch.nn import functional as F

class LayerNorm(nn.Module):
    """LayerNorm with an optional bias"""
    def __init__(self, ndim, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(ndim))

    def forward(self, input):
        return F.layer_norm(input, self.weight.shape, self.weight, self.bias, 1e-5)

class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1 = LayerNorm(config.n_embd, bias=config.bias)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = LayerNorm(config.n_embd, bias=config.bias)

class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.transformer = nn.ModuleDict(dict(
            wte = nn.Embedding(config.vocab_size, config.n_embd),
            drop = nn.Dropout(config.dropout),
            h = nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
            ln_f = LayerNorm(config.n_embd, bias=config.bias),
        ))
`;

export const nanoGptPaths = ["transformer.h.*.ln_1", "transformer.h.*.ln_2", "transformer.ln_f"];

export const torchtitan = `
import torch
from torch import nn

class TransformerBlock(nn.Module):
    def __init__(self, layer_id: int, model_args):
        super().__init__()
        self.attention_norm = nn.RMSNorm(model_args.dim, eps=model_args.norm_eps)
        self.ffn_norm = nn.RMSNorm(model_args.dim, eps=model_args.norm_eps)

class Transformer(nn.Module):
    def __init__(self, model_args):
        super().__init__()
        self.layers = torch.nn.ModuleDict()
        for layer_id in range(model_args.n_layers):
            self.layers[str(layer_id)] = TransformerBlock(layer_id, model_args)
        self.norm = nn.RMSNorm(model_args.dim, eps=model_args.norm_eps)
`;

export const timm = `
from functools import partial
import torch.nn as nn

class LayerScale(nn.Module):
    pass

class Block(nn.Module):
    def __init__(self, dim, act_layer=nn.GELU, norm_layer=nn.LayerNorm):
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.ls1 = LayerScale(dim)
        self.norm2 = norm_layer(dim)

class VisionTransformer(nn.Module):
    def __init__(self, depth=12, norm_layer=None, block_fn=Block, pre_norm=False, final_norm=True):
        super().__init__()
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.norm_pre = norm_layer(dim) if pre_norm else nn.Identity()
        self.blocks = nn.Sequential(*[
            block_fn(dim=dim, norm_layer=norm_layer) for i in range(depth)])
        self.norm = norm_layer(dim) if final_norm else nn.Identity()
`;

export const wrappers = `
from torch import nn

class PreNorm(nn.Module):
    def __init__(self, dim, fn):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fn = fn

    def forward(self, x, **kwargs):
        return self.fn(self.norm(x), **kwargs)

class FeedForward(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(dim, dim), nn.LayerNorm(dim), nn.GELU())

class Transformer(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([])
        for _ in range(depth):
            self.layers.append(nn.ModuleList([
                PreNorm(dim, Attention(dim)),
                PreNorm(dim, FeedForward(dim)),
            ]))
`;

export const allStyles = { huggingFace, nanoGpt, torchtitan, timm, wrappers };
