"""Packages that the library prepares the text of some languages with; no torch.

Where one is missing, the library goes on without it and only writes a line to its log.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

# Distributions by language (chatterbox-tts 0.1.7, models/tokenizers/tokenizer.py).
NEEDED: Mapping[str, str] = {"ja": "pykakasi", "zh": "spacy-pkuseg"}
HELPFUL: Mapping[str, str] = {"he": "dicta-onnx", "ru": "russian-text-stresser"}


class LanguageUnavailable(Exception):
    """A language cannot be spoken as this machine stands. The message says what to install or download."""


def helper_version(language: str) -> str | None:
    """Name and version of the package that decides how a language's text is read; None without one."""
    package = NEEDED.get(language) or HELPFUL.get(language)
    installed = _installed(package) if package else None
    return f"{package} {installed}" if installed else None


def require_helper(language: str) -> None:
    """Raises LanguageUnavailable when a language cannot be spoken without a package that is missing."""
    package = NEEDED.get(language)
    if package and _installed(package) is None:
        raise LanguageUnavailable(f"language {language} needs the package {package}: pip install {package}")


def missing_helper(language: str) -> str | None:
    """The package without which a language is spoken worse, if it is missing."""
    package = HELPFUL.get(language)
    return package if package and _installed(package) is None else None


@functools.cache
def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
