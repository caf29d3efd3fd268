"""The newer style of transformers: the layer already has `layer_idx`, and gradient checkpointing."""
import torch
import torch.utils.checkpoint
from torch import nn

SCALED = r"layers\.(\d+)\.(input_layernorm|post_attention_layernorm)"


class TaleConfig:
    def __init__(self, vocab_size=40, hidden_size=16, num_hidden_layers=4):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers


class TaleAttention(nn.Module):
    def __init__(self, config: TaleConfig, layer_idx: int):
        super().__init__()
        self.layer_idx = layer_idx
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.out = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden_states):
        q, k, v = self.qkv(hidden_states).chunk(3, dim=-1)
        return self.out(nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)), None


class TaleDecoderLayer(nn.Module):
    def __init__(self, config: TaleConfig, layer_idx: int):
        super().__init__()
        self.self_attn = TaleAttention(config=config, layer_idx=layer_idx)
        self.mlp = nn.Sequential(
            nn.Linear(config.hidden_size, 32), nn.GELU(), nn.Linear(32, config.hidden_size)
        )
        self.input_layernorm = nn.RMSNorm(config.hidden_size)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size)

    def forward(self, hidden_states, **kwargs):
        residual = hidden_states
        hidden_states = self.input_layernorm(hidden_states)
        hidden_states, _ = self.self_attn(hidden_states, **kwargs)
        hidden_states = residual + hidden_states
        residual = hidden_states
        hidden_states = self.post_attention_layernorm(hidden_states)
        hidden_states = self.mlp(hidden_states)
        hidden_states = residual + hidden_states
        return hidden_states


class TaleModel(nn.Module):
    _can_record_outputs = {"hidden_states": TaleDecoderLayer, "attentions": TaleAttention}

    def __init__(self, config: TaleConfig):
        super().__init__()
        self.config = config
        self.gradient_checkpointing = True
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            [TaleDecoderLayer(config, layer_idx) for layer_idx in range(config.num_hidden_layers)]
        )
        self.norm = nn.RMSNorm(config.hidden_size)

    def forward(self, input_ids):
        hidden_states = self.embed_tokens(input_ids)
        for decoder_layer in self.layers[: self.config.num_hidden_layers]:
            if self.gradient_checkpointing and self.training:
                hidden_states = torch.utils.checkpoint.checkpoint(
                    decoder_layer.__call__, hidden_states, use_reentrant=False
                )
            else:
                hidden_states = decoder_layer(hidden_states)
        return self.norm(hidden_states)


def build():
    return TaleModel(TaleConfig()), (torch.randint(40, (2, 5)),)
