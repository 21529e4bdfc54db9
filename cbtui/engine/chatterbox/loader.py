"""From the folder of a checkpoint to the library's own model objects, every tensor checked."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

from cbtui.core.task import ModelName
from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox.checkpoint import Checkpoint
from cbtui.engine.chatterbox.conditionals import LISTENING
from cbtui.engine.chatterbox.construct import parameters_on_meta, positions_shared, unfilled_parameters
from cbtui.engine.chatterbox.left_in_file import LeftInFile
from cbtui.engine.chatterbox.library import collector_at_rest, logged_output
from cbtui.engine.chatterbox.weights_file import UNREADABLE, WeightsFile, unreadable

# Tensors that the english checkpoint does not ship and the constructor computes
# (chatterbox-tts 0.1.7, `S3Token2Wav.ignore_state_dict_missing`).
_COMPUTED = ("tokenizer._mel_filters", "tokenizer.window")

# The transformer's layers, in a Llama and in a GPT-2.
_LAYERS = ("tfmr.layers.", "tfmr.h.")

# What of the flow `Conformer` and `Estimator` copy, whole layers, and what of these they use as it is.
_FLOW_LAYERS = ("flow.encoder.encoders.", "flow.encoder.up_encoders.", "flow.decoder.estimator.")
_FLOW_USED = re.compile(r"\.time_|\.mlp\.")


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
    with logged_output(), collector_at_rest(), unfilled_parameters():
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

    maps = map_layers and device == "cpu"
    weights = WeightsFile(checkpoint.file(name), device, lambda each: maps and each.startswith(_LAYERS))
    hp.llama_config_name = _config_for(hp.llama_config_name, count_layers(weights.tensors))
    with parameters_on_meta():
        t3 = T3(hp)
    weights.give_to(t3)
    if maps:
        t3.layer_file = weights.file
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

    weights = WeightsFile(checkpoint.file(name), device, lambda each: map_layers and _waits_in_file(each))
    # With meanflow the constructor writes into a weight, which a meta tensor does not allow.
    with positions_shared(), nullcontext() if meanflow else parameters_on_meta():
        s3gen = S3Gen(meanflow=meanflow)
    # The library itself reads that of english leniently.
    weights.give_to(s3gen, optional=_COMPUTED, leniently=name == "s3gen.safetensors")
    if weights.file is not None and weights.waiting:
        s3gen.left_in_file = LeftInFile(s3gen, weights.file, weights.waiting)
    return s3gen


def _waits_in_file(name: str) -> bool:
    """Whether a weight of S3Gen is not used where it lies, but copied into another form, or not used before a clip."""
    return name.startswith(LISTENING) or (name.startswith(_FLOW_LAYERS) and not _FLOW_USED.search(name))


def _load_voice_encoder(checkpoint: Checkpoint, name: str, device: str) -> Any:
    from chatterbox.models.voice_encoder import VoiceEncoder

    weights = WeightsFile(checkpoint.file(name), device)
    with parameters_on_meta():
        encoder = VoiceEncoder()
    return weights.give_to(encoder)


def _load_builtin_voice(checkpoint: Checkpoint, conditionals: Any, device: str) -> Any:
    path = checkpoint.folder / "conds.pt"
    if not path.is_file():
        return None
    try:
        return conditionals.load(path, map_location="cpu").to(device)
    except (*UNREADABLE, KeyError, TypeError) as error:
        raise unreadable(path, error) from error
