"""Which files a model needs and where they lie; no torch, no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cbtui.core.fingerprint import fingerprint, sample_file
from cbtui.core.task import ModelName
from cbtui.engine.base import EngineUnavailable

# Repository and files of each model (chatterbox-tts 0.1.7, the `from_pretrained` of its three classes).
REPOSITORIES: Mapping[ModelName, str] = {
    "english": "ResembleAI/chatterbox",
    "multilingual": "ResembleAI/chatterbox",
    "turbo": "ResembleAI/chatterbox-turbo",
}
FILES: Mapping[ModelName, tuple[str, ...]] = {
    "english": ("ve.safetensors", "t3_cfg.safetensors", "s3gen.safetensors", "tokenizer.json", "conds.pt"),
    "multilingual": (
        "ve.pt",
        "t3_mtl23ls_v2.safetensors",
        "s3gen.pt",
        "grapheme_mtl_merged_expanded_v1.json",
        "conds.pt",
        "Cangjie5_TC.json",
    ),
    "turbo": (
        "ve.safetensors",
        "t3_turbo_v1.safetensors",
        "s3gen_meanflow.safetensors",
        "conds.pt",
        "vocab.json",
        "merges.txt",
        "added_tokens.json",
        "special_tokens_map.json",
        "tokenizer_config.json",
    ),
}
# Files without which a checkpoint in a folder of the user's still loads: the built-in voice and the Chinese tables.
_OPTIONAL = frozenset({"conds.pt", "Cangjie5_TC.json", "added_tokens.json", "special_tokens_map.json"})

# Where a person names a folder of their own.
_NAMED_BY = "--model-dir, or app.model_dir in settings.yaml"

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete checkpoint on disk. `revision` changes when the weights do, and not with the folder's name."""

    model: ModelName
    folder: Path
    revision: str

    def file(self, name: str) -> Path:
        return self.folder / name

    @property
    def bytes(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in (self.file(name) for name in FILES[self.model]) if path.is_file())


def checkpoint_in(folder: Path, model: ModelName) -> Checkpoint:
    """The checkpoint in a folder of the user's. Raises EngineUnavailable naming each missing or empty file."""
    if not folder.is_dir():
        raise EngineUnavailable(f"there is no model folder {folder}. Check {_NAMED_BY}.")
    missing = [name for name in FILES[model] if name not in _OPTIONAL and not _is_whole(folder / name)]
    if missing:
        raise EngineUnavailable(
            f"the model folder {folder} lacks {', '.join(missing)} of the {model} model. "
            f"Complete it, name another, or none to download the model: {_NAMED_BY}."
        )
    return Checkpoint(model, folder, _revision(folder, model))


def checkpoint_in_hub_cache(model: ModelName) -> Checkpoint | None:
    """The checkpoint in the hub's cache if every file is there, looked for one by one; asks no network."""
    if missing_from_hub_cache(model):
        return None
    folder = Path(_cached_path(REPOSITORIES[model], FILES[model][0]) or "").parent
    if any(not (folder / name).exists() for name in FILES[model]):  # files of different revisions
        return None
    return Checkpoint(model, folder, _revision(folder, model))


def missing_from_hub_cache(model: ModelName) -> tuple[str, ...]:
    """The files of a model that the hub's cache lacks."""
    repository = REPOSITORIES[model]
    return tuple(name for name in FILES[model] if not _is_whole(_cached_path(repository, name)))


def hub_cache_folder() -> Path:
    """Where the hub's client keeps what it downloads."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def _cached_path(repository: str, name: str) -> str | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, name)
    return found if isinstance(found, str) else None


def _is_whole(path: Path | str | None) -> bool:
    if path is None:
        return False
    path = Path(path)
    return path.is_file() and path.stat().st_size > 0


def _revision(folder: Path, model: ModelName) -> str:
    """Twelve hex digits over what all files hold."""
    facts = {name: _content_name(folder / name) for name in FILES[model] if _is_whole(folder / name)}
    return fingerprint(facts)[:12]


def _content_name(path: Path) -> str:
    """A name for a file's content, without reading gigabytes.

    In the hub's cache a large file is a link to a blob named by its SHA-256. Elsewhere samples of the content are
    taken, and the time of the last change, because a few changed tensors may lie between the samples.
    """
    real = path.resolve()
    if real.parent.name == "blobs" and _SHA256.fullmatch(real.name):
        return real.name
    return f"{sample_file(real)}-{real.stat().st_mtime_ns}"
