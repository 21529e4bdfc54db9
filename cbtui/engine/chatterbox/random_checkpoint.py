"""A checkpoint in the real on-disk format, with random weights from the real classes: for benches and tests.

The weights are random but for two dimensions of the position embedding, which make the model stop by itself, as a
trained one does at the end of its text: one of full size after some seconds of speech, a smaller one after one or two.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from cbtui.core.task import ModelName

_FORMAT = 5  # counted up when what is written changes

_STOP = 6562
_FIRST_UNUSED = 6563
_REPEATED = 100  # the multilingual guard ends speech when a token repeats
# Speech tokens, of a model cut to few layers and of a whole one.
_STOPS_NEAR = 10
_STOPS_NEAR_WHOLE = 100


def random_checkpoint(parent: Path, model: ModelName, *, layers: int | None) -> Path:
    """The folder of a random checkpoint below `parent`, made if there is none; `layers` None for all there are."""
    folder = parent / f"{model}-{layers or 'full'}-v{_FORMAT}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(beside, model, layers=layers)
        try:
            beside.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process was first
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _write(folder: Path, model: ModelName, *, layers: int | None) -> None:
    import torch

    torch.manual_seed(20)
    build = {"english": _build_english, "multilingual": _build_multilingual, "turbo": _build_turbo}[model]
    with torch.inference_mode():
        build(folder, layers)


def _build_english(folder: Path, layers: int | None) -> None:
    from chatterbox.models.t3.modules.t3_config import T3Config
    from safetensors.torch import save_file

    hp = T3Config.english_only()
    t3 = _t3(hp, layers)
    _make_it_stop(t3, by=_STOP, pull=4.0, near=_near(layers))
    ve, s3gen = _voice_encoder(), _s3gen()
    _english_tokenizer(704).save(str(folder / "tokenizer.json"))
    save_file(ve.state_dict(), folder / "ve.safetensors")
    save_file(t3.state_dict(), folder / "t3_cfg.safetensors")
    state = s3gen.state_dict()
    save_file(
        {name: tensor for name, tensor in state.items() if name not in _NOT_SHIPPED}, folder / "s3gen.safetensors"
    )
    _save_builtin_voice(folder, t3, s3gen, ve)


# `S3Token2Wav.ignore_state_dict_missing`: the english checkpoint lacks them, the others carry them.
_NOT_SHIPPED = ("tokenizer._mel_filters", "tokenizer.window")


def _build_multilingual(folder: Path, layers: int | None) -> None:
    import torch
    from chatterbox.models.t3.modules.t3_config import T3Config
    from safetensors.torch import save_file

    hp = T3Config.multilingual()
    t3 = _t3(hp, layers)
    _make_it_stop(t3, by=_REPEATED, pull=8.0, near=_near(layers))
    ve, s3gen = _voice_encoder(), _s3gen()
    _english_tokenizer(2454, languages=True).save(str(folder / "grapheme_mtl_merged_expanded_v1.json"))
    (folder / "Cangjie5_TC.json").write_text(
        json.dumps(["你\tonf", "好\tvnd", "世\tpt", "界\twoll"], ensure_ascii=False)
    )
    torch.save(ve.state_dict(), folder / "ve.pt")
    save_file(t3.state_dict(), folder / "t3_mtl23ls_v2.safetensors")
    torch.save(s3gen.state_dict(), folder / "s3gen.pt")
    _save_builtin_voice(folder, t3, s3gen, ve)


def _build_turbo(folder: Path, layers: int | None) -> None:
    from safetensors.torch import save_file

    from cbtui.engine.chatterbox.loader import turbo_config

    t3 = _t3(turbo_config(), layers)
    t3.speech_head.bias.zero_()
    t3.speech_head.bias[6561] = -1e4
    # Logits of random weights are near zero, so this makes the end about one draw in ten, in a whole one in a hundred.
    t3.speech_head.bias[_STOP] = 3.0 if layers else 0.7
    ve, s3gen = _voice_encoder(), _s3gen(meanflow=True)
    _turbo_tokenizer(folder)
    save_file(ve.state_dict(), folder / "ve.safetensors")
    save_file(t3.state_dict(), folder / "t3_turbo_v1.safetensors")
    save_file(s3gen.state_dict(), folder / "s3gen_meanflow.safetensors")
    _save_builtin_voice(folder, t3, s3gen, ve)


def _t3(hp: Any, layers: int | None) -> Any:
    from chatterbox.models.t3 import T3
    from chatterbox.models.t3.llama_configs import LLAMA_CONFIGS

    if layers is not None:
        stock = LLAMA_CONFIGS[hp.llama_config_name]
        key = "n_layer" if stock["model_type"] == "gpt2" else "num_hidden_layers"
        cut = f"{hp.llama_config_name}-{layers}"
        LLAMA_CONFIGS[cut] = {**stock, key: layers}
        hp.llama_config_name = cut
    return T3(hp).eval()


def _near(layers: int | None) -> int:
    return _STOPS_NEAR if layers else _STOPS_NEAR_WHOLE


def _make_it_stop(t3: Any, *, by: int, pull: float, near: int) -> None:
    """Two dimensions of the position embedding decide: one rises towards `by`, one keeps unused tokens away."""
    import torch

    positions = t3.speech_pos_emb.emb.weight
    rising = torch.arange(positions.size(0)) / near
    positions[:, 0] = rising.clamp(max=2.0)
    positions[:, 1] = 2.0
    head = t3.speech_head.weight
    head[:, :2] = 0.0
    head[by, 0] = pull
    head[_FIRST_UNUSED:, 1] = -4.0
    head[6561, 1] = -4.0
    for layer in t3.tfmr.layers:  # nothing else writes to the two
        layer.self_attn.o_proj.weight[:2] = 0.0
        layer.mlp.down_proj.weight[:2] = 0.0
    t3.speech_emb.weight[:, :2] = 0.0


def _voice_encoder() -> Any:
    from chatterbox.models.voice_encoder import VoiceEncoder

    return VoiceEncoder().eval()


def _s3gen(*, meanflow: bool = False) -> Any:
    from chatterbox.models.s3gen import S3Gen

    return S3Gen(meanflow=meanflow).eval()


def _english_tokenizer(size: int, *, languages: bool = False) -> Any:
    """One token a character, with the special tokens where the real vocabulary has them."""
    from tokenizers import Tokenizer, models

    special = {"[STOP]": 0, "[UNK]": 1, "[SPACE]": 2, "[PAD]": 3, "[SEP]": 4, "[CLS]": 5, "[MASK]": 6, "[START]": 255}
    vocabulary = dict(special)
    extra: list[str] = []
    if languages:
        from chatterbox.mtl_tts import SUPPORTED_LANGUAGES

        extra = [f"[{code}]" for code in SUPPORTED_LANGUAGES] + [
            f"[cj_{letter}]" for letter in ".abcdefghijklmnopqrstuvwxyz"
        ]
    alphabet = [chr(code) for code in (*range(33, 127), *range(0xA1, 0x250), *range(0x370, 0x500))]
    free = (number for number in range(7, size) if number != 255)
    for token, number in zip([*extra, *alphabet], free, strict=False):
        vocabulary[token] = number
    for number in free:
        vocabulary[f"[unused{number}]"] = number
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="[UNK]"))  # noqa: S106
    tokenizer.add_special_tokens([*special, *extra])
    return tokenizer


def _turbo_tokenizer(folder: Path) -> None:
    """GPT-2's byte alphabet, filled up to the size of the real vocabulary, and Turbo's tags as tokens of their own."""
    from tokenizers.pre_tokenizers import ByteLevel

    vocabulary = {token: number for number, token in enumerate(sorted(ByteLevel.alphabet()))}
    for number in range(len(vocabulary), 50256):
        vocabulary[f"<unused{number}>"] = number
    vocabulary["<|endoftext|>"] = 50256
    tags = ["[laugh]", "[chuckle]", "[cough]", "[sigh]", "[gasp]", "[groan]", "[sniff]", "[shush]", "[clear throat]"]
    tags += [f"[tag{number}]" for number in range(50276 - 50257 - len(tags))]
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "added_tokens.json").write_text(json.dumps({tag: 50257 + n for n, tag in enumerate(tags)}))
    added = {
        str(50257 + number): {
            "content": tag,
            **dict.fromkeys(("lstrip", "normalized", "rstrip", "single_word", "special"), False),
        }
        for number, tag in enumerate(tags)
    }
    config = {
        "tokenizer_class": "GPT2Tokenizer",
        "added_tokens_decoder": added,
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "model_max_length": 1024,
        "add_prefix_space": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "special_tokens_map.json").write_text(
        json.dumps(dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>"))
    )


def _save_builtin_voice(folder: Path, t3: Any, s3gen: Any, ve: Any) -> None:
    """`conds.pt`: the voice of a short synthetic clip, a buzz with formants, as stock computes it."""
    import numpy as np
    import soundfile
    from chatterbox.tts import ChatterboxTTS

    rate, seconds = 24_000, 2.0
    time = np.arange(int(rate * seconds)) / rate
    pitch = 120 + 10 * np.sin(2 * np.pi * 3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    harmonics = (np.sin(number * phase) / number for number in range(1, 30))
    voice = 0.2 * np.sum(list(harmonics), axis=0) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    clip = folder / "builtin.wav"
    soundfile.write(clip, voice.astype(np.float32), rate)
    owner = ChatterboxTTS(t3, s3gen, ve, None, "cpu")
    owner.prepare_conditionals(clip)
    clip.unlink()
    owner.conds.save(folder / "conds.pt")
