"""A user's home with the real command line in it: folders of their own, a process for every call."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SECONDS = 60.0
"""How long anything may take before a test gives up on it; no test measures time."""

Content = str | bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process left: its exit status and all that it wrote."""

    status: int
    out: str
    err: str

    @property
    def results(self) -> list[str]:
        """The first word of each line on stdout: what became of each run."""
        return [line.split()[0] for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Home:
    """Folders for jobs, output and state under `root`, which is also the working directory."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def state(self) -> Path:
        return self.root / "state"

    def write(self, name: str, content: Content) -> Path:
        """A file in the jobs directory, by its path there."""
        path = self.jobs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def command(self, *arguments: str | Path) -> list[str]:
        folders = ["--jobs-dir", self.jobs, "--output-dir", self.output, "--state-dir", self.state]
        return [sys.executable, "-m", "cbtui", *map(str, [*folders, *arguments])]

    def variables(self) -> dict[str, str]:
        """The environment of every process: nothing of the real user, no network."""
        folders = {f"XDG_{kind}_HOME": str(self.root / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE", "DATA")}
        hub = {"HF_HOME": str(self.root / "hub"), "HF_HUB_OFFLINE": "1"}
        return {**os.environ, "HOME": str(self.root), **folders, **hub, **self.environment}

    def cbtui(self, *arguments: str | Path, seconds: float = SECONDS, **how: Any) -> Ended:
        """A call from start to end."""
        return self.execute(self.command(*arguments), seconds=seconds, **how)

    def run(self, *arguments: str | Path, **how: Any) -> Ended:
        """`cbtui run` on the draft voice."""
        return self.cbtui("run", "--engine", "espeak", *arguments, **how)

    def execute(self, command: list[str], *, seconds: float = SECONDS, **how: Any) -> Ended:
        how = {"cwd": self.root, "env": self.variables(), "stdin": subprocess.DEVNULL, **how}
        ended = subprocess.run(command, capture_output=True, timeout=seconds, check=False, **how)
        return Ended(ended.returncode, _text(ended.stdout), _text(ended.stderr))

    def watch(self, *arguments: str | Path) -> Running:
        """`cbtui watch` on the draft voice, once it watches."""
        host = self.start("watch", "--engine", "espeak", *arguments)
        host.wait_for_result("watching")
        return host

    def status(self) -> dict[str, Any]:
        """What `cbtui status --json` prints."""
        content: dict[str, Any] = json.loads(self.cbtui("status", "--json").out)
        return content

    def start(self, *arguments: str | Path) -> Running:
        """A call that goes on while the test does something else."""
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return Running(process)

    def runs(self, task: str) -> list[Path]:
        """The folders of a task's runs, oldest first; `task` is `job/name`."""
        return sorted(path for path in (self.output / task).glob("*") if path.is_dir())

    def final(self, task: str) -> Path:
        """The finished file of the newest run."""
        return self.runs(task)[-1] / f"{task.rpartition('/')[2]}.wav"

    def manifest(self, task: str) -> dict[str, Any]:
        """That of the newest run."""
        content: dict[str, Any] = json.loads((self.runs(task)[-1] / "manifest.json").read_text())
        return content

    def takes(self, task: str) -> dict[str, tuple[int, int]]:
        """Name -> inode and time of change of each take of the newest run: equal for files that nobody touched."""
        files = (self.runs(task)[-1] / "chunks").glob("*.wav")
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}

    def rendered_keys(self) -> list[str]:
        """The key of every take that the engine made in this home, oldest first."""
        log = self.state / "cache-events.jsonl"
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [event["key"] for event in events if event["layer"] == "chunk" and not event["hit"]]

    def leftovers(self) -> list[Path]:
        """Half-written files anywhere in the output."""
        return [path for path in self.output.rglob("*") if path.name.endswith(".part")]


class Running:
    """A process whose output is followed while it works."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.err = ""
        self.out = ""

    def wait_for(self, pattern: str, seconds: float = SECONDS) -> None:
        """Wait until a line of its stderr matches."""
        while not re.search(pattern, self.err, re.MULTILINE):
            self.err += self._more(self.process.stderr, pattern, seconds)

    def wait_for_result(self, pattern: str, seconds: float = SECONDS) -> str:
        """Wait until a line of its stdout matches; returns the line."""
        while not (found := re.search(f"^.*{pattern}.*$", self.out, re.MULTILINE)):
            self.out += self._more(self.process.stdout, pattern, seconds)
        return found.group()

    def _more(self, stream: IO[bytes] | None, pattern: str, seconds: float) -> str:
        assert stream is not None
        readable, _, _ = select.select([stream.fileno()], [], [], seconds)
        part = os.read(stream.fileno(), 65536) if readable else b""
        if not part:
            self.process.kill()
            raise AssertionError(f"{pattern!r} did not come; so far:\n{self.out}\n{self.err}")
        return _text(part)

    def send(self, number: int) -> Ended:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.end()

    def end(self, seconds: float = SECONDS) -> Ended:
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return Ended(self.process.returncode, self.out + _text(out), self.err + _text(err))


def paragraphs(count: int, *, seed: int | None = 1) -> str:
    """A task of `count` chunks, each with a text of its own."""
    text = "\n\n".join(f"  This is paragraph number {number}, short and plain." for number in range(1, count + 1))
    return f"text: |\n{text}\n" + (f"seed: {seed}\n" if seed is not None else "")


def no_traceback(ended: Ended) -> bool:
    """Whether every error was told in words."""
    said = ended.out + ended.err
    return "Traceback" not in said and "unexpected error" not in said


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")
