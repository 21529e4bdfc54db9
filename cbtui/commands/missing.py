"""Packages that the light set of `make demo` lacks: a line about them instead of a traceback."""

from __future__ import annotations

from importlib.util import find_spec


class MissingPackage(Exception):
    """A package that a command needs is not installed; the message says which, and what to do."""


def require(*packages: str) -> None:
    """Raises MissingPackage for the first that is not installed; imports none of them.

    To be called before the terminal is claimed, after which only the log would hear of it.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingPackage(
                f"this needs the package {package}, which is not installed here: run make setup, then .venv/bin/cbtui"
            )
