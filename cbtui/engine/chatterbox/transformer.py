"""The transformers of T3, computed over the library's own weights.

What the library's modules compute, without what decoding does not need: no cache classes, no masks over what is
visible anyway, no hooks. The products read packed weights; norms, rotation, attention and the sum of the layers stay
in float32 whatever the products are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn import functional

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.attention import Attention
from cbtui.engine.chatterbox.layer_weights import LayerWeights
from cbtui.engine.chatterbox.products import Product, product_dtype

# `T3Config`: 2048 text tokens and 4096 speech tokens, and what stands before them.
_MOST_POSITIONS = 8196


class Transformer(Protocol):
    """A stack of layers and the head that gives the logits of speech tokens."""

    layers: int
    heads: int
    head_size: int

    def run(self, hidden: torch.Tensor, positions: torch.Tensor, attend: Attention) -> torch.Tensor:
        """Shape [n, dim] to [n, dim], float32, for n positions of any sequences; `positions` has shape [n]."""
        ...

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Shape [n, dim] as `run` gave it, to [n, tokens], float32."""
        ...


def make_transformer(t3: Any, precision: Precision) -> Transformer:
    """The transformer of a T3 on its device: the english and multilingual models are Llamas, turbo is a GPT-2."""
    with torch.inference_mode():
        return Gpt2(t3, precision) if t3.is_gpt else Llama(t3, precision)


@dataclass(frozen=True, slots=True)
class _LlamaLayer:
    attention_norm: torch.Tensor
    qkv: Product
    output: Product
    mlp_norm: torch.Tensor
    gate: Product
    up: Product
    down: Product


class Llama:
    """`LlamaModel` with the rotary embedding of its configuration, and T3's speech head."""

    def __init__(self, t3: Any, precision: Precision) -> None:
        config, self._dtype = t3.cfg, product_dtype(precision)
        self.layers, self.heads, self.head_size = (
            config.num_hidden_layers,
            config.num_attention_heads,
            config.head_dim,
        )
        if config.num_key_value_heads != self.heads:
            raise ValueError("grouped keys and values are not what the released models have")
        self._eps = config.rms_norm_eps
        read = LayerWeights(t3, self._dtype)
        self._stack = [self._layer(layer, f"tfmr.layers.{n}", read) for n, layer in enumerate(t3.tfmr.layers)]
        self._norm = t3.tfmr.norm.weight.detach()
        # Not in bfloat16 for `fast`: the logits decide the draws.
        self._head = Product(t3.speech_head.weight, t3.speech_head.bias, dtype=torch.float32)
        every = torch.arange(_MOST_POSITIONS, device=t3.device)
        cos, sin = t3.tfmr.rotary_emb(self._norm, every[None])
        self._cos, self._sin = cos[0], _signed(sin[0])

    def _layer(self, layer: Any, name: str, read: LayerWeights) -> _LlamaLayer:
        def product(*weights: str) -> Product:
            return Product(read(*(f"{name}.{weight}.weight" for weight in weights)), dtype=self._dtype)

        return _LlamaLayer(
            layer.input_layernorm.weight.detach(),
            product("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            product("self_attn.o_proj"),
            layer.post_attention_layernorm.weight.detach(),
            product("mlp.gate_proj"),
            product("mlp.up_proj"),
            product("mlp.down_proj"),
        )

    def run(self, hidden: torch.Tensor, positions: torch.Tensor, attend: Attention) -> torch.Tensor:
        count = hidden.size(0)
        cos, sin = self._cos[positions][:, None], self._sin[positions][:, None]
        hidden = hidden.clone()
        for number, layer in enumerate(self._stack):
            normed = self._normed(hidden, layer.attention_norm)
            heads = layer.qkv(normed).float().view(count, 3, self.heads, self.head_size)
            queries_keys = _rotate(heads[:, :2].reshape(count, -1, self.head_size), cos, sin)
            mixed = attend(number, queries_keys[:, : self.heads], queries_keys[:, self.heads :], heads[:, 2])
            hidden += layer.output(mixed.reshape(count, -1).to(self._dtype))
            normed = self._normed(hidden, layer.mlp_norm)
            hidden += layer.down(layer.gate(normed, "swish").mul_(layer.up(normed)))
        return hidden

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return self._head(functional.rms_norm(hidden, (hidden.size(-1),), self._norm, self._eps))

    def _normed(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(hidden, (hidden.size(-1),), weight, self._eps).to(self._dtype)


def _signed(sin: torch.Tensor) -> torch.Tensor:
    """The sines as they meet a vector whose halves are swapped: Llama's `rotate_half` negates the one put first."""
    half = sin.size(-1) // 2
    return torch.cat([-sin[:, :half], sin[:, half:]], dim=-1)


def _rotate(x: torch.Tensor, cos: torch.Tensor, signed_sin: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding (Su et al., 2021), as Llama pairs the dimensions. `x`: shape [n, heads, size]."""
    return torch.addcmul(x * cos, x.roll(x.size(-1) // 2, dims=-1), signed_sin)


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: torch.Tensor
    bias: torch.Tensor
    eps: float

    @classmethod
    def of(cls, module: Any) -> _Norm:
        return cls(module.weight.detach(), module.bias.detach(), module.eps)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, (x.size(-1),), self.weight, self.bias, self.eps)


@dataclass(frozen=True, slots=True)
class _Gpt2Layer:
    attention_norm: _Norm
    qkv: Product
    output: Product
    mlp_norm: _Norm
    up: Product
    down: Product


class Gpt2:
    """`GPT2Model` with its learned positions, and T3's speech head."""

    def __init__(self, t3: Any, precision: Precision) -> None:
        config, self._dtype = t3.cfg, product_dtype(precision)
        self.layers, self.heads = config.n_layer, config.n_head
        self.head_size = config.n_embd // config.n_head
        read = LayerWeights(t3, self._dtype)
        self._stack = [self._layer(layer, f"tfmr.h.{number}", read) for number, layer in enumerate(t3.tfmr.h)]
        self._norm = _Norm.of(t3.tfmr.ln_f)
        self._places = t3.tfmr.wpe.weight.detach()
        self._head = Product(t3.speech_head.weight, t3.speech_head.bias, dtype=torch.float32)

    def _layer(self, layer: Any, name: str, read: LayerWeights) -> _Gpt2Layer:
        def product(part: str) -> Product:
            """Of transformers' `Conv1D`, which keeps its weight as [in, out]."""
            return Product(read(f"{name}.{part}.weight").T, layer.get_submodule(part).bias, dtype=self._dtype)

        return _Gpt2Layer(
            _Norm.of(layer.ln_1),
            product("attn.c_attn"),
            product("attn.c_proj"),
            _Norm.of(layer.ln_2),
            product("mlp.c_fc"),
            product("mlp.c_proj"),
        )

    def run(self, hidden: torch.Tensor, positions: torch.Tensor, attend: Attention) -> torch.Tensor:
        count = hidden.size(0)
        hidden = hidden + self._places[positions]
        for number, layer in enumerate(self._stack):
            heads = layer.qkv(layer.attention_norm(hidden).to(self._dtype)).float()
            queries, keys, values = heads.view(count, 3, self.heads, self.head_size).unbind(1)
            mixed = attend(number, queries, keys, values)
            hidden += layer.output(mixed.reshape(count, -1).to(self._dtype))
            grown = layer.up(layer.mlp_norm(hidden).to(self._dtype))
            hidden += layer.down(functional.gelu(grown, approximate="tanh"))
        return hidden

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return self._head(self._norm(hidden))
