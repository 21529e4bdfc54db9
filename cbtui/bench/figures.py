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
from pathlib import Path
from statistics import median
from typing import Any

Figures = Mapping[str, Any]
Tell = Callable[[str], None]

_PERCENTILES = ("p50", "p99", "max")
# How the name of a figure, or of the group it stands in, ends, and its unit.
_UNITS = {
    "ms": "ms",
    "bytes_per_second": "bytes/s",
    "per_second": "/s",
    "seconds": "s",
    "bytes_per_task": "bytes",
    "bytes": "bytes",
    "ratio": "x",
    "ratio_to_fast": "x",
    "ratio_to_defaults": "x",
}


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """`p50`, `p99` and `max` of some measurements, in their unit; nearest rank."""
    ordered = sorted(values)
    return {
        "p50": median(ordered),
        "p99": ordered[min(len(ordered), math.ceil(0.99 * len(ordered))) - 1],
        "max": ordered[-1],
    }


def milliseconds(
    action: Callable[[int], object], times: int, *, before: Callable[[int], object] = lambda number: None
) -> dict[str, float]:
    """Percentiles of what `action(0)`, `action(1)` and so on take, in ms; `before(0)` and so on are not counted."""
    taken = []
    for number in range(times):
        before(number)
        with stopwatch() as seconds:
            action(number)
        taken.append(1000 * seconds())
    return percentiles(taken)


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Gives a function for the seconds so far; after the block, those of the block."""
    started = time.perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.perf_counter()) - started
    ended.append(time.perf_counter())


def machine(*packages: str, folder: Path | None = None) -> dict[str, Any]:
    """What the figures depend on; `file_system` is the type of the one that holds `folder`."""
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
        **({"file_system": file_system_of(folder)} if folder is not None else {}),
    }


def file_system_of(folder: Path) -> str | None:
    """The type of the file system that holds a folder, such as `ext4`; None where the system does not say."""
    import psutil

    real = folder.resolve()
    holders = [each for each in psutil.disk_partitions(all=True) if real.is_relative_to(each.mountpoint)]
    # Of two on one mount point, the later one is seen.
    holders.sort(key=lambda each: len(Path(each.mountpoint).parts))
    return holders[-1].fstype if holders else None


def rounded(figures: Any) -> Any:
    """The same figures with four significant digits, fit for JSON."""
    if isinstance(figures, Mapping):
        return {name: rounded(value) for name, value in figures.items()}
    if isinstance(figures, float):
        return float(f"{figures:.4g}")
    return figures


def lines(figures: Figures) -> Iterator[str]:
    """A line for each figure: its name with dots, the value with its unit, and its ratio where it has one.

    Percentiles are one figure. The ratio of `seconds` and `per_second` stands beside them, that of `change_ms` in the
    group `change`.
    """
    flat = dict(_flat(figures))
    ratios = {name: ratio for name in flat if (ratio := _ratio_name(name)) in flat}
    for name, value in flat.items():
        if name in ratios.values():
            continue
        ratio = f"  ({flat[ratios[name]]} times the baseline)" if name in ratios else ""
        yield f"{name:<34} {_with_unit(name, value)}{ratio}"


def _flat(figures: Figures, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping) and tuple(value) != _PERCENTILES:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _ratio_name(name: str) -> str:
    group, _, last = name.rpartition(".")
    return f"{group}.ratio" if last in {"seconds", "per_second"} else f"{name.rpartition('_')[0]}.ratio"


def _with_unit(name: str, value: Any) -> str:
    if value is None:
        return "not measured"
    if isinstance(value, Mapping):
        value = "  ".join(f"{each} {_plain(value[each])}" for each in _PERCENTILES)
    words = reversed(name.split("."))
    unit = next((unit for word in words for end, unit in _UNITS.items() if f"_{word}".endswith(f"_{end}")), "")
    return f"{_plain(value)} {unit}".rstrip()


def _plain(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) and value >= 1000 else str(value)
