"""A text without a file: the name that its first words give it, and settings put in front of it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping

from cbtui.core.clean import clean_text
from cbtui.jobs.plain_text import split_front_matter

Setting = str | int | float | Mapping[str, "Setting"]

MAX_NAME_LENGTH = 40  # characters
_UNNAMED = "task"

# Far more than a name takes.
_LOOKED_AT = 1000  # characters
_TAG = re.compile(r"<[^<>\n]*>|\[[^\[\]\n]*\]")


def name_for(text: str) -> str:
    """The first words of the text below any settings, joined by `-`: letters and digits of any script, no tags."""
    beginning = split_front_matter(clean_text(text)).text.lstrip()[:_LOOKED_AT]
    words = _words(unicodedata.normalize("NFC", _TAG.sub(" ", beginning).lower()))
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word
        if len(longer) > MAX_NAME_LENGTH:
            # Scripts that put no spaces between words make one word of a sentence.
            return name or longer[:MAX_NAME_LENGTH]
        name = longer
    return name or _UNNAMED


def with_settings(text: str, settings: Mapping[str, Setting]) -> str:
    """`text` below a block of settings. Raises ValueError where it has its own, or a setting is not UTF-8."""
    if split_front_matter(clean_text(text)).settings is not None:
        raise ValueError("the text begins with settings of its own: use those or the options, not both")
    lines = [f"{key}: {_scalar(key, value)}" for key, value in settings.items()]
    return "\n".join(["---", *lines, "---", text])


def _words(text: str) -> list[str]:
    # Marks belong to their letter: vowel signs in Hindi, accents that have no composed form.
    return "".join(each if unicodedata.category(each)[0] in "LNM" else " " for each in text).split()


def _scalar(key: str, value: Setting) -> str:
    """As YAML on one line; text is quoted, so that nothing in it means more than itself."""
    scalar = json.dumps(value, ensure_ascii=False)
    try:
        scalar.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{key}: is not UTF-8") from None
    return scalar
