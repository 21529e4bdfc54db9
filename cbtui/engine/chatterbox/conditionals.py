"""A voice for Chatterbox: computed by the library from a clip, kept as plain arrays, handed out as fresh copies.

The library changes the voice it is given (it adds an embedding and turns token ids into floats) and lets each
computed voice hold an autograd graph, so voices are computed in inference mode and every request gets a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cbtui.engine.chatterbox.left_in_file import bring_in
from cbtui.engine.clips import Clip

# The parts of S3Gen that only hear clips: who speaks in voices that are on disk does without half of its bytes.
LISTENING = ("tokenizer.", "speaker_encoder.")
_T3 = ("speaker_emb", "cond_prompt_speech_tokens")
_S3GEN = ("prompt_token", "prompt_token_len", "prompt_feat", "embedding")


def derive_voice(model: Any, clip: Clip) -> dict[str, npt.NDArray[np.generic]]:
    """The voice of a clip as arrays: `t3.*` for the transformer, `gen.*` for the vocoder. The model stays as it was."""
    kept = model.conds
    try:
        bring_in(model.s3gen, *LISTENING)
        with torch.inference_mode():
            model.prepare_conditionals(clip.open())
        return flatten_voice(model.conds)
    finally:
        model.conds = kept


def flatten_voice(conds: Any) -> dict[str, npt.NDArray[np.generic]]:
    """The library's `Conditionals` as arrays, without the exaggeration, which belongs to the request."""
    arrays = {f"t3.{name}": getattr(conds.t3, name) for name in _T3}
    arrays |= {f"gen.{name}": conds.gen[name] for name in _S3GEN}
    return {name: tensor.detach().cpu().contiguous().numpy().copy() for name, tensor in arrays.items()}


def t3_condition(voice: Mapping[str, npt.NDArray[np.generic]], exaggeration: float, device: str) -> Any:
    """A new `T3Cond` of a voice."""
    from chatterbox.models.t3.modules.cond_enc import T3Cond

    return T3Cond(
        **{name: _tensor(voice[f"t3.{name}"], device) for name in _T3},
        emotion_adv=exaggeration * torch.ones(1, 1, 1, device=device),
    )


def s3gen_reference(voice: Mapping[str, npt.NDArray[np.generic]], device: str) -> dict[str, Any]:
    """A new `ref_dict` of a voice."""
    return {name: _tensor(voice[f"gen.{name}"], device) for name in _S3GEN} | {"prompt_feat_len": None}


def _tensor(array: npt.NDArray[np.generic], device: str) -> torch.Tensor:
    return torch.from_numpy(np.array(array)).to(device)
