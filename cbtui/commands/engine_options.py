"""The engines that the command line and the user's settings describe."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.host.rendering.engines import Engines


def make_engines(arguments: argparse.Namespace, places: Places) -> Engines:
    """None of them is loaded before a task needs it."""
    from cbtui.host.rendering.engines import Engines

    return Engines(
        places,
        device=arguments.device or "auto",
        model_dir=Path(arguments.model_dir) if arguments.model_dir else None,
        precision=arguments.precision or "exact",
        batch=arguments.batch,
    )
