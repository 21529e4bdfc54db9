"""Everything that only a GPU can show, in one command: `python -m tests.on_gpu`. Prints one JSON object.

On a machine without one, `--device cpu` runs the same steps there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from cbtui.core.task import MODEL_SAMPLING, MODELS
from cbtui.engine.cache import ModelCache
from cbtui.engine.chatterbox.conditionals import flatten_voice, t3_condition
from cbtui.engine.chatterbox.decode import Decoder
from cbtui.engine.chatterbox.prefill import Prompt
from cbtui.engine.chatterbox.probe import device_facts
from cbtui.engine.chatterbox.prompt import text_tokens
from cbtui.engine.chatterbox.vitals import read_vitals
from cbtui.host.monitor import Monitor
from tests.engine.stock import load_stock
from tests.on_gpu_decoding import graphs_against_launches, is_as_it_should_be, speeds
from tests.on_gpu_speaking import LENGTHS, batch_against_each_alone, sounds_alike
from tests.support.checkpoint import checkpoint

TEXT = "It was the best of times, it was the worst of times."
# Other kernels sum in another order; more than this is an error of ours.
MOST_RELATIVE_DIFFERENCE = 1e-3
STEPS = 20


def main() -> int:
    arguments = _arguments()
    device: str = arguments.device
    if device == "cuda" and not torch.cuda.is_available():
        print("no GPU that torch can use: nothing was measured", file=sys.stderr)
        return 2
    found: dict[str, Any] = {"torch": torch.__version__, "device": device}
    if device == "cuda":
        found["gpu"] = torch.cuda.get_device_name()
    found["against_the_cpu"] = {name: against_the_cpu(name, device) for name in arguments.models}
    found["bytes_per_sequence"] = bytes_per_sequence(device)
    found["memory_panel"] = memory_panel(device)
    found["graphs"] = {name: graphs_against_launches(name, device) for name in arguments.models}
    found["speaking"] = batch_against_each_alone(device, lengths=tuple(arguments.speech))
    found["speeds"] = {} if arguments.no_benches else decoding_speeds(arguments)
    found["benches"] = {} if arguments.no_benches else benches(arguments)
    print(json.dumps(found, indent=2))
    differences = [each["relative_difference"] for each in found["against_the_cpu"].values()]
    alike = all(each["greedy_tokens_equal"] for each in found["against_the_cpu"].values())
    measured = not any("error" in figures for figures in found["benches"].values())
    recorded = all(is_as_it_should_be(each) for each in found["graphs"].values())
    alike = alike and sounds_alike(found["speaking"]) and max(differences) < MOST_RELATIVE_DIFFERENCE
    return 0 if alike and recorded and measured else 1


def against_the_cpu(name: str, device: str) -> dict[str, object]:
    """Greedy tokens and logits of a test checkpoint on this device, beside those on the CPU, which tests hold to the
    library's own."""
    logits, tokens = _greedy(name, device)
    expected, expected_tokens = _greedy(name, "cpu")
    difference = float((logits.cpu() - expected).norm() / expected.norm())
    return {"relative_difference": difference, "greedy_tokens_equal": tokens == expected_tokens, "tokens": len(tokens)}


def _greedy(name: str, device: str) -> tuple[torch.Tensor, list[int]]:
    model = load_stock(name, checkpoint(name), device)
    decoder = Decoder(model.t3, "exact", room=8)
    with torch.inference_mode():
        sequence, logits = decoder._prefill.begin(_prompt(model, name, device))
        for _ in range(STEPS):
            sequence.tokens.append(int(logits[0].argmax()))
            logits = decoder._next_logits([sequence])
    return logits, sequence.tokens


def _prompt(model: Any, name: Any, device: str) -> Prompt:
    voice, sampling = flatten_voice(model.conds), MODEL_SAMPLING[name]
    return Prompt(
        "0",
        "builtin",
        lambda: t3_condition(voice, sampling.exaggeration, device),
        text_tokens(model, name, TEXT, "en"),
        sampling,
        torch.Generator(device).manual_seed(0),
        STEPS,
    )


def bytes_per_sequence(device: str) -> dict[str, int]:
    """Of keys and values: of one position, and of a sequence when it begins, as torch counts it on a GPU."""
    model = load_stock("english", checkpoint("english"), device)
    decoder = Decoder(model.t3, "exact", room=256)
    with torch.inference_mode():
        decoder._prefill.begin(_prompt(model, "english", device))
        before = torch.cuda.memory_allocated() if device == "cuda" else 0
        sequence, _ = decoder._prefill.begin(_prompt(model, "english", device))
        allocated = torch.cuda.memory_allocated() - before if device == "cuda" else sequence.past.bytes
    return {"position": decoder.bytes_per_position, "beginning": allocated, "keys_and_values": sequence.past.bytes}


def memory_panel(device: str) -> dict[str, Any]:
    """What the panel shows while a gibibyte of ours lies on the device, with what its source took to answer."""
    notices: list[str] = []
    held = torch.empty(2**28, device=device)
    monitor = Monitor(
        vitals=lambda: read_vitals(ModelCache().peek(None), device),  # type: ignore[arg-type]
        device_in_use=lambda: device_facts(device),
        asked=device,
        on_notice=notices.append,
    )
    started = time.perf_counter()
    sample = monitor.sample()
    seconds = time.perf_counter() - started
    monitor.close()
    return {"held_bytes": held.nbytes, "seconds": seconds, "notices": notices, **sample.as_json()}


def decoding_speeds(arguments: argparse.Namespace) -> dict[str, Any]:
    """Of one sequence, and of each batch."""
    with tempfile.TemporaryDirectory() as folder:
        return speeds(
            arguments.model_dir,
            arguments.device,
            name="english",
            batches=sorted({1, *arguments.batches}),
            tokens=arguments.tokens,
            scratch=Path(folder),
        )


def benches(arguments: argparse.Namespace) -> dict[str, Any]:
    """`cbtui bench` of each kind; decoding and rendering with each batch."""
    batches: list[int] = arguments.batches
    common = ["--device", arguments.device, "--rounds", str(arguments.rounds)]
    if arguments.model_dir:
        common += ["--model-dir", str(arguments.model_dir)]
    found = {kind: _bench(kind, common) for kind in ("load", "voice")}
    for batch in batches:
        found[f"decode_{batch}"] = _bench("decode", [*common, "--batch", str(batch)])
    most = max(batches)
    found[f"render_{most}"] = _bench("render", [*common, "--batch", str(most), "--chunks", str(most)])
    return found


def _bench(kind: str, options: list[str]) -> Any:
    command = [sys.executable, "-m", "cbtui", "bench", kind, "--json", *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["figures"] if done.returncode == 0 else {"error": done.stderr.strip()[-500:]}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.on_gpu", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--model-dir", type=Path, help="a checkpoint; without it, a random one of full size is made")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="to be compared (all three)")
    parser.add_argument("--rounds", type=int, default=1, help="measurements of each, for a median (1)")
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 32], help="chunks at once (8 32)")
    parser.add_argument("--tokens", type=int, default=400, help="of each sequence whose speed is measured (400)")
    parser.add_argument(
        "--speech", type=int, nargs="+", default=LENGTHS, help="tokens of the chunks that are spoken together"
    )
    parser.add_argument("--no-benches", action="store_true", help="only what is compared and read")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
