"""Reading tensors into memory of our own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox.read_tensors import TensorFile

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
    read = TensorFile(file).read(list(TENSORS))
    assert set(read) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor)


def test_only_what_is_asked_for_is_read_and_it_is_aligned(file: Path) -> None:
    read = TensorFile(file).read(["half", "weight"])
    assert set(read) == {"half", "weight"}
    assert {tensor.data_ptr() % 64 for tensor in read.values()} == {read["half"].data_ptr() % 64}


def test_a_file_that_was_cut_short_is_an_error_that_names_it(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-8])
    with pytest.raises(EngineUnavailable, match=r"some\.safetensors ends too early"):
        TensorFile(file).read(list(TENSORS))


def test_rows_of_several_weights_lie_one_below_the_other(file: Path) -> None:
    first, second = torch.randn(2, 5), torch.randn(4, 5)
    save_file({"first": first, "between": torch.ones(3), "second": second}, file)
    there = TensorFile(file)
    scratch = torch.zeros(there.bytes_of(["second", "first"]) + 100, dtype=torch.uint8)
    assert torch.equal(there.read_rows(["second", "first"], scratch), torch.cat([second, first]))


def test_a_file_that_is_replaced_is_still_the_one_that_was_opened(file: Path, tmp_path: Path) -> None:
    there = TensorFile(file)
    save_file({"weight": torch.zeros(3, 5)}, tmp_path / "other.safetensors")
    (tmp_path / "other.safetensors").replace(file)
    assert torch.equal(there.read(["weight"])["weight"], TENSORS["weight"])
