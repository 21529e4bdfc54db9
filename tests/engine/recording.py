"""What a CUDA graph is, on the CPU: the operations of a step, repeated on the very memory that they had.

Nothing of Python runs in a replay, so a step that had the host decide anything, or read what does not lie where it did,
gives other tokens.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cbtui.engine.chatterbox.graphs import Step

# Operations whose result, or its size, the host has to wait for, or that bring numbers of the host's.
_ASK_THE_HOST = {
    "aten::_local_scalar_dense",
    "aten::item",
    "aten::is_nonzero",
    "aten::equal",
    "aten::nonzero",
    "aten::masked_select",
    "aten::repeat_interleave",
    "aten::unique_dim",
    "aten::_unique2",
    "aten::bincount",
    "aten::lift_fresh",
    "aten::normal_",
    "aten::exponential_",
    "aten::multinomial",
}


class AskedTheHost(Exception):
    pass


class Recording(TorchDispatchMode):
    """Runs what is done in the context, and keeps it. Raises AskedTheHost."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if operation._schema.name in _ASK_THE_HOST:
            raise AskedTheHost(operation._schema.name)
        result = operation(*args, **(kwargs or {}))
        self._calls.append((operation, args, kwargs or {}, result))
        return result

    def replay(self) -> None:
        for operation, args, kwargs, result in self._calls:
            if operation._schema.is_mutable:
                operation(*args, **kwargs)
            elif not _memory(result) & _memory((args, kwargs)):
                for old, new in zip(tree_leaves(result), tree_leaves(operation(*args, **kwargs)), strict=True):
                    old.copy_(new)


def _memory(tree: Any) -> set[int]:
    tensors = (leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor) and not leaf.is_mkldnn)
    return {tensor.untyped_storage().data_ptr() for tensor in tensors}


class RecorderOnTheCpu:
    """Recording also runs the step, which a CUDA graph's does not: so what it returns does nothing at first."""

    def warm_up(self, step: Step) -> None:
        step()

    def record(self, step: Step) -> Step:
        recording, has_run = Recording(), True
        with recording:
            step()

        def run() -> None:
            nonlocal has_run
            if not has_run:
                recording.replay()
            has_run = False

        return run

    def forget(self) -> None:
        pass
