"""What a YAML parser's complaint means, in plain words."""

from __future__ import annotations

import yaml

from cbtui.core.clean import visible
from cbtui.core.problem import Problem

_TABS = "YAML does not allow tabs for indentation: use spaces"

# The parser's words (libyaml 0.2.5, and PyYAML's own where they differ) and ours; `{line}` is where the thing began.
_WORDS = (
    ("found a tab character", _TABS),
    ("mapping values are not allowed", "no ':' expected here: check the indentation, or put the value in quotes"),
    ("mapping keys are not allowed", "'?' has a meaning of its own in YAML: put the value in quotes"),
    ("unknown directive", "'%' has a meaning of its own in YAML: put the value in quotes"),
    ("sequence entries are not allowed", "no list ('- ') expected here: start it on a line of its own"),
    ("could not find expected ':'", "a ':' is missing after the key that begins in line {line}"),
    ("did not find expected ',' or ']'", "expected ',' or ']' in the list that opens in line {line}"),
    ("expected ',' or ']'", "expected ',' or ']' in the list that opens in line {line}"),
    ("did not find expected ',' or '}'", "expected ',' or '}' in the mapping that opens in line {line}"),
    ("expected ',' or '}'", "expected ',' or '}' in the mapping that opens in line {line}"),
    ("unexpected end of stream", "the quote that opens in line {line} is never closed"),
    ("unknown escape character", "unknown escape: within double quotes a backslash is written '\\\\'"),
    ("invalid Unicode character escape", "this escape is not a character"),
    ("hexdecimal number", "this escape needs more hexadecimal digits"),
    ("comment or line break", "after '|' or '>' the text begins on the next line"),
    ("alphabetic or numeric character", "'*' and '&' have a meaning of their own in YAML: put the value in quotes"),
    ("undefined tag handle", "'!' has a meaning of its own in YAML: put the value in quotes"),
    ("expected '-' indicator", "expected the next '- ' of the list that begins in line {line}"),
    ("<document start>", "expected a setting (key: value)"),
    ("expected key", "expected a key at the indentation of line {line}; if this belongs to a value, put it in quotes"),
    ("expected <block end>", "expected a key at the indentation of line {line}; is a quote or bracket missing?"),
    ("expected node content", "expected a value here"),
)


def explain_syntax(error: yaml.MarkedYAMLError, text: str, path: str) -> Problem:
    """The problem behind a parser's error in `text`, with its place."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    start = error.context_mark.line + 1 if error.context_mark else line + 1
    message = _in_words(error.problem or "", _character_at(text, line, column))
    return Problem(path, message.replace("{line}", str(start)), line + 1, column + 1)


def _in_words(complaint: str, character: str) -> str:
    if "cannot start any token" in complaint:
        return _TABS if character == "\t" else f"a value cannot begin with '{character}': put it in quotes"
    for theirs, ours in _WORDS:
        if theirs in complaint:
            return ours
    return f"cannot be read as YAML: {visible(complaint)}"


def _character_at(text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    return lines[line][column : column + 1] if line < len(lines) else ""
