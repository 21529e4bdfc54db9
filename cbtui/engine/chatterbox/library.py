"""The chatterbox library, imported in one place: what it prints is logged, what it lacks is an error that says so."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import io
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

from cbtui.engine.base import EngineUnavailable

log = logging.getLogger("cbtui.libraries")

_redirecting = threading.RLock()


@contextlib.contextmanager
def logged_output() -> Iterator[None]:
    """Send what Python code prints and warns in this block to the log. Not for C code: a screen guards its own fds.

    `sys.stdout` belongs to the whole process, so this is for short blocks, one at a time.
    """
    said = io.StringIO()
    with _redirecting:
        try:
            with (
                contextlib.redirect_stdout(said),
                contextlib.redirect_stderr(said),
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("ignore")
                yield
        finally:
            for line in said.getvalue().splitlines():
                if line.strip():
                    log.debug("%s", line.rstrip())


@contextlib.contextmanager
def collector_at_rest() -> Iterator[None]:
    """Have Python's collector of cycles wait while little but what stays is made.

    It walks all of that again and again: a third of the time of the import (measured), in stalls of every thread.
    """
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_at_work:
            gc.enable()


def is_imported() -> bool:
    """Whether this process has paid for the import, which takes seconds."""
    return "chatterbox.tts" in sys.modules


def import_library() -> None:
    """Import torch and chatterbox, quietly. Raises EngineUnavailable naming the fix."""
    was_imported = is_imported()
    # NUMBA_DISABLE_JIT would save ten seconds on the first voice ever, but where numba has not cached anything yet,
    # librosa's vectorised functions then fail to compile (numba 0.68), and with them the import.
    try:
        with logged_output(), collector_at_rest():
            import perth

            importlib.import_module("chatterbox.tts")  # and with it torch, transformers and librosa
    # A shared library that torch was built with and that is missing or another is an OSError.
    except (ImportError, OSError) as error:
        raise EngineUnavailable(
            f"the chatterbox engine cannot be imported ({error}). Install it with: make setup, "
            "or: pip install chatterbox-tts==0.1.7 'setuptools<82'"
        ) from error
    if perth.PerthImplicitWatermarker is None:
        raise EngineUnavailable(
            "the watermarker perth is not usable, because pkg_resources is missing. "
            "Install it with: pip install 'setuptools<82'"
        )
    if not was_imported:
        gc.freeze()
    logging.getLogger("chatterbox").setLevel(logging.ERROR)
    _quieten()


def _quieten() -> None:
    """What the library prints at each chunk, where redirecting the whole process's streams would go too far."""
    from chatterbox.models.s3gen import flow_matching

    flow_matching.print = lambda *said: log.debug("%s", said)
    flow_matching.tqdm = lambda steps, **options: steps
    warnings.filterwarnings("ignore", message=".*sdp_kernel.*", category=FutureWarning)


@functools.cache
def library_version() -> str:
    """The installed version of chatterbox-tts, without importing it. Raises EngineUnavailable."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("chatterbox-tts")
    except PackageNotFoundError as error:
        raise EngineUnavailable("chatterbox-tts is not installed. Install it with: make setup") from error
