"""A jobs directory on a real disk, and what it says about its files."""

from __future__ import annotations

from pathlib import Path

from cbtui.core.problem import InvalidFile
from cbtui.core.task import Task
from cbtui.jobs import load_task


class JobsFolder:
    """Writes files under `root` and loads them, with the working directory at its parent."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def write(self, name: str, content: str | bytes = "") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def clip(self, name: str) -> Path:
        return self.write(name, b"RIFF....WAVE")

    def load(self, name: str, content: str | bytes | None = None, user_settings: Path | None = None) -> Task:
        path = self.root / name if content is None else self.write(name, content)
        return load_task(path, root=self.root, user_settings=user_settings)

    def problems(self, name: str, content: str | bytes | None = None, user_settings: Path | None = None) -> list[str]:
        """What is wrong with a file, one line each; empty for a good one."""
        try:
            self.load(name, content, user_settings)
        except InvalidFile as error:
            return [str(problem) for problem in error.problems]
        return []
