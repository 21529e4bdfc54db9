"""A chunk's text as the tokens that T3 reads."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from cbtui.core.task import ModelName


def text_tokens(model: Any, name: ModelName, text: str, language: str) -> torch.Tensor:
    """Shape [1, n], int64, on the model's device; english and multilingual with their start and stop token.

    The text is normalised as the library's `generate()` does. Raises `languages.LanguageUnavailable`, and ValueError
    for a text that the library would replace by one of its own.
    """
    if not text.strip():
        raise ValueError("an empty text makes the library speak a sentence of its own")
    if name == "turbo":
        from chatterbox.tts_turbo import punc_norm

        encoded = model.tokenizer(punc_norm(text), return_tensors="pt").input_ids
        return encoded.to(model.device)  # type: ignore[no-any-return]
    if name == "multilingual":
        from chatterbox.mtl_tts import punc_norm

        tokens = model.tokenizer.text_to_tokens(punc_norm(text), language_id=language)
    else:
        from chatterbox.tts import punc_norm

        tokens = model.tokenizer.text_to_tokens(punc_norm(text))
    hp = model.t3.hp
    tokens = functional.pad(tokens.to(model.device, torch.long), (1, 0), value=hp.start_text_token)
    return functional.pad(tokens, (0, 1), value=hp.stop_text_token)
