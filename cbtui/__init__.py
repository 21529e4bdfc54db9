"""cbtui: a terminal job manager for Chatterbox text-to-speech that keeps the model warm."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cbtui.engine.cache import ChatterboxModelCache

__version__ = "0.1.0"
__all__ = ["ChatterboxModelCache", "__version__"]


def __getattr__(name: str) -> object:
    """Import what is public when it is first asked for, so that `import cbtui` costs nothing."""
    if name == "ChatterboxModelCache":
        from cbtui.engine.cache import ChatterboxModelCache

        return ChatterboxModelCache
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
