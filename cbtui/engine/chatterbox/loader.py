"""From the folder of a checkpoint to the library's own model objects, every tensor checked."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from cbtui.core.task import ModelName
from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox.checkpoint import Checkpoint
from cbtui.engine.chatterbox.conditionals import LISTENING
from cbtui.engine.chatterbox.construct import parameters_on_meta, unfilled_parameters
from cbtui.engine.chatterbox.left_in_file import LeftInFile
from cbtui.engine.chatterbox.library import collector_at_rest, logged_output
from cbtui.engine.chatterbox.read_tensors import TensorFile

# Tensors that the english checkpoint does not ship and the constructor computes
# (chatterbox-tts 0.1.7, `S3Token2Wav.ignore_state_dict_missing`).
_COMPUTED = ("tokenizer._mel_filters", "tokenizer.window")

# The transformer's layers, in a Llama and in a GPT-2.
_LAYERS = ("tfmr.layers.", "tfmr.h.")

# What of the flow `Conformer` and `Estimator` copy, whole layers, and what of these they use as it is.
_FLOW_LAYERS = ("flow.encoder.encoders.", "flow.encoder.up_encoders.", "flow.decoder.estimator.")
_FLOW_USED = re.compile(r"\.time_|\.mlp\.")

# What torch raises for a `.pt` file that is cut off or none at all.
_UNREADABLE = (OSError, RuntimeError, EOFError, ValueError, UnpicklingError)


def load_model(checkpoint: Checkpoint, device: str, *, map_layers: bool = False) -> Any:
    """The library's `ChatterboxTTS`, `ChatterboxMultilingualTTS` or `ChatterboxTurboTTS` on `device`.

    Equal to what its `from_local` gives, in a fraction of the time. With `map_layers`, the great products stay in the
    file where the device is the CPU: for who makes copies of another form, of the T3 by `LayerWeights` out of its
    `layer_file`, of S3Gen by its `LeftInFile`, and brings in what hears clips once there is one.
    Raises EngineUnavailable, naming file and tensor, when the checkpoint does not fit.
    """
    build: Mapping[ModelName, Callable[[Checkpoint, str, bool], Any]] = {
        "english": _load_english,
        "multilingual": _load_multilingual,
        "turbo": _load_turbo,
    }
    # What is there already, modules above all, is there to stay: walking it takes 0.3 s of a second (measured).
    gc.freeze()
    with logged_output(), collector_at_rest():
        model = build[checkpoint.model](checkpoint, device, map_layers)
    # Without it, the collector's oldest generation stalls every thread for 320 to 460 ms (measured, two cores).
    gc.collect()
    gc.freeze()
    return model


def _load_english(checkpoint: Checkpoint, device: str, map_layers: bool) -> Any:
    from chatterbox.models.t3.modules.t3_config import T3Config
    from chatterbox.models.tokenizers import EnTokenizer
    from chatterbox.tts import ChatterboxTTS, Conditionals

    return ChatterboxTTS(
        _load_t3(checkpoint, "t3_cfg.safetensors", T3Config.english_only(), device, map_layers),
        _load_s3gen(checkpoint, "s3gen.safetensors", device, map_layers),
        _load_voice_encoder(checkpoint, "ve.safetensors", device),
        EnTokenizer(str(checkpoint.file("tokenizer.json"))),
        device,
        conds=_load_builtin_voice(checkpoint, Conditionals, device),
    )


def _load_multilingual(checkpoint: Checkpoint, device: str, map_layers: bool) -> Any:
    from chatterbox.models.t3.modules.t3_config import T3Config
    from chatterbox.mtl_tts import ChatterboxMultilingualTTS, Conditionals

    from cbtui.engine.chatterbox.tokenizer import LocalMultilingualTokenizer

    return ChatterboxMultilingualTTS(
        _load_t3(checkpoint, "t3_mtl23ls_v2.safetensors", T3Config.multilingual(), device, map_layers),
        _load_s3gen(checkpoint, "s3gen.pt", device, map_layers),
        _load_voice_encoder(checkpoint, "ve.pt", device),
        LocalMultilingualTokenizer(checkpoint.file("grapheme_mtl_merged_expanded_v1.json")),
        device,
        conds=_load_builtin_voice(checkpoint, Conditionals, device),
    )


def _load_turbo(checkpoint: Checkpoint, device: str, map_layers: bool) -> Any:
    from chatterbox.tts_turbo import ChatterboxTurboTTS, Conditionals
    from transformers import AutoTokenizer

    hp = turbo_config()
    t3 = _load_t3(checkpoint, "t3_turbo_v1.safetensors", hp, device, map_layers)
    del t3.tfmr.wte
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if len(tokenizer) != hp.text_tokens_dict_size:
        raise EngineUnavailable(
            f"{checkpoint.folder}: its tokenizer has {len(tokenizer)} tokens "
            f"where Turbo's has {hp.text_tokens_dict_size}. Download the checkpoint again."
        )
    return ChatterboxTurboTTS(
        t3,
        _load_s3gen(checkpoint, "s3gen_meanflow.safetensors", device, map_layers, meanflow=True),
        _load_voice_encoder(checkpoint, "ve.safetensors", device),
        tokenizer,
        device,
        conds=_load_builtin_voice(checkpoint, Conditionals, device),
    )


def turbo_config() -> Any:
    """The library's `T3Config` for Turbo, which it only has inside `ChatterboxTurboTTS.from_local`."""
    from chatterbox.models.t3.modules.t3_config import T3Config

    hp = T3Config(text_tokens_dict_size=50276)
    hp.llama_config_name = "GPT2_medium"
    hp.speech_tokens_dict_size = 6563
    hp.input_pos_emb = None
    hp.speech_cond_prompt_len = 375
    hp.use_perceiver_resampler = False
    hp.emotion_adv = False
    return hp


