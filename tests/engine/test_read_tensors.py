"""Reading tensors into memory of our own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cbtui.engine.chatterbox.read_tensors import read_tensors

TENSORS = {
    "weight": torch.randn(3, 5),
    "count": torch.tensor(7),
    "half": torch.randn(9).half(),
    "brain": torch.randn(2, 3).bfloat16(),
    "flags": torch.tensor([True, False, True]),
    "none": torch.empty(0, 4),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file(TENSORS, tmp_path / "some.safetensors", metadata={"of": "a test"})
    return tmp_path / "some.safetensors"


def test_each_tensor_is_as_it_was_saved(file: Path) -> None:
    read = read_tensors(file, list(TENSORS))
    assert set(read) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor)


def test_only_what_is_asked_for_is_read_and_it_is_aligned(file: Path) -> None:
    read = read_tensors(file, ["half", "weight"])
    assert set(read) == {"half", "weight"}
    assert {tensor.data_ptr() % 64 for tensor in read.values()} == {read["half"].data_ptr() % 64}


def test_a_file_that_was_cut_short_is_an_error_that_names_it(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-8])
    with pytest.raises(OSError, match=r"some\.safetensors ends too early"):
        read_tensors(file, list(TENSORS))
