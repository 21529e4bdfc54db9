"""The log of a process that runs for days: it stays small, and what libraries write follows it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, sys
from pathlib import Path
from cbtui import console
console._MAX_LOG_BYTES = 1000
log = Path(sys.argv[1])
kept = console.claim_terminal(log)
for number in range(6):
    os.write(1, f"{number}".encode() * 1200)
    console.keep_log_small(log)
log.rename(log.with_name("moved"))
console.keep_log_small(log)
os.write(2, b"after the move")
kept.result("to the terminal")
"""


def test_a_large_log_begins_anew_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "cbtui.log"
    ended = subprocess.run([sys.executable, "-c", SCRIPT, str(log)], capture_output=True, check=True, text=True)
    assert ended.stdout == "to the terminal\n"
    assert log.read_text() == "after the move"
    older = {path.name: path.read_text()[:1] for path in tmp_path.iterdir() if path.suffix in {".1", ".2", ".3", ".4"}}
    assert older == {"cbtui.log.1": "5", "cbtui.log.2": "4", "cbtui.log.3": "3"}


def test_the_log_is_the_users_alone(tmp_path: Path) -> None:
    log = tmp_path / "cbtui.log"
    subprocess.run([sys.executable, "-c", SCRIPT, str(log)], capture_output=True, check=True)
    assert log.stat().st_mode & 0o077 == 0
