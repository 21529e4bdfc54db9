"""The test checkpoints: in the real format, with random weights from the real classes.

`python -m tests.support.checkpoint --model english` makes one, once per machine, and prints its folder last.
The transformer is cut to two layers unless `--full` asks for all of them.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import platformdirs

from cbtui.core.task import MODELS

TEST_LAYERS = 2


def checkpoints_folder() -> Path:
    configured = os.environ.get("CBTUI_TEST_CHECKPOINTS")
    return Path(configured) if configured else platformdirs.user_cache_path("cbtui-test-checkpoints", appauthor=False)


def checkpoint(model: str, *, full: bool = False) -> Path:
    """The folder of a random checkpoint for `english`, `multilingual` or `turbo`, made if there is none."""
    from cbtui.engine.chatterbox.random_checkpoint import random_checkpoint

    layers = None if full else TEST_LAYERS
    return random_checkpoint(checkpoints_folder(), model, layers=layers)  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.checkpoint", description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="english")
    parser.add_argument("--full", action="store_true", help="all layers: several gigabytes, for benchmarks")
    arguments = parser.parse_args()
    print(checkpoint(arguments.model, full=arguments.full))
    return 0


if __name__ == "__main__":
    sys.exit(main())
