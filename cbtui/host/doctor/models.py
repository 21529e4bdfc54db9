"""The files of the models: where they lie, what is missing, and whether the hub could give them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

from cbtui.core.task import MODELS, EngineName, ModelName
from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox.checkpoint import (
    FILES,
    REPOSITORIES,
    checkpoint_in,
    checkpoint_in_hub_cache,
    hub_cache_folder,
    missing_from_hub_cache,
)
from cbtui.host.doctor import hub
from cbtui.host.doctor.check import GB, Check, Subject, without_advice
from cbtui.host.doctor.hub import HubAnswer

_REACH_THE_HUB = "Connect to the network; HF_ENDPOINT names a mirror, HTTPS_PROXY a proxy"

# All files of a model, computed from the shapes of their tensors in float32.
DOWNLOAD_BYTES = {"english": 3.2 * GB, "multilingual": 3.2 * GB, "turbo": 3.0 * GB}

_NAMED_BY = "app.model_dir in settings.yaml or --model-dir"


def question_to_hub(
    engine: EngineName, model: ModelName, model_dir: Path | None, *, offline: bool
) -> Callable[[], HubAnswer]:
    """Ask the hub at once, unless there is a reason to leave the network alone."""
    if offline:
        return hub.not_asked("this look leaves the network alone")
    if variable := hub.offline_by_environment():
        return hub.not_asked(f"{variable} is set")
    if engine != "chatterbox":
        return hub.not_asked(f"the engine {engine} needs no download")
    if model_dir is not None:
        return hub.not_asked("--model-dir is given")
    return hub.ask(REPOSITORIES[model])


def check_models(subject: Subject) -> Iterator[Check]:
    """The model asked for, then the others, which stop nobody."""
    if subject.model_dir is not None:
        yield _check_folder(subject.model_dir, subject.model)
    elif not _has_hub_client():
        detail = "neither found nor downloadable, because huggingface_hub is not installed"
        yield Check(
            f"model {subject.model}", "problem", detail, f"pip install huggingface_hub, or name a folder: {_NAMED_BY}"
        )
    else:
        yield _check_wanted(subject)
        for model in MODELS:
            if model != subject.model:
                yield _check_other(model)


def check_hub(subject: Subject) -> Iterator[Check]:
    """Never a problem by itself: it matters only where files are missing."""
    answer = subject.hub()
    if answer.reachable:
        yield Check("hub", "ok", answer.said)
    elif answer.asked and download_is_due(subject):
        yield Check("hub", "warning", answer.said, _REACH_THE_HUB)
    else:
        yield Check("hub", "info", answer.said)


def download_is_due(subject: Subject) -> bool:
    """Whether the model asked for has to come from the hub first."""
    if subject.engine != "chatterbox" or subject.model_dir is not None or not _has_hub_client():
        return False
    return checkpoint_in_hub_cache(subject.model) is None


def _check_folder(folder: Path, model: ModelName) -> Check:
    name = f"model {model}"
    absent = [each for each in FILES[model] if not (folder / each).is_file()]
    try:
        checkpoint = checkpoint_in(folder, model)
    except EngineUnavailable as error:
        fix = f"Copy all files of {REPOSITORIES[model]} there, or name another folder or none: {_NAMED_BY}"
        return Check(name, "problem", without_advice(error), fix)
    without = f", without {', '.join(absent)}" if absent else ""
    return Check(name, "ok", f"{checkpoint.bytes / GB:.1f} GB in {folder}{without}")


def _check_wanted(subject: Subject) -> Check:
    model = subject.model
    name, found = f"model {model}", _found(model)
    if found:
        return Check(name, "ok", found)
    size = f"{DOWNLOAD_BYTES[model] / GB:.1f} GB"
    answer = subject.hub()
    if answer.reachable:
        fix = f"The first run downloads it. A folder that has it already is named by {_NAMED_BY}"
        return Check(name, "warning", f"will be downloaded, about {size}: {_lacking(model)}", fix)
    variable = hub.offline_by_environment()
    reach = f"Unset {variable}" if variable else "Connect to the network"
    fix = f"{reach} and run again, or copy the files of {REPOSITORIES[model]} into a folder, named by {_NAMED_BY}"
    return Check(name, "problem", f"{_lacking(model)}; the hub {answer.said}", fix)


def _check_other(model: ModelName) -> Check:
    found = _found(model)
    return Check(f"model {model}", "ok", found) if found else Check(f"model {model}", "info", _lacking(model))


def _found(model: ModelName) -> str:
    checkpoint = checkpoint_in_hub_cache(model)
    return f"{checkpoint.bytes / GB:.1f} GB in {checkpoint.folder}" if checkpoint else ""


def _lacking(model: ModelName) -> str:
    missing = missing_from_hub_cache(model)
    if not missing:
        return f"its files in {hub_cache_folder()} are of different revisions"
    what = "all its files" if len(missing) == len(FILES[model]) else ", ".join(missing)
    return f"{what} missing in {hub_cache_folder()}"


def _has_hub_client() -> bool:
    return importlib.util.find_spec("huggingface_hub") is not None
