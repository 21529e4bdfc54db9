"""The weights of a transformer's layers, for who makes copies of another form."""

from __future__ import annotations

from typing import Any

import torch

from cbtui.engine.chatterbox.products import can_pack
from cbtui.engine.chatterbox.read_tensors import TensorFile


class LayerWeights:
    """Weights of a T3 by name: from its file, where loading left them there, else the module's own.

    From the file each is read into the same memory, so that beside the copies only one lies in memory at a time.
    """

    def __init__(self, t3: Any, dtype: torch.dtype) -> None:
        self._t3 = t3
        file: TensorFile | None = getattr(t3, "layer_file", None)
        # A product that keeps the weight as it is must not get memory that is used again.
        self._file = file if can_pack(t3.device.type, dtype) else None
        self._scratch = torch.empty(0, dtype=torch.uint8)

    def __call__(self, *names: str) -> torch.Tensor:
        """The rows of these weights, one weight below the other; good until the next call.

        Raises EngineUnavailable for a file that was cut short since it was loaded.
        """
        if self._file is None:
            weights = [self._t3.get_parameter(name).detach() for name in names]
            return weights[0] if len(weights) == 1 else torch.cat(weights)
        wanted = self._file.bytes_of(names)
        if self._scratch.numel() < wanted:
            self._scratch = torch.empty(wanted, dtype=torch.uint8)
        return self._file.read_rows(names, self._scratch)
