"""All checks, in the order in which a person mends things; a check that breaks is a finding, not a crash."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

from cbtui.core.task import ENGINES, MODELS
from cbtui.host.doctor import device, folders, models, packages, speaking
from cbtui.host.doctor.check import Check, Subject
from cbtui.paths import Places

Examiner = Callable[[Subject], Iterable[Check]]

# By the name that a broken check goes by. The second group concerns no other engine than Chatterbox.
_ALWAYS_BEFORE: tuple[tuple[str, Examiner], ...] = (("python", packages.check_python),)
_CHATTERBOX: tuple[tuple[str, Examiner], ...] = (
    ("packages", packages.check_packages),
    ("setuptools", packages.check_setuptools),
    ("torch", device.check_torch),
    ("chatterbox", packages.check_chatterbox),
    ("device", device.check_device),
    ("gpu", device.check_gpus),
    ("memory", device.check_memory),
    ("models", models.check_models),
    ("hub", models.check_hub),
)
_ALWAYS_AFTER: tuple[tuple[str, Examiner], ...] = (
    ("espeak", speaking.check_espeak),
    ("folders", folders.check_folders),
    ("disks", folders.check_disks),
    ("state", folders.check_state),
)


def examine(
    places: Places, *, engine: str, model: str, model_dir: Path | None, device: str, offline: bool
) -> tuple[Check, ...]:
    """Look at everything that rendering needs; takes seconds, because torch and chatterbox are really imported.

    Rendering would work if no check is a `problem`. With the engine `espeak`, what only Chatterbox needs is `info`.
    `offline` leaves the network alone. Raises ValueError for an engine or model of another name.
    """
    chosen_engine = next((name for name in ENGINES if name == engine), None)
    chosen_model = next((name for name in MODELS if name == model), None)
    if chosen_engine is None or chosen_model is None:
        raise ValueError(f"no engine {engine!r} with a model {model!r}")
    hub_answer = models.question_to_hub(chosen_engine, chosen_model, model_dir, offline=offline)
    subject = Subject(places, chosen_engine, chosen_model, model_dir, device, hub_answer)
    chatterbox = _run_all(_CHATTERBOX, subject)
    if chosen_engine != "chatterbox":
        chatterbox = [_as_information(check) for check in chatterbox]
    return (*_run_all(_ALWAYS_BEFORE, subject), *chatterbox, *_run_all(_ALWAYS_AFTER, subject))


def _run_all(examiners: Iterable[tuple[str, Examiner]], subject: Subject) -> list[Check]:
    return [check for name, examiner in examiners for check in _run(name, examiner, subject)]


def _run(name: str, examiner: Examiner, subject: Subject) -> list[Check]:
    try:
        return list(examiner(subject))
    # A doctor is called when things are broken in ways nobody thought of: whatever it meets is a finding.
    except Exception as error:  # noqa: BLE001
        said = " ".join(str(error).split()) or "no message"
        detail = f"the check {name} itself failed with {type(error).__name__}: {said}"
        return [Check(name, "problem", detail, "Mend what it names; packages: make setup, in the clone")]


def _as_information(check: Check) -> Check:
    return check if check.status == "ok" else dataclasses.replace(check, status="info")
