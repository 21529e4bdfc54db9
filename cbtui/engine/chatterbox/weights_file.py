"""One file of a checkpoint, and the module that it is for: every tensor checked, and in the memory that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox.read_tensors import TensorFile

# What torch raises for a `.pt` file that is cut off or none at all.
UNREADABLE = (OSError, RuntimeError, EOFError, ValueError, UnpicklingError)


class WeightsFile:
    """The tensors of a file, on the host, mapped where its format allows.

    Where they are for the CPU, all but those of which `waits` says that they may stay in the file are read into memory
    of their own, in the background from now on: mapped tensors lie at odd alignments, on which kernels differ in the
    last bit. Raises EngineUnavailable for a file that is none of a checkpoint.
    """

    def __init__(self, path: Path, device: str, waits: Callable[[str], bool] = lambda name: False) -> None:
        self.path = path
        self._device = device
        self.tensors = _read(path)
        self.file: TensorFile | None = None
        # Names of those that stay in the file; `file` is there if some do.
        self.waiting: frozenset[str] = frozenset()
        self._copies: Future[dict[str, torch.Tensor]] | None = None
        if device == "cpu" and path.suffix == ".safetensors":
            self.file = TensorFile(path)
            self.waiting = frozenset(
                name for name, tensor in self.tensors.items() if waits(name) and _is_large_and_plain(tensor)
            )
            self._copies = _in_background(self.file, [name for name in self.tensors if name not in self.waiting])

    def give_to(self, module: Any, *, optional: tuple[str, ...] = (), leniently: bool = False) -> Any:
        """Have a freshly constructed module ready to infer on the device, with these tensors.

        Raises EngineUnavailable naming tensors that are missing and not `optional`, misshapen, or, unless `leniently`,
        unknown to it.
        """
        expected = module.state_dict()
        missing = [name for name in expected if name not in self.tensors and name not in optional]
        surplus = [name for name in self.tensors if name not in expected and not leniently]
        if missing or surplus:
            what = [f"lacks {_some(missing)}"] * bool(missing) + [f"has the unknown {_some(surplus)}"] * bool(surplus)
            raise self._unfit(f"it {' and '.join(what)}")
        for name, wanted in expected.items():
            if name in self.tensors and self.tensors[name].shape != wanted.shape:
                found = tuple(self.tensors[name].shape)
                raise self._unfit(f"{name} has the shape {found} where {tuple(wanted.shape)} is needed")
        _put(module, {name: self._placed(name, wanted) for name, wanted in expected.items() if name in self.tensors})
        left = [name for name, tensor in module.named_parameters() if tensor.is_meta]
        if left:
            raise EngineUnavailable(f"{self.path} gave no values for {_some(left)}. Download it again.")
        return module.to(self._device).eval()

    def _placed(self, name: str, wanted: torch.Tensor) -> torch.Tensor:
        copies = self._copies.result() if self._copies is not None else {}
        if name in copies:
            return copies[name].to(wanted.dtype)
        mapped = self.tensors[name]
        placed = mapped.to(device=self._device, dtype=wanted.dtype)
        return placed.clone() if placed.data_ptr() == mapped.data_ptr() and name not in self.waiting else placed

    def _unfit(self, what: str) -> EngineUnavailable:
        return EngineUnavailable(f"{self.path} is not this model's checkpoint: {what}. Download it again.")


def unreadable(path: Path, error: Exception) -> EngineUnavailable:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return EngineUnavailable(f"{path} cannot be read as a checkpoint: {reason}. Delete it and download it again.")


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (*UNREADABLE, SafetensorError) as error:
        raise unreadable(path, error) from error
    return state["model"][0] if "model" in state else state  # type: ignore[no-any-return]


def _is_large_and_plain(tensor: torch.Tensor) -> bool:
    """Whether leaving it in the file is worth while, and possible: the modules are in float32."""
    return tensor.dim() > 1 and tensor.dtype == torch.float32


def _in_background(file: TensorFile, names: list[str]) -> Future[dict[str, torch.Tensor]]:
    pool = ThreadPoolExecutor(1, thread_name_prefix="cbtui-weights")
    reading = pool.submit(file.read, names)
    pool.shutdown(wait=False)
    return reading


def _put(module: Any, tensors: Mapping[str, torch.Tensor]) -> None:
    """What `load_state_dict(assign=True)` does, without looking at every module for every tensor."""
    parts = dict(module.named_modules())
    for name, tensor in tensors.items():
        whose, _, own_name = name.rpartition(".")
        part = parts[whose]
        if own_name in part._buffers:
            part._buffers[own_name] = tensor
        else:
            before = part._parameters[own_name]
            part._parameters[own_name] = torch.nn.Parameter(tensor, requires_grad=before.requires_grad)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"tensors {shown}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
