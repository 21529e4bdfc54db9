"""The engines of one process, each made when it is first asked for, and the models they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cbtui.core.task import EngineName, ModelName, Precision, Task
from cbtui.engine.base import Engine, Vitals
from cbtui.engine.cache import CacheInfo, ModelCache, shared_models
from cbtui.engine.chatterbox.probe import DeviceFacts, device_facts
from cbtui.engine.voices import VoiceStore
from cbtui.paths import Places


@dataclass(slots=True)
class Engines:
    """Engines by name and model. `device`, `model_dir`, `precision` and `batch` (chunks at once;
    None: what the device does best) hold for all of them; `models` is the process's cache."""

    places: Places
    device: str = "auto"
    model_dir: Path | None = None
    precision: Precision = "exact"
    batch: int | None = None
    models: ModelCache = field(default_factory=lambda: shared_models)
    _last: Engine | None = None
    _made: dict[tuple[EngineName, ModelName | None], Engine] = field(default_factory=dict)

    def of(self, task: Task) -> Engine:
        """The engine that renders this task; it loads nothing before it renders."""
        return self.of_model(task.engine, task.model)

    def of_model(self, engine: EngineName, model: ModelName) -> Engine:
        """The engine that renders tasks of this model, e.g. to load it before there is one. `espeak` has no models."""
        key = (engine, model if engine == "chatterbox" else None)
        if key not in self._made:
            self._made[key] = self._make(engine, model)
        self._last = self._made[key]
        return self._last

    def loaded_models(self) -> frozenset[str]:
        """Names of the models in memory, as the queue has them: `chatterbox/turbo`."""
        return frozenset(f"chatterbox/{key.model}" for key in self.models.loaded_keys())

    def relieve(self, task: Task) -> str:
        """Make room for this task where memory ran out; says how, or nothing where there is no way left."""
        engine = self.of(task)
        if engine.batch > 1:
            engine.batch //= 2
            return f"{engine.batch} chunks at once"
        count = self.unload_others(task)
        return f"{count} other {'model' if count == 1 else 'models'} unloaded" if count else ""

    def vitals(self) -> Vitals:
        """The health of the engine that was asked for last."""
        return self._last.vitals() if self._last is not None else Vitals()

    def loaded(self) -> CacheInfo:
        """The models in memory, with their bytes and what loading them took."""
        return self.models.info()

    def unload(self, model: ModelName | None = None) -> int:
        """Let go of a model, or of all, and give the memory back; returns how many went."""
        return self.models.discard(lambda key: model is None or key.model == model)

    def unload_others(self, task: Task) -> int:
        """Let go of all models but the one that this task needs; returns how many went."""
        needed = task.model if task.engine == "chatterbox" else None
        return self.models.discard(lambda key: key.model != needed)

    def device_in_use(self) -> DeviceFacts | None:
        """The device of the models in memory; None while there are none, since before that torch is not asked."""
        keys = self.models.loaded_keys()
        return device_facts(keys[-1].device) if keys else None

    def _make(self, engine: EngineName, model: ModelName) -> Engine:
        if engine == "espeak":
            from cbtui.engine.espeak import EspeakEngine

            return EspeakEngine()
        from cbtui.engine.chatterbox.engine import ChatterboxEngine

        return ChatterboxEngine(
            model,
            cache=self.models,
            voices=VoiceStore(self.places.voices),
            device=self.device,
            model_dir=self.model_dir,
            precision=self.precision,
            batch=self.batch,
        )
