"""`cbtui cache info|explain|test|clear`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cbtui.commands import exits
from cbtui.console import claim_terminal, plain_console
from cbtui.core.events import CACHE_LAYERS
from cbtui.paths import Places

INFO_VERSION = 1


def add_arguments(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    info = actions.add_parser(
        "info", parents=[common], allow_abbrev=False, help="what the caches hold, and what they saved so far"
    )
    info.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    actions.add_parser(
        "explain",
        parents=[common],
        allow_abbrev=False,
        help="why a new process loads the model, and what survives on disk",
    )
    actions.add_parser(
        "test", parents=[common], allow_abbrev=False, help="prove the model cache here: miss, hit, clear, miss"
    )
    clear = actions.add_parser("clear", parents=[common], allow_abbrev=False, help="forget stored voices and takes")
    clear.add_argument("--layer", choices=CACHE_LAYERS, help="only this one")


def run(arguments: argparse.Namespace, places: Places) -> int:
    actions: dict[str, Callable[[argparse.Namespace, Places], int]] = {
        "info": _info,
        "explain": explain,
        "test": _test,
        "clear": _clear,
    }
    return actions[arguments.action](arguments, places)


def explain(arguments: argparse.Namespace, places: Places) -> int:
    """Also what `cbtui --explain-cache` does."""
    from cbtui.engine.cache import shared_models
    from cbtui.engine.cache_explained import explain as explained

    plain_console().result(explained(places, shared_models.info()))
    return exits.DONE


def gather_info(places: Places) -> dict[str, Any]:
    """The object that `cbtui cache info --json` prints, version 1.

    `process`: the models this process holds (a fresh command holds none). `voices` and `chunks`: what lies on disk.
    `layers`: per layer the look-ups of this machine so far, and the seconds they spent and saved.
    """
    from cbtui.engine.cache import ChatterboxModelCache
    from cbtui.engine.cache_explained import indexed_takes
    from cbtui.engine.cache_log import last_load_seconds, sum_layers
    from cbtui.engine.voices import stored_voices

    voices, takes = stored_voices(places.voices), indexed_takes(places.chunk_index)
    return {
        "version": INFO_VERSION,
        "process": ChatterboxModelCache.get_cache_info(),
        "last_load_seconds": last_load_seconds(places.cache_log),
        "voices": {"folder": str(places.voices), "count": len(voices), "bytes": _bytes(voices)},
        "chunks": {"folder": str(places.chunk_index), "count": len(takes), "bytes": _bytes(takes)},
        "layers": {
            each.layer: {
                "hits": each.hits,
                "misses": each.misses,
                "seconds_spent": round(each.seconds_spent, 3),
                "seconds_saved": round(each.seconds_saved, 3),
            }
            for each in sum_layers(places.cache_log)
        },
    }


def _info(arguments: argparse.Namespace, places: Places) -> int:
    console = plain_console()
    info = gather_info(places)
    if arguments.json:
        console.result(json.dumps(info, indent=2, ensure_ascii=False))
        return exits.DONE
    loads = ", ".join(f"{key} {seconds:.1f} s" for key, seconds in info["last_load_seconds"].items())
    console.result(f"models  {info['process']['size']} in this process; last loads here: {loads or 'none yet'}")
    console.result(
        f"voices  {info['voices']['count']}, {info['voices']['bytes'] / 1e6:.1f} MB, {info['voices']['folder']}"
    )
    console.result(f"chunks  {info['chunks']['count']} takes, {info['chunks']['bytes'] / 1e6:.1f} MB, in their runs")
    for layer, sums in info["layers"].items():
        console.result(
            f"{layer:<6}  {sums['hits']} hits, {sums['misses']} misses, "
            f"{sums['seconds_spent']:.1f} s spent, {sums['seconds_saved']:.1f} s saved"
        )
    return exits.DONE


def _test(arguments: argparse.Namespace, places: Places) -> int:
    """Load, look up, clear and load again, with times; the status is 0 when the cache did what it should."""
    from cbtui.core.events import CacheEvent, Event, Noticed
    from cbtui.core.task import MODELS
    from cbtui.engine.base import EngineUnavailable
    from cbtui.engine.cache import ModelCache
    from cbtui.engine.cache_log import CacheLog
    from cbtui.engine.chatterbox.cached_model import find_checkpoint, get_model

    console = claim_terminal(places.log, level=arguments.log_level)
    log = CacheLog(places.cache_log)
    found: list[bool] = []

    def listen(event: Event) -> None:
        if isinstance(event, CacheEvent):
            log.append(event)
            found.append(event.hit)
        if isinstance(event, (CacheEvent, Noticed)):
            console.result(event.message)

    cache = ModelCache()
    model = next(name for name in MODELS if name == (arguments.model or "english"))
    try:
        checkpoint = find_checkpoint(model, Path(arguments.model_dir) if arguments.model_dir else None, emit=listen)
        for clear_before in (False, False, True):
            if clear_before:
                cache.clear()
                console.result("Cache cleared")
            get_model(cache, checkpoint, arguments.device or "auto", emit=listen)
    except EngineUnavailable as error:
        console.tell(f"cbtui cache test: {error}")
        return exits.UNAVAILABLE
    works = found == [False, True, False]
    console.result(
        "The cache works: miss, hit, clear, miss." if works else f"The cache does not work: hits were {found}."
    )
    return exits.DONE if works else exits.FAILED


def _clear(arguments: argparse.Namespace, places: Places) -> int:
    from cbtui.engine.cache import shared_models
    from cbtui.engine.voices import VoiceStore
    from cbtui.host.rendering.takes import TakeIndex

    console = plain_console()
    for layer in [arguments.layer] if arguments.layer else CACHE_LAYERS:
        if layer == "model":
            count = shared_models.clear()
            console.result(f"model: {count} in this process; a running cbtui keeps its own")
        elif layer == "voice":
            console.result(f"voice: {VoiceStore(places.voices).clear()} stored voices removed")
        else:
            count = TakeIndex(places.chunk_index).clear()
            console.result(f"chunk: {count} takes forgotten; their files stay in their runs")
    return exits.DONE


def _bytes(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths)
