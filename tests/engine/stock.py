"""The library's own path, the oracle: `from_local` and `generate()` on a test checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cbtui.engine.chatterbox.library import import_library, logged_output
from tests.support.checkpoint import TEST_LAYERS

CLASSES = {
    "english": ("chatterbox.tts", "ChatterboxTTS"),
    "multilingual": ("chatterbox.mtl_tts", "ChatterboxMultilingualTTS"),
    "turbo": ("chatterbox.tts_turbo", "ChatterboxTurboTTS"),
}


@contextmanager
def cut_to_test_size() -> Iterator[None]:
    """Let the library build transformers of the test checkpoints' depth, and ask no hub for its Chinese tables."""
    import_library()
    from chatterbox.models.t3.inference import alignment_stream_analyzer
    from chatterbox.models.t3.llama_configs import LLAMA_CONFIGS
    from chatterbox.models.tokenizers.tokenizer import ChineseCangjieConverter

    heads = [(layer % TEST_LAYERS, head) for layer, head in alignment_stream_analyzer.LLAMA_ALIGNED_HEADS]
    with (
        patch.dict(LLAMA_CONFIGS["Llama_520M"], num_hidden_layers=TEST_LAYERS),
        patch.dict(LLAMA_CONFIGS["GPT2_medium"], n_layer=TEST_LAYERS),
        patch.object(alignment_stream_analyzer, "LLAMA_ALIGNED_HEADS", heads),
        patch.object(ChineseCangjieConverter, "__init__", lambda *arguments: None),
    ):
        yield


def load_stock(model: str, folder: Path, device: str = "cpu") -> Any:
    """The library's model object, loaded by the library."""
    import importlib

    module, name = CLASSES[model]
    import_library()
    with cut_to_test_size(), logged_output():
        return getattr(importlib.import_module(module), name).from_local(folder, device)
