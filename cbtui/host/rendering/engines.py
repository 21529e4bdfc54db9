"""The engines of one process, each made when a task first asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cbtui.core.task import EngineName, ModelName, Task
from cbtui.engine.base import Engine
from cbtui.engine.cache import ModelCache, shared_models
from cbtui.engine.voices import VoiceStore
from cbtui.paths import Places


@dataclass(slots=True)
class Engines:
    """Engines by name and model. `device` and `model_dir` hold for all of them; `models` is the process's cache."""

    places: Places
    device: str = "auto"
    model_dir: Path | None = None
    models: ModelCache = field(default_factory=lambda: shared_models)
    _made: dict[tuple[EngineName, ModelName | None], Engine] = field(default_factory=dict)

    def of(self, task: Task) -> Engine:
        """The engine that renders this task; it loads nothing before it renders."""
        key = (task.engine, task.model if task.engine == "chatterbox" else None)
        if key not in self._made:
            self._made[key] = self._make(task)
        return self._made[key]

    def _make(self, task: Task) -> Engine:
        if task.engine == "espeak":
            from cbtui.engine.espeak import EspeakEngine

            return EspeakEngine()
        from cbtui.engine.chatterbox.engine import ChatterboxEngine

        return ChatterboxEngine(
            task.model,
            cache=self.models,
            voices=VoiceStore(self.places.voices),
            device=self.device,
            model_dir=self.model_dir,
        )
