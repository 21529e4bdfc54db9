"""The leak sentinel: watches what takes cost, and says so when memory, hooks or slowness pile up.

It has no clock and reads nothing: what it warns of follows from what it is given.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from statistics import correlation, fmean, linear_regression, median

_MIB = 1024 * 1024

# Allocators and caches fill up during the first takes of a model.
_WARM_UP_TAKES = 20
_WINDOW = 60
# A slow leak is lost in the noise of one window; its blocks of takes make a second, long one.
_TAKES_PER_BLOCK = 20
_LEAST_GROWTH_BYTES = 64 * _MIB
_LEAST_GROWTH_SHARE = 0.05
# Noise and a saw's teeth do not follow a line.
_LEAST_CORRELATION = 0.8
# Steady growth is a third of the whole from each quarter of the window to the next; a jump is all in one of them.
_LEAST_STEP_SHARE = 1 / 6
_RECOVERED_SHARE = 0.5

# A hook of a take that is still being decoded is gone soon; one that leaked stays.
_HOOK_TAKES = 5

_RECENT_TAKES = 20
_PAST_TAKES = 500
_SLOW_SHARE = 0.5
_NORMAL_SHARE = 0.75
_SPEEDS_KEPT = 100


@dataclass(frozen=True, slots=True)
class TakeVitals:
    """What one take left behind. `memory_bytes` is what is held after it, None where that is not known.

    `hooks` are those on `model`. `tokens`, 0 for drafts, were drawn in `seconds`; `speed_key` names what takes must
    share for their speeds to be compared, e.g. `english@alice`.
    """

    memory_bytes: int | None
    hooks: int
    tokens: int
    seconds: float
    speed_key: str
    model: str = ""


class Sentinel:
    """Each warning comes once, and again only after what it warned of had passed."""

    def __init__(self) -> None:
        self._memory = _Memory()
        self._hooks: dict[str, _Hooks] = {}
        self._speeds: dict[str, _Speed] = {}

    def observe(self, take: TakeVitals) -> list[str]:
        """The warnings that this take gives rise to, as sentences that say what to do."""
        hooks = self._hooks.setdefault(take.model, _Hooks(take.model, take.hooks))
        warnings = [self._memory.observe(take.memory_bytes), hooks.observe(take.hooks), self._observe_speed(take)]
        return [warning for warning in warnings if warning is not None]

    def reset_memory(self) -> None:
        """A model was loaded or let go of: what memory was before says nothing of what it is."""
        self._memory = _Memory()

    def _observe_speed(self, take: TakeVitals) -> str | None:
        if not take.tokens or take.seconds <= 0:
            return None
        # Taken out and put back, so that the first is the one used longest ago.
        speed = self._speeds.pop(take.speed_key, _Speed(take.speed_key))
        self._speeds[take.speed_key] = speed
        if len(self._speeds) > _SPEEDS_KEPT:
            del self._speeds[next(iter(self._speeds))]
        return speed.observe(take.tokens / take.seconds)


class _Memory:
    def __init__(self) -> None:
        self._warming_up = _WARM_UP_TAKES
        self._windows = (_Window(takes_per_point=1), _Window(takes_per_point=_TAKES_PER_BLOCK))
        self._warned = False

    def observe(self, held: int | None) -> str | None:
        if held is None:
            return None
        if self._warming_up:
            self._warming_up -= 1
            return None
        for window in self._windows:
            window.add(held)
        growths = [growth for growth in (window.growth() for window in self._windows) if growth is not None]
        if self._warned:
            self._warned = any(growth.exceeds(_RECOVERED_SHARE) for growth in growths)
            return None
        found = next((growth for growth in growths if growth.steady and growth.exceeds(1.0)), None)
        self._warned = found is not None
        return str(found) if found else None


@dataclass(frozen=True, slots=True)
class _Growth:
    """What the slope of a window comes to: `total` bytes over its `takes`, about a mean of `level` bytes."""

    total: float
    takes: int
    level: float
    steady: bool

    def exceeds(self, share: float) -> bool:
        return self.total > share * max(_LEAST_GROWTH_BYTES, _LEAST_GROWTH_SHARE * self.level)

    def __str__(self) -> str:
        return (
            f"memory leaks: {self.total / _MIB:.0f} MiB more over the last {self.takes} chunks, "
            f"{self.total / self.takes / _MIB:.2g} MiB with each. "
            "Unload the model, or restart cbtui before memory runs out: finished chunks are kept."
        )


class _Window:
    """The last points of memory; each stands for as many takes, and is their median."""

    def __init__(self, *, takes_per_point: int) -> None:
        self._takes_per_point = takes_per_point
        self._takes: list[int] = []
        self._points: deque[float] = deque(maxlen=_WINDOW)

    def add(self, held: int) -> None:
        self._takes.append(held)
        if len(self._takes) == self._takes_per_point:
            self._points.append(median(self._takes))
            self._takes.clear()

    def growth(self) -> _Growth | None:
        """By least squares; None before the window is full."""
        if len(self._points) < _WINDOW:
            return None
        total = linear_regression(range(_WINDOW), self._points).slope * _WINDOW
        steady = _is_steady(list(self._points))
        return _Growth(total, _WINDOW * self._takes_per_point, fmean(self._points), steady)


def _is_steady(points: list[float]) -> bool:
    quarter = len(points) // 4
    levels = [median(points[start : start + quarter]) for start in range(0, len(points), quarter)]
    least = _LEAST_STEP_SHARE * (levels[-1] - levels[0])
    return (
        all(after - before >= least > 0 for before, after in pairwise(levels))
        and correlation(range(len(points)), points) >= _LEAST_CORRELATION
    )


class _Hooks:
    def __init__(self, model: str, at_first: int) -> None:
        self._model = model
        self._least = at_first
        self._recent: deque[int] = deque(maxlen=_HOOK_TAKES)
        self._warned = False

    def observe(self, hooks: int) -> str | None:
        self._recent.append(hooks)
        self._least = min(self._least, hooks)
        grew = min(self._recent) > self._least
        if self._warned or not grew:
            self._warned = grew
            return None
        self._warned = True
        of_model = f" of the {self._model} model" if self._model else ""
        return (
            f"hooks{of_model} pile up: {hooks}, {hooks - self._least} more than at first, and each slows every token. "
            "Unload the model, which loads afresh with the next task."
        )


class _Speed:
    def __init__(self, key: str) -> None:
        self._key = key
        self._recent: deque[float] = deque(maxlen=_RECENT_TAKES)
        self._past: deque[float] = deque(maxlen=_PAST_TAKES)
        self._warned = False

    def observe(self, rate: float) -> str | None:
        """`rate` in tokens per second."""
        # While it is slow, its past stays what it was: slowness must not become what is usual.
        if len(self._recent) == _RECENT_TAKES and not self._warned:
            self._past.append(self._recent[0])
        self._recent.append(rate)
        if len(self._past) < _RECENT_TAKES:
            return None
        now, usual = median(self._recent), median(self._past)
        if self._warned:
            self._warned = now < _NORMAL_SHARE * usual
            return None
        if now >= _SLOW_SHARE * usual:
            return None
        self._warned = True
        return (
            f"{self._key} has become slow: {now:.3g} tokens/s in the last {_RECENT_TAKES} chunks, where {usual:.3g} "
            "are usual. See whether the GPU is hot or another program uses it; else unload the model or restart cbtui."
        )
