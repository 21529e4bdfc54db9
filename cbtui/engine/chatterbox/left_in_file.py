"""Weights that loading left in their file, until what needs them needs them in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from cbtui.engine.chatterbox.read_tensors import TensorFile


class LeftInFile:
    """Weights of a module that lie in a mapped file, where kernels would give other last bits than in torch's memory.

    A name's beginning says which are meant. Raises EngineUnavailable for a file that was cut short since it was loaded.
    """

    def __init__(self, module: torch.nn.Module, file: TensorFile, names: frozenset[str]) -> None:
        every = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        self._weights = {name: every[name] for name in names}
        self._file = file

    def bring(self, *beginnings: str) -> Mapping[str, torch.Tensor]:
        """Have these weights in memory from now on; gives where they were mapped."""
        wanted = [name for name in self._weights if name.startswith(beginnings)]
        mapped = {}
        with torch.inference_mode(mode=False):
            for name, tensor in self._file.read(wanted).items():
                mapped[name] = self._weights[name].data
                self._weights.pop(name).data = tensor
        return mapped

    @contextmanager
    def lend(self, *beginnings: str) -> Iterator[None]:
        """Have these weights in memory for as long as copies of another form are made."""
        before = dict(self._weights)
        mapped = self.bring(*beginnings)
        try:
            yield
        finally:
            for name, tensor in mapped.items():
                before[name].data = tensor
            self._weights = before


def bring_in(module: Any, *beginnings: str) -> None:
    """Have weights of a module in memory that loading may have left in their file."""
    left: LeftInFile | None = getattr(module, "left_in_file", None)
    if left is not None:
        left.bring(*beginnings)


@contextmanager
def lent_by(module: Any, *beginnings: str) -> Iterator[None]:
    """The same for as long as they are copied."""
    left: LeftInFile | None = getattr(module, "left_in_file", None)
    if left is None:
        yield
        return
    with left.lend(*beginnings):
        yield
