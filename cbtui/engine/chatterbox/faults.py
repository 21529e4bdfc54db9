"""What an error of torch or the library means: for one chunk, or for the whole process."""

from __future__ import annotations

import traceback

import torch

from cbtui.engine.base import ChunkFailure, DeviceLost, EngineUnavailable, OutOfMemory
from cbtui.engine.cache import give_back_memory

# How the libraries below torch say it, which torch passes on as a plain RuntimeError.
_NO_ROOM = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
# Torch has no code for this GPU, so another process fares no better.
_NOT_FOR_THIS_DEVICE = "no kernel image"
# After these every further call in the process fails too (CUDA's errors are sticky).
_DEVICE_IS_GONE = ("CUDA error", "device-side assert", "CUBLAS_STATUS", "CUDNN_STATUS")


def explain_fault(request_id: str, error: Exception, device: str) -> ChunkFailure:
    """The failure of one chunk.

    Raises OutOfMemory, DeviceLost when the device can do nothing more in this process, and EngineUnavailable when torch
    cannot use it at all.
    """
    reason = first_line(error)
    if ran_out_of_memory(error):
        let_go_of_frames(error)
        raise OutOfMemory(
            f"out of memory on {_place(error, device)} while a chunk was rendered: {reason} "
            "Free memory there, set a smaller chunking.limit, or choose --device cpu."
        ) from error
    if isinstance(error, RuntimeError) and _NOT_FOR_THIS_DEVICE in str(error):
        raise EngineUnavailable(
            f"torch {torch.__version__} has no code for the device {device}: {reason} See what cbtui doctor says."
        ) from error
    if isinstance(error, RuntimeError) and any(sign in str(error) for sign in _DEVICE_IS_GONE):
        raise DeviceLost(
            f"the device {device} failed and does nothing more in this process: {reason} "
            "Finished chunks are kept; run the same command again, and see what cbtui doctor says."
        ) from error
    return ChunkFailure(request_id, f"the model failed: {type(error).__name__}: {reason}", retry_with_next_seed=True)


def ran_out_of_memory(error: Exception) -> bool:
    """Whether an error of torch, or of Python itself, says that there was no room."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _NO_ROOM)


def let_go_of_frames(error: Exception) -> None:
    """Give back the memory of what the failed calls had in hand; an error keeps it alive for as long as it lives."""
    traceback.clear_frames(error.__traceback__)
    give_back_memory()


def first_line(error: Exception) -> str:
    """What an error says, without the pages that torch adds, as a sentence."""
    said = str(error).strip()
    reason = said.splitlines()[0].strip() if said else type(error).__name__
    return reason if reason.endswith(".") else f"{reason}."


def _place(error: Exception, device: str) -> str:
    return "this machine" if isinstance(error, MemoryError) else device
