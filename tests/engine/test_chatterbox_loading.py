"""What the loader gives equals what the library's `from_local` gives, and what does not fit is refused by name."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox.checkpoint import checkpoint_in
from cbtui.engine.chatterbox.library import import_library
from tests.engine.stock import load_stock
from tests.support.checkpoint import checkpoint


def load_ours(model: str, folder: Path) -> Any:
    import_library()
    from cbtui.engine.chatterbox.loader import load_model

    return load_model(checkpoint_in(folder, model), "cpu")  # type: ignore[arg-type]


def all_tensors(module: Any) -> dict[str, torch.Tensor]:
    """Parameters, buffers and plain tensor attributes of a module and all below it."""
    found = dict(module.named_parameters()) | dict(module.named_buffers())
    for path, part in module.named_modules():
        for name, value in vars(part).items():
            if isinstance(value, torch.Tensor):
                found[f"{path}.{name}"] = value
    return found


@pytest.mark.parametrize("model", ["english", "multilingual", "turbo"])
def test_every_tensor_equals_the_librarys(model: str) -> None:
    folder = checkpoint(model)
    stock, ours = load_stock(model, folder), load_ours(model, folder)
    for part in ("t3", "s3gen", "ve"):
        expected, given = all_tensors(getattr(stock, part)), all_tensors(getattr(ours, part))
        assert given.keys() == expected.keys()
        for name, tensor in expected.items():
            assert given[name].dtype == tensor.dtype, name
            assert torch.equal(given[name], tensor), name
            assert not given[name].is_meta
        assert not getattr(ours, part).training
    assert type(ours).__name__ == type(stock).__name__
    del stock, ours
    gc.collect()


def broken_copy(folder: Path, to: Path) -> Path:
    """A checkpoint whose files are links to the good one, to break some."""
    to.mkdir()
    for path in folder.iterdir():
        (to / path.name).symlink_to(path)
    return to


def replace_tensors(folder: Path, name: str, change: Any) -> None:
    state = load_file(folder / name)
    (folder / name).unlink()
    change(state)
    save_file(state, folder / name)


@pytest.mark.parametrize("model", ["english", "multilingual", "turbo"])
def test_layers_that_stay_in_the_file_are_read_as_the_module_has_them(model: str) -> None:
    import_library()
    from cbtui.engine.chatterbox.layer_weights import LayerWeights
    from cbtui.engine.chatterbox.loader import load_model

    t3 = load_model(checkpoint_in(checkpoint(model), model), "cpu", map_layers=True).t3
    read = LayerWeights(t3, torch.float32)
    layers = [(name, weight) for name, weight in t3.named_parameters() if ".layers." in name or ".h." in name]
    assert len(layers) > 10
    for name, weight in layers:
        assert torch.equal(read(name), weight), name
    alike = [name for name, weight in layers if weight.shape == layers[0][1].shape]
    assert torch.equal(read(*alike), torch.cat([t3.get_parameter(name) for name in alike]))


def test_what_s3gen_waits_with_is_brought_in_for_a_clip_and_lent_to_who_copies(english_checkpoint: Path) -> None:
    import_library()
    from cbtui.engine.chatterbox.conditionals import LISTENING
    from cbtui.engine.chatterbox.left_in_file import bring_in, lent_by
    from cbtui.engine.chatterbox.loader import load_model

    checkpoint = checkpoint_in(english_checkpoint, "english")
    whole = all_tensors(load_model(checkpoint, "cpu").s3gen)
    s3gen = load_model(checkpoint, "cpu", map_layers=True).s3gen

    def lies_in_memory(beginning: str) -> bool:
        """Torch's memory is aligned; a file's header is followed at once by what it tells of."""
        named = ((name, weight) for name, weight in s3gen.named_parameters() if name.startswith(beginning))
        return all(weight.data_ptr() % 64 == 0 for _, weight in named)

    assert not lies_in_memory("tokenizer.")
    assert not lies_in_memory("flow.decoder.")
    with lent_by(s3gen, "flow.decoder."):
        assert lies_in_memory("flow.decoder.")
        assert not lies_in_memory("tokenizer.")
    assert not lies_in_memory("flow.decoder.")
    bring_in(s3gen, *LISTENING)
    assert lies_in_memory("tokenizer.")
    assert lies_in_memory("speaker_encoder.")
    for name, tensor in all_tensors(s3gen).items():
        assert torch.equal(tensor, whole[name]), name


def test_a_missing_tensor_is_named(english_checkpoint: Path, tmp_path: Path) -> None:
    folder = broken_copy(english_checkpoint, tmp_path / "model")
    replace_tensors(folder, "ve.safetensors", lambda state: state.pop("proj.weight"))
    with pytest.raises(EngineUnavailable, match=r"ve\.safetensors .* lacks tensors proj\.weight"):
        load_ours("english", folder)


def test_a_surplus_tensor_is_named(english_checkpoint: Path, tmp_path: Path) -> None:
    folder = broken_copy(english_checkpoint, tmp_path / "model")
    replace_tensors(folder, "ve.safetensors", lambda state: state.update(strange=torch.zeros(1)))
    with pytest.raises(EngineUnavailable, match=r"ve\.safetensors .* unknown tensors strange"):
        load_ours("english", folder)


def test_a_misshapen_tensor_is_named(english_checkpoint: Path, tmp_path: Path) -> None:
    folder = broken_copy(english_checkpoint, tmp_path / "model")
    replace_tensors(folder, "ve.safetensors", lambda state: state.update({"proj.weight": torch.zeros(2, 2)}))
    with pytest.raises(EngineUnavailable, match=r"proj\.weight has the shape \(2, 2\)"):
        load_ours("english", folder)


@pytest.mark.parametrize("name", ["ve.safetensors", "conds.pt"])
def test_a_cut_off_file_is_named(english_checkpoint: Path, tmp_path: Path, name: str) -> None:
    folder = broken_copy(english_checkpoint, tmp_path / "model")
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineUnavailable, match=f"{name} cannot be read"):
        load_ours("english", folder)


def test_a_folder_that_lacks_files_names_them(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match=r"lacks ve\.safetensors, t3_cfg\.safetensors, s3gen\.safetensors of"):
        checkpoint_in(tmp_path, "english")


def test_the_revision_follows_the_weights_and_not_the_folder(english_checkpoint: Path, tmp_path: Path) -> None:
    copy = broken_copy(english_checkpoint, tmp_path / "other name")
    before = checkpoint_in(english_checkpoint, "english").revision
    assert checkpoint_in(copy, "english").revision == before
    replace_tensors(copy, "ve.safetensors", lambda state: state["proj.weight"].add_(1))
    assert checkpoint_in(copy, "english").revision != before


def test_constructing_in_other_threads_stays_as_it_is() -> None:
    import threading

    from cbtui.engine.chatterbox.construct import parameters_on_meta, unfilled_parameters

    made: list[torch.nn.Linear] = []
    for patched in (parameters_on_meta, unfilled_parameters):
        with patched():
            thread = threading.Thread(target=lambda: made.append(torch.nn.Linear(8, 8)))
            thread.start()
            thread.join()
    assert all(not layer.weight.is_meta and bool(layer.weight.abs().sum() > 0) for layer in made)
    assert len(made) == 2
    assert not torch.nn.Linear(2, 2).weight.is_meta
