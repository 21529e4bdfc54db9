"""Where things lie: the XDG places of the user, and what the command line puts in their stead."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

APP = "cbtui"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders one invocation works with, all absolute. None of them needs to exist yet."""

    jobs: Path
    output: Path
    state: Path
    cache: Path
    config: Path

    @property
    def user_settings(self) -> Path:
        return self.config / "settings.yaml"

    @property
    def voices(self) -> Path:
        """Voices made from reference clips, by content."""
        return self.cache / "voices"

    @property
    def chunk_index(self) -> Path:
        """Links from chunk keys to the takes that hold them."""
        return self.cache / "chunks"

    @property
    def log(self) -> Path:
        """What libraries and cbtui itself write while they work."""
        return self.state / "cbtui.log"

    @property
    def cache_log(self) -> Path:
        """Every cache look-up of this machine, newest last."""
        return self.state / "cache-events.jsonl"


def find_places(*, jobs: str | None = None, output: str | None = None, state: str | None = None) -> Places:
    """The user's places; `jobs` and `output` default to folders of that name in the working directory.

    A `state` folder given by hand also holds the caches, so that nothing of the user's is touched.
    """
    import platformdirs

    dirs = platformdirs.PlatformDirs(APP, appauthor=False)
    return Places(
        jobs=_folder(jobs or "jobs"),
        output=_folder(output or "output"),
        state=_folder(state) if state else dirs.user_state_path,
        cache=_folder(state) / "cache" if state else dirs.user_cache_path,
        config=dirs.user_config_path,
    )


def _folder(named: str) -> Path:
    # Unlike Path's, this one leaves a tilde of nobody's alone.
    return Path(os.path.expanduser(named)).absolute()  # noqa: PTH111
