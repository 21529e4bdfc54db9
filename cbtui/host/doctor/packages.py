"""Python and the packages: what is installed, and whether Chatterbox can be imported."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from cbtui import __version__
from cbtui.engine.base import EngineUnavailable
from cbtui.host.doctor.check import Check, Subject, without_advice

_OLDEST_PYTHON, _FIRST_TOO_NEW_PYTHON = (3, 11), (3, 14)
_NEEDED = ("chatterbox-tts", "torch", "torchaudio", "transformers", "numpy")
_FOR_THE_APP = ("textual",)
# The release whose inner parts the engine uses.
_CHATTERBOX_VERSION = "0.1.7"
# The first one without pkg_resources, which perth imports (measured with resemble-perth 1.0.1).
_FIRST_TOO_NEW_SETUPTOOLS = 82

# As pip takes them, where it is not the newest that is wanted.
_SPECIFIERS = {"chatterbox-tts": f"chatterbox-tts=={_CHATTERBOX_VERSION}", "textual": "'textual>=8.2'"}
_INSTALL_SETUPTOOLS = "pip install 'setuptools<82'"


def check_python(subject: Subject) -> Iterator[Check]:
    running = ".".join(map(str, sys.version_info[:3]))
    if _OLDEST_PYTHON <= sys.version_info[:2] < _FIRST_TOO_NEW_PYTHON:
        yield Check("python", "ok", f"Python {running}")
    else:
        detail = f"Python {running}, and the packages work on 3.11 to 3.13"
        yield Check("python", "problem", detail, "Install cbtui with Python 3.11, 3.12 or 3.13")


def check_packages(subject: Subject) -> Iterator[Check]:
    """Versions by their metadata; nothing is imported."""
    versions = {name: installed_version(name) for name in (*_NEEDED, *_FOR_THE_APP)}
    there = [f"cbtui {__version__}", *(f"{name} {found}" for name, found in versions.items() if found)]
    missing = [name for name, found in versions.items() if not found]
    if missing:
        detail = f"{', '.join(missing)} not installed; there are {', '.join(there)}"
        yield Check("packages", "problem" if set(missing) & set(_NEEDED) else "warning", detail, _install(missing))
    elif versions["chatterbox-tts"] != _CHATTERBOX_VERSION:
        detail = f"cbtui is made for chatterbox-tts {_CHATTERBOX_VERSION}; there are {', '.join(there)}"
        yield Check("packages", "warning", detail, f"pip install chatterbox-tts=={_CHATTERBOX_VERSION}")
    else:
        yield Check("packages", "ok", ", ".join(there))


def check_setuptools(subject: Subject) -> Iterator[Check]:
    """perth, the watermarker, imports pkg_resources, and is silently None without it."""
    found = installed_version("setuptools")
    setuptools = f"setuptools {found}" if found else "setuptools is not installed"
    if not _has_pkg_resources():
        detail = f"pkg_resources, which the watermarker perth needs, is missing ({setuptools})"
        yield Check("setuptools", "problem", detail, _INSTALL_SETUPTOOLS)
    elif found and int(found.partition(".")[0]) >= _FIRST_TOO_NEW_SETUPTOOLS:
        detail = f"{setuptools} is too new for the watermarker perth"
        yield Check("setuptools", "problem", detail, _INSTALL_SETUPTOOLS)
    else:
        yield Check("setuptools", "ok", f"{setuptools}, with pkg_resources")


def check_chatterbox(subject: Subject) -> Iterator[Check]:
    """The library is really imported; what earlier checks found missing is not reported twice."""
    from cbtui.engine.chatterbox.library import import_library
    from cbtui.engine.chatterbox.probe import probe_torch, probe_watermarker

    if not installed_version("chatterbox-tts"):
        yield Check("chatterbox", "info", "not tried, because chatterbox-tts is not installed")
        return
    if not _has_pkg_resources():
        yield Check("chatterbox", "info", "not tried, because pkg_resources is missing")
        return
    try:
        probe_torch()
    except EngineUnavailable:
        yield Check("chatterbox", "info", "not tried, because torch cannot be imported")
        return
    try:
        import_library()
    except EngineUnavailable as error:
        fix = "pip install --force-reinstall chatterbox-tts==0.1.7 'setuptools<82'"
        broken = probe_watermarker()
        detail = f"the watermarker perth is not usable: {broken}" if broken else without_advice(error)
        yield Check("chatterbox", "problem", detail, fix)
        return
    yield Check("chatterbox", "ok", "the library and its watermarker can be imported")


def _install(missing: list[str]) -> str:
    # No index has cbtui itself: what it needs comes from its clone, or one by one.
    by_hand = " ".join(_SPECIFIERS.get(name, name) for name in missing)
    return f"make setup, in the folder that cbtui was cloned into; or only what is missing: pip install {by_hand}"


def installed_version(name: str) -> str:
    """The version of an installed package, or ''."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _has_pkg_resources() -> bool:
    return importlib.util.find_spec("pkg_resources") is not None
