"""Whether the hub answers: asked in a thread, because a silent name server has no time-out of its own."""

from __future__ import annotations

import functools
import os
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException

PATIENCE_SECONDS = 3.0

# The client's own default (huggingface_hub 1.33, constants.py), known here also where the client is not installed.
_DEFAULT_ENDPOINT = "https://huggingface.co"
_TRUE = {"1", "on", "yes", "true"}


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """`said` completes 'the hub ...'. `asked` is False when nobody wanted to know."""

    asked: bool
    reachable: bool
    said: str


def endpoint() -> str:
    """The hub's address without a final slash; `HF_ENDPOINT` names a mirror."""
    return (os.environ.get("HF_ENDPOINT") or _DEFAULT_ENDPOINT).rstrip("/")


def offline_by_environment() -> str:
    """The name of the variable that forbids the hub's client the network, or ''."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return next((name for name in names if os.environ.get(name, "").lower() in _TRUE), "")


def not_asked(reason: str) -> Callable[[], HubAnswer]:
    """An answer for when the network is left alone."""
    return lambda: HubAnswer(asked=False, reachable=False, said=f"was not asked, because {reason}")


def ask(repository: str) -> Callable[[], HubAnswer]:
    """Ask now, in the background; the function given waits for the answer, at most `PATIENCE_SECONDS`."""
    answers: queue.SimpleQueue[HubAnswer] = queue.SimpleQueue()
    url = f"{endpoint()}/api/models/{repository}"
    threading.Thread(target=lambda: answers.put(_request(url)), daemon=True, name="doctor-hub").start()

    @functools.cache
    def answer() -> HubAnswer:
        try:
            return answers.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            return _no(f"{endpoint()} gave no answer in {PATIENCE_SECONDS:.0f} s")

    return answer


def _request(url: str) -> HubAnswer:
    if not url.startswith(("http://", "https://")):
        return _no(f"has no usable address: HF_ENDPOINT is {endpoint()!r}")
    try:
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - http and https only, see above
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            return _no(f"{endpoint()} answered with status {error.code}")
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        return _no(f"{endpoint()} cannot be reached: {reason or type(error).__name__}")
    return HubAnswer(asked=True, reachable=True, said=f"{endpoint()} answers")


def _no(said: str) -> HubAnswer:
    return HubAnswer(asked=True, reachable=False, said=said)
