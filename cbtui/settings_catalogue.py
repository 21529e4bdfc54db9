"""Every setting of settings.yaml: what it means, what holds without it, and how it may be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cbtui.core.task import MODEL_SAMPLING, MODELS, UNUSED_SAMPLING, Chunking, Output
from cbtui.host.options import HookCommands, HostOptions


@dataclass(frozen=True, slots=True)
class Known:
    """`name` is the dotted place in the file. `default` is for people, `example` is YAML."""

    name: str
    meaning: str
    default: str
    example: str

    @property
    def is_of_app(self) -> bool:
        """Whether it is about the program; the others are where every task begins."""
        return self.name.startswith("app.")


def _app(name: str, meaning: str, default: str, example: str) -> Known:
    return Known(f"app.{name}", meaning, default, example)


APP: tuple[Known, ...] = (
    _app("jobs_dir", "the folder of task files", "jobs, in the working directory", "~/audiobooks/jobs"),
    _app("output_dir", "where finished files go", "output, in the working directory", "~/audiobooks/output"),
    _app("state_dir", "where the queue, the log and the caches lie", "the user's own folders", "/var/lib/cbtui"),
    _app("model_dir", "a folder with the model's checkpoint; then nothing is downloaded", "none", "/models/chatterbox"),
    _app("device", "what the model runs on: auto, cuda, cuda:1, mps or cpu", "auto", "cuda"),
    _app(
        "precision",
        "exact, as the library computes, or fast: half the bytes to read",
        "exact",
        "fast",
    ),
    _app("batch", "how many chunks are drawn at once", "what the device does best", "8"),
    _app("log_level", "how much goes to the log: debug, info, warning or error", "info", "warning"),
    _app("idle_unload", "how long without work until models leave the memory", "never", "30 min"),
    _app(
        "overtake",
        "behind how many others of its priority a task may wait because they need what is loaded",
        str(HostOptions().overtake),
        "8",
    ),
    _app(
        "notify",
        "how a terminal tells what deserves a look: off, bell, or osc9 (a message of the desktop)",
        "osc9",
        "bell",
    ),
    _app("theme", "the colours of the screen, until you choose others with t", "dark", "amber"),
    _app("keys", "keys of your own, by the names that ? shows", "none", "{pause: f5}"),
    _app("hooks.task_done", "a command for each finished task; it gets JSON", "none", "[notify-send, a task is done]"),
    _app("hooks.task_failed", "a command for each task that failed", "none", "[notify-send, a task failed]"),
    _app("hooks.queue_empty", "a command for when nothing is left", "none", "[notify-send, all is rendered]"),
    _app("hooks.seconds", "how long a command may take", f"{HookCommands().seconds:g} s", "30"),
)


def _sampling(name: str) -> str:
    """The default of each model that has it."""
    found = {
        model: f"{getattr(MODEL_SAMPLING[model], name):g}" for model in MODELS if name not in UNUSED_SAMPLING[model]
    }
    if len(set(found.values())) == 1:
        (value,) = set(found.values())
        return value if len(found) == len(MODELS) else f"{value}, for {' and '.join(found)} alone"
    return ", ".join(f"{model} {value}" for model, value in found.items())


_CHUNKING, _OUTPUT = Chunking(), Output()

TASKS: tuple[Known, ...] = (
    Known("engine", "what speaks: chatterbox, or espeak for drafts", "chatterbox", "espeak"),
    Known("model", "which checkpoint: english, multilingual or turbo", "english", "turbo"),
    Known("language", "what is spoken; multilingual alone speaks others than en", "en", "de"),
    Known("reference", "the clip whose voice speaks", "the model's own voice", "voices/reader.wav"),
    Known("speaker", "who speaks until the first tag", "the first of the speakers", "alice"),
    Known("speakers", "speakers by name, each with settings of its own", "none", "{alice: {temperature: 0.7}}"),
    Known("espeak_voice", "the draft voice", "by the speaker's name", "en-gb+f3"),
    Known("exaggeration", "how much is acted, 0 to 2", _sampling("exaggeration"), "0.6"),
    Known("cfg_weight", "how closely the text is kept to, 0 to 2", _sampling("cfg_weight"), "0.4"),
    Known("temperature", "how freely is spoken, 0.05 to 5", _sampling("temperature"), "0.7"),
    Known("repetition_penalty", "what keeps it from repeating itself, 1 to 10", _sampling("repetition_penalty"), "1.2"),
    Known("min_p", "tokens less likely than this share of the likeliest are left out", _sampling("min_p"), "0.05"),
    Known("top_p", "the likeliest tokens that make up this share are drawn from", _sampling("top_p"), "0.95"),
    Known("top_k", "so many of the likeliest tokens are drawn from", _sampling("top_k"), "1000"),
    Known("seed", "the same seed gives the same samples", "a new one for each run", "42"),
    Known("priority", "more goes first, -1000 to 1000", "0", "5"),
    Known("max_retries", "further seeds to try when a piece comes out broken, 0 to 10", "2", "3"),
    Known("job", "the job's name", "the folder's", "book"),
    Known("run_label", "words in the name of each run's folder", "none", "first-try"),
    Known("chunking.target", "characters that a chunk aims at, 40 to 600", str(_CHUNKING.target), "280"),
    Known("chunking.limit", "characters that no chunk is longer than", str(_CHUNKING.limit), "350"),
    Known("chunking.minimum", "a shorter last chunk joins its neighbour", str(_CHUNKING.minimum), "0"),
    Known("output.format", "of the finished file", _OUTPUT.format, "wav"),
    Known("output.sample_format", "int16 or float32", _OUTPUT.sample_format, "float32"),
    Known("output.chunk_silence", "seconds between two chunks", f"{_OUTPUT.chunk_silence:g}", "0.3"),
    Known("output.paragraph_silence", "seconds between two paragraphs", f"{_OUTPUT.paragraph_silence:g}", "0.8"),
)

# Common options of the command line that win over the settings of tasks.
OVERRIDES: Mapping[str, str] = {"engine": "engine", "model": "model"}


def template() -> str:
    """A settings.yaml that sets nothing and names everything."""
    return "\n".join(_template()) + "\n"


def _template() -> Iterator[str]:
    yield "# Settings of cbtui. Take the # away from what you want to change; `cbtui` shows them under the key ,"
    yield "# The program itself. Paths begin at this file's folder."
    yield "app:"
    yield from _commented(APP, "  ")
    yield ""
    yield "# Where every task begins; job.yaml in a folder and the task itself go on from here."
    yield from _commented(TASKS, "")


def _commented(settings: tuple[Known, ...], indent: str) -> Iterator[str]:
    around = ""
    for known in settings:
        group, _, name = known.name.removeprefix("app.").rpartition(".")
        if group != around and group:
            yield f"{indent}# {group}:"
        around = group
        deeper = "  " if group else ""
        yield f"{indent}# {deeper}{name}: {known.example}  # {known.meaning}"
