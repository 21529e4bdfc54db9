"""Task files that lie beside the jobs directory, and what becomes of them when they are added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cbtui.core.problem import InvalidFile
from cbtui.jobs.adding import Added, add_files
from cbtui.jobs.adding_texts import add_text
from cbtui.jobs.destination import find_destination
from tests.unit.jobs.helpers import JobsFolder


class Drafts:
    """A folder beside the jobs directory, and what becomes of its files."""

    def __init__(self, jobs: JobsFolder) -> None:
        self.jobs = jobs
        self.root = jobs.root.parent / "drafts"
        self.root.mkdir()

    def write(self, name: str, content: str | bytes = "Hello.") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def add(self, *names: str, job: str | None = None, **how: Any) -> tuple[Added, ...]:
        return add_files([self.root / name for name in names], find_destination(self.jobs.root, job), **how)

    def outcomes(self, *names: str, **how: Any) -> list[tuple[str, str]]:
        return [(added.outcome, added.task) for added in self.add(*names, **how)]

    def problems(self, *names: str, **how: Any) -> list[str]:
        """What is said against adding; nothing in the jobs directory has changed then."""
        before = self.content()
        with pytest.raises(InvalidFile) as refused:
            self.add(*names, **how)
        assert self.content() == before
        return [str(problem) for problem in refused.value.problems]

    def content(self) -> dict[str, bytes | None]:
        """Everything in the jobs directory, hidden things too; None for folders."""
        paths = sorted(self.jobs.root.rglob("*"))
        return {
            str(path.relative_to(self.jobs.root)): path.read_bytes() if path.is_file() else None
            for path in paths
            if path.is_dir() or path.is_file()
        }


def typed(jobs: JobsFolder, text: str, *, job: str | None = None, **how: Any) -> Added:
    return add_text(text, find_destination(jobs.root, job), **how)