def _load_t3(checkpoint: Checkpoint, name: str, hp: Any, device: str, map_layers: bool) -> Any:
    from chatterbox.models.t3 import T3

    state = _read_state(checkpoint.file(name))
    hp.llama_config_name = _config_for(hp.llama_config_name, count_layers(state))
    with parameters_on_meta():
        t3 = T3(hp)
    maps = map_layers and device == "cpu"
    layers = [each for each in state if each.startswith(_LAYERS) and state[each].dim() > 1] if maps else []
    t3 = _assign(t3, state, checkpoint.file(name), device, mapped=frozenset(layers))
    if maps:
        t3.layer_file = TensorFile(checkpoint.file(name))
    return t3


def count_layers(state: Iterable[str]) -> int:
    """How many transformer layers a checkpoint's tensors are of; test checkpoints have fewer than the released ones."""
    numbers = [
        int(parts[2])
        for parts in (name.split(".") for name in state)
        if parts[0] == "tfmr" and parts[1] in {"layers", "h"} and parts[2].isdigit()
    ]
    return max(numbers, default=-1) + 1


def _config_for(name: str, layers: int) -> str:
    """The library's name of a transformer configuration with that many layers, added to its table if it is new."""
    from chatterbox.models.t3.llama_configs import LLAMA_CONFIGS

    released = LLAMA_CONFIGS[name]
    key = "n_layer" if released["model_type"] == "gpt2" else "num_hidden_layers"
    if layers in {0, released[key]}:
        return name
    cut = f"{name}-{layers}"
    LLAMA_CONFIGS[cut] = {**released, key: layers}
    return cut


