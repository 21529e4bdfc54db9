"""What benches share: percentiles, ratios, the machine's facts, and the table for people."""

from __future__ import annotations

import math
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

Figures = Mapping[str, Any]


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """`p50`, `p99` and `max` of some measurements, in their unit; nearest rank."""
    ordered = sorted(values)
    return {
        "p50": median(ordered),
        "p99": ordered[min(len(ordered), math.ceil(0.99 * len(ordered))) - 1],
        "max": ordered[-1],
    }


def milliseconds(action: Callable[[int], object], times: int) -> dict[str, float]:
    """Percentiles of what `action(0)`, `action(1)` and so on take, in ms."""
    taken = []
    for number in range(times):
        started = time.perf_counter()
        action(number)
        taken.append(1000 * (time.perf_counter() - started))
    return percentiles(taken)


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Gives a function for the seconds so far; after the block, those of the block."""
    started = time.perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.perf_counter()) - started
    ended.append(time.perf_counter())


def machine(*packages: str) -> dict[str, Any]:
    """What the figures depend on."""
    versions: dict[str, str | None] = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "versions": versions,
    }


def rounded(figures: Any) -> Any:
    """The same figures with four significant digits, fit for JSON."""
    if isinstance(figures, Mapping):
        return {name: rounded(value) for name, value in figures.items()}
    if isinstance(figures, float):
        return float(f"{figures:.4g}")
    return figures


def lines(figures: Figures, prefix: str = "") -> Iterator[str]:
    """A line for each figure: its name with dots, and the value."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from lines(value, f"{prefix}{name}.")
        else:
            yield f"{prefix + name:<44} {'not measured' if value is None else value}"
