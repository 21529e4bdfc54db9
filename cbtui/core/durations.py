"""Durations as people say them."""

from __future__ import annotations


def format_seconds(seconds: float) -> str:
    """`0.4 s`, `48 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def format_speed(speech_seconds: float, work_seconds: float) -> str:
    """How fast speech is made: `12x`, `1.3x`, `0.15x`. `1.0x` is as fast as it is heard; more is faster."""
    speed = speech_seconds / work_seconds
    return f"{speed:.0f}x" if speed >= 10 else f"{speed:.1f}x" if speed >= 0.1 else f"{speed:.2f}x"
