"""What an error of torch or the library means: for one chunk, or for the whole process."""

from __future__ import annotations

import gc

import torch

from cbtui.engine.base import ChunkFailure, EngineUnavailable

# After these every further call in the process fails too (CUDA's errors are sticky).
_DEVICE_IS_GONE = ("CUDA error", "device-side assert", "CUBLAS_STATUS", "CUDNN_STATUS", "no kernel image")


def explain_fault(request_id: str, error: Exception, device: str) -> ChunkFailure:
    """The failure of one chunk. Raises EngineUnavailable when the device can do nothing more in this process."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, torch.OutOfMemoryError):
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        advice = "free memory there, set a smaller chunking.limit, or choose --device cpu"
        return ChunkFailure(request_id, f"out of memory on {device}: {advice}", retry_with_next_seed=False)
    if isinstance(error, RuntimeError) and any(sign in str(error) for sign in _DEVICE_IS_GONE):
        raise EngineUnavailable(
            f"the device {device} failed and does nothing more in this process: {reason} "
            "Finished chunks are kept; run the same command again, and see what cbtui doctor says."
        ) from error
    return ChunkFailure(request_id, f"the model failed: {type(error).__name__}: {reason}", retry_with_next_seed=True)
