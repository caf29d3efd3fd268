"""Remote code of the Hub: keyword-only index, gradient checkpointing, a tuple of outputs, a cache."""

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

SCALED = r"model\.layers\.(\d+)\.(ln_attn|ln_mlp)"


class Norm(nn.Module):
    def __init__(self, hidden_size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.variance_epsilon = eps

    def forward(self, hidden_states):
        input_dtype = hidden_states.dtype
        variance = hidden_states.pow(2).mean(-1, keepdim=True)
        hidden_states = hidden_states * torch.rsqrt(variance + self.variance_epsilon)
        return self.weight * hidden_states.to(input_dtype)


class Attention(nn.Module):
    def __init__(self, config, *, layer_idx=None):
        super().__init__()
        self.layer_idx = layer_idx
        self.proj = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden_states, past_key_values=None, **kwargs):
        if past_key_values is not None:
            hidden_states = past_key_values.update(hidden_states, self.layer_idx)
        return self.proj(hidden_states).cumsum(1), None


class DecoderLayer(nn.Module):
    def __init__(self, config, *, layer_idx):
        super().__init__()
        self.attn = Attention(config, layer_idx=layer_idx)
        self.mlp = nn.Sequential(
            nn.Linear(config.hidden_size, 16), nn.SiLU(), nn.Linear(16, config.hidden_size)
        )
        self.ln_attn = Norm(config.hidden_size)
        self.ln_mlp = Norm(config.hidden_size)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling

    def forward(self, hidden_states, output_attentions=False, **kwargs):
        residual, hidden_states = hidden_states, self.ln_attn(hidden_states) * self.ln_scale
        hidden_states, weights = self.attn(hidden_states=hidden_states, **kwargs)
        hidden_states = residual + hidden_states

        residual, hidden_states = hidden_states, self.ln_mlp(hidden_states) * self.ln_scale
        hidden_states = self.mlp(hidden_states)
        hidden_states = residual + hidden_states

        outputs = (hidden_states,)
        if output_attentions:
            outputs += (weights,)
        return outputs


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed = nn.Embedding(20, config.hidden_size)
        self.layers = nn.ModuleList(
            DecoderLayer(config, layer_idx=idx) for idx in range(config.num_hidden_layers)
        )
        self.norm = Norm(config.hidden_size)
        self.gradient_checkpointing = True

    def forward(self, input_ids, output_hidden_states=False):
        hidden_states = self.embed(input_ids)
        all_hidden_states = () if output_hidden_states else None
        for decoder_layer in self.layers:
            if output_hidden_states:
                all_hidden_states += (hidden_states,)
            if self.gradient_checkpointing and self.training:
                layer_outputs = checkpoint(decoder_layer.__call__, hidden_states, use_reentrant=False)
            else:
                layer_outputs = decoder_layer(hidden_states)
            hidden_states = layer_outputs[0]
        return self.norm(hidden_states)


class ForCausalLM(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.model = Model(config)
        self.lm_head = nn.Linear(config.hidden_size, 20, bias=False)

    def forward(self, input_ids):
        return self.lm_head(self.model(input_ids))


class Config:
    hidden_size, num_hidden_layers = 8, 3


def build():
    return ForCausalLM(Config()), (torch.randint(20, (2, 5)),)
