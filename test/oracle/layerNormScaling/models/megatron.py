"""Megatron-LM's: layers are numbered from 1 and return what is added apart; a method builds each."""

import torch
import torch.nn as nn

SCALED = r"encoder\.layers\.(\d+)\.(input_layernorm|post_attention_layernorm)"


def bias_dropout_add(x, bias, residual, prob, training):
    if bias is not None:
        x = x + bias
    out = torch.nn.functional.dropout(x, p=prob, training=training)
    out = residual + out
    return out


def get_bias_dropout_add(training):
    def _bias_dropout_add(x, bias, residual, prob):
        return bias_dropout_add(x, bias, residual, prob, training)

    return _bias_dropout_add


class RowParallelLinear(nn.Module):
    def __init__(self, size_in, size_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size_out, size_in))
        self.bias = nn.Parameter(torch.empty(size_out))

    def forward(self, x):
        return torch.matmul(x, self.weight.t()), self.bias


class ParallelMLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense_h_to_4h = RowParallelLinear(config.hidden_size, 4 * config.hidden_size)
        self.dense_4h_to_h = RowParallelLinear(4 * config.hidden_size, config.hidden_size)

    def forward(self, hidden_states):
        intermediate_parallel, bias_parallel = self.dense_h_to_4h(hidden_states)
        intermediate_parallel = torch.nn.functional.gelu(intermediate_parallel + bias_parallel)
        output, output_bias = self.dense_4h_to_h(intermediate_parallel)
        return output, output_bias


class ParallelAttention(nn.Module):
    def __init__(self, config, layer_number):
        super().__init__()
        self.layer_number = max(1, layer_number)
        self.query_key_value = RowParallelLinear(config.hidden_size, 3 * config.hidden_size)
        self.dense = RowParallelLinear(config.hidden_size, config.hidden_size)

    def forward(self, hidden_states, attention_mask):
        mixed, bias = self.query_key_value(hidden_states)
        query, key, value = torch.chunk(mixed + bias, 3, dim=-1)
        context = torch.softmax(query @ key.transpose(-1, -2) + attention_mask, dim=-1) @ value
        output, bias = self.dense(context)
        return output, bias


class ParallelTransformerLayer(nn.Module):
    """A single transformer layer: [s, b, h] to the same."""

    def __init__(self, config, layer_number, drop_path_rate=0.0):
        super(ParallelTransformerLayer, self).__init__()
        self.layer_number = layer_number
        self.apply_residual_connection_post_layernorm = False
        self.input_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layernorm_epsilon)
        self.self_attention = ParallelAttention(config, layer_number)
        self.hidden_dropout = config.hidden_dropout
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layernorm_epsilon)
        self.mlp = ParallelMLP(config)

    def forward(self, hidden_states, attention_mask):
        layernorm_output = self.input_layernorm(hidden_states)
        attention_output, attention_bias = self.self_attention(layernorm_output, attention_mask)
        residual = hidden_states
        bias_dropout_add_func = get_bias_dropout_add(self.training)
        layernorm_input = bias_dropout_add_func(
            attention_output, attention_bias.expand_as(residual), residual, self.hidden_dropout
        )
        layernorm_output = self.post_attention_layernorm(layernorm_input)
        mlp_output, mlp_bias = self.mlp(layernorm_output)
        residual = layernorm_input
        output = bias_dropout_add_func(
            mlp_output, mlp_bias.expand_as(residual), residual, self.hidden_dropout
        )
        return output


class ParallelTransformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.num_layers = config.num_layers

        def build_layer(layer_number):
            return ParallelTransformerLayer(config, layer_number, drop_path_rate=0.0)

        offset = 0
        self.layers = torch.nn.ModuleList([build_layer(i + 1 + offset) for i in range(self.num_layers)])
        self.final_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layernorm_epsilon)

    def _get_layer(self, layer_number):
        return self.layers[layer_number]

    def forward(self, hidden_states, attention_mask):
        for index in range(self.num_layers):
            layer = self._get_layer(index)
            hidden_states = layer(hidden_states, attention_mask)
        return self.final_layernorm(hidden_states)


class GPTModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embedding = nn.Embedding(20, config.hidden_size)
        self.encoder = ParallelTransformer(config)

    def forward(self, input_ids):
        mask = torch.full((input_ids.shape[1],) * 2, -1e4, dtype=self.embedding.weight.dtype).triu(1)
        return self.encoder(self.embedding(input_ids), mask)


class Config:
    hidden_size, num_layers, layernorm_epsilon, hidden_dropout = 8, 3, 1e-5, 0.0


def build():
    return GPTModel(Config()), (torch.randint(20, (2, 5)),)