def _load_s3gen(checkpoint: Checkpoint, name: str, device: str, map_layers: bool, *, meanflow: bool = False) -> Any:
    from chatterbox.models.s3gen import S3Gen

    # With meanflow the constructor writes into a weight, which a meta tensor does not allow.
    with unfilled_parameters(), nullcontext() if meanflow else parameters_on_meta():
        s3gen = S3Gen(meanflow=meanflow)
    state = _read_state(checkpoint.file(name))
    if name == "s3gen.safetensors":  # the one that the library itself reads leniently
        state = {tensor: state[tensor] for tensor in s3gen.state_dict() if tensor in state}
    path = checkpoint.file(name)
    maps = map_layers and device == "cpu" and path.suffix == ".safetensors"
    mapped = frozenset(each for each in state if maps and _is_plain(state[each]) and _waits_in_file(each))
    s3gen = _assign(s3gen, state, path, device, optional=_COMPUTED, mapped=mapped)
    if mapped:
        s3gen.left_in_file = LeftInFile(s3gen, TensorFile(path), mapped)
    return s3gen


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether it is large, and in the file as it is wanted."""
    return tensor.dim() > 1 and tensor.dtype == torch.float32


def _waits_in_file(name: str) -> bool:
    """Whether a weight of S3Gen is not used where it lies, but copied into another form, or not used before a clip."""
    return name.startswith(LISTENING) or (name.startswith(_FLOW_LAYERS) and not _FLOW_USED.search(name))


def _load_voice_encoder(checkpoint: Checkpoint, name: str, device: str) -> Any:
    from chatterbox.models.voice_encoder import VoiceEncoder

    with parameters_on_meta():
        encoder = VoiceEncoder()
    return _assign(encoder, _read_state(checkpoint.file(name)), checkpoint.file(name), device)


def _load_builtin_voice(checkpoint: Checkpoint, conditionals: Any, device: str) -> Any:
    path = checkpoint.folder / "conds.pt"
    if not path.is_file():
        return None
    try:
        return conditionals.load(path, map_location="cpu").to(device)
    except (*_UNREADABLE, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error


def _read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint file, on the host, mapped from the file where its format allows."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (*_UNREADABLE, SafetensorError) as error:
        raise _unreadable(path, error) from error
    return state["model"][0] if "model" in state else state  # type: ignore[no-any-return]


def _unreadable(path: Path, error: Exception) -> EngineUnavailable:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return EngineUnavailable(f"{path} cannot be read as a checkpoint: {reason}. Delete it and download it again.")


def _assign(
    module: Any,
    state: Mapping[str, torch.Tensor],
    path: Path,
    device: str,
    *,
    optional: tuple[str, ...] = (),
    mapped: frozenset[str] = frozenset(),
) -> Any:
    """Give a freshly constructed module the checkpoint's tensors, on `device`, ready to infer.

    Those that `mapped` names may stay in the file.
    """
    expected = module.state_dict()
    missing = [name for name in expected if name not in state and name not in optional]
    surplus = [name for name in state if name not in expected]
    if missing or surplus:
        what = [f"lacks {_some(missing)}"] * bool(missing) + [f"has the unknown {_some(surplus)}"] * bool(surplus)
        raise EngineUnavailable(f"{path} is not this model's checkpoint: it {' and '.join(what)}. Download it again.")
    placed: dict[str, torch.Tensor] = {}
    copied = []
    for name, wanted in expected.items():
        if name not in state:
            continue
        tensor = state[name]
        if tensor.shape != wanted.shape:
            raise EngineUnavailable(
                f"{path} is not this model's checkpoint: {name} has the shape {tuple(tensor.shape)} "
                f"where {tuple(wanted.shape)} is needed. Download it again."
            )
        placed[name] = tensor.to(device=device, dtype=wanted.dtype)
        if placed[name].data_ptr() == tensor.data_ptr() and name not in mapped:
            copied.append(name)
    # In memory of their own: mapped tensors lie at odd alignments, on which kernels differ in the last bit.
    placed |= _copy(state, path, copied)
    _put(module, placed)
    left = [name for name, tensor in module.named_parameters() if tensor.is_meta]
    if left:
        raise EngineUnavailable(f"{path} gave no values for {_some(left)}. Download it again.")
    return module.to(device).eval()


def _put(module: Any, tensors: Mapping[str, torch.Tensor]) -> None:
    """What `load_state_dict(assign=True)` does, without looking at every module for every tensor."""
    parts = dict(module.named_modules())
    for name, tensor in tensors.items():
        whose, _, own_name = name.rpartition(".")
        part = parts[whose]
        if own_name in part._buffers:
            part._buffers[own_name] = tensor
        else:
            before = part._parameters[own_name]
            part._parameters[own_name] = torch.nn.Parameter(tensor, requires_grad=before.requires_grad)


def _copy(state: Mapping[str, torch.Tensor], path: Path, names: list[str]) -> dict[str, torch.Tensor]:
    if path.suffix != ".safetensors":
        return {name: state[name].clone() for name in names}
    return TensorFile(path).read(names)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"tensors {shown}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
