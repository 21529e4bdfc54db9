"""Task files: found, read, checked, and turned into tasks. A bad file is an answer that says what to mend."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cbtui.jobs.loader import Loaded, job_of_folder, load_task, load_tasks
    from cbtui.jobs.scan import find_task_files, is_task_name, natural_order

__all__ = ["Loaded", "find_task_files", "is_task_name", "job_of_folder", "load_task", "load_tasks", "natural_order"]

_IN_SCAN = frozenset({"find_task_files", "is_task_name", "natural_order"})


def __getattr__(name: str) -> object:
    """Import what is public when it is first asked for: a screen that reads a theme must not wait for the schema."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{'scan' if name in _IN_SCAN else 'loader'}"), name)
    return found
