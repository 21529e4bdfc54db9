"""`cbtui completion bash|zsh|fish`, and the answers to a shell that asks what could come next on the line."""

from __future__ import annotations

import argparse
import os

from cbtui.commands import exits
from cbtui.commands.missing import require
from cbtui.console import plain_console
from cbtui.paths import Places

SHELLS = ("bash", "zsh", "fish")

_HOW = """\
bash:  mkdir -p ~/.local/share/bash-completion/completions
       cbtui completion bash > ~/.local/share/bash-completion/completions/cbtui
       (where the package bash-completion is missing: append it to ~/.bashrc)
zsh:   cbtui completion zsh > ~/.zfunc/_cbtui
       (into any folder of $fpath; in ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit; compinit)
fish:  cbtui completion fish > ~/.config/fish/completions/cbtui.fish

Then open a new shell. cbtui must be on its PATH.
"""

# argcomplete's script for zsh asks about the whole line, so that nothing is found behind `;` or an open quote.
_ZSH = r"""#compdef cbtui
_cbtui() {
    local line="${(j: :)words[1,CURRENT]}" answer escaped
    local -a answers names folders
    # What a tilde stands for, zsh knows by itself.
    [[ $PREFIX == \~* ]] || answers=("${(@ps:\v:)"$(
        COMP_LINE=$line COMP_POINT=${#line} _ARGCOMPLETE=1 _ARGCOMPLETE_SUPPRESS_SPACE=1 \
            _ARGCOMPLETE_SHELL=fish _ARGCOMPLETE_IFS=$'\v' _ARGCOMPLETE_DFS=$'\t' \
            ${~${(Q)words[1]}} 8>&1 9>/dev/null >/dev/null 2>&1 </dev/null
    )"}")
    for answer in ${answers%$'\t'}; do
        escaped=${${answer//\\/\\\\}//:/\\:}
        if [[ ${answer%%$'\t'*} == */ ]]; then folders+=(${escaped/$'\t'/:}); else names+=(${escaped/$'\t'/:}); fi
    done
    if (( $#names + $#folders )); then
        _describe cbtui names -- folders -S ''
    else
        _files
    fi
}
if [[ $zsh_eval_context == *func ]]; then _cbtui "$@"; else compdef _cbtui cbtui; fi"""

# What arguments name that are paths, by what stands for them in the help.
_FOLDERS = frozenset({"DIR", "JOBS_DIR"})
_FILES = frozenset({"FILE"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _HOW
    parser.add_argument("shell", choices=SHELLS, help="which shell the script is for")


def run(arguments: argparse.Namespace, places: Places) -> int:
    """Print the script."""
    require("argcomplete")
    from argcomplete.shell_integration import shellcode

    script = _ZSH if arguments.shell == "zsh" else shellcode(["cbtui"], shell=arguments.shell)
    plain_console().result(script.strip("\n"))
    return exits.DONE


def is_asked_for() -> bool:
    """Whether a shell started this process to learn what could come next."""
    return "_ARGCOMPLETE" in os.environ


def answer(parser: argparse.ArgumentParser) -> None:
    """Tell the shell, on descriptor 8 as argcomplete's scripts have it, and end the process."""
    from argcomplete import autocomplete

    # Without a dash, what is wanted is a command, a task or a file.
    autocomplete(parser, always_complete_options=False, default_completer=complete_paths)  # type: ignore[arg-type]


def complete_paths(prefix: str, action: argparse.Action, **_: object) -> list[str]:
    """Files and folders for arguments that are such; a tilde stays, for the shell to read."""
    if action.metavar not in _FOLDERS | _FILES:
        return []
    folder, slash, start = prefix.rpartition("/")
    try:
        entries = list(os.scandir(os.path.expanduser(folder + slash) or "."))  # noqa: PTH111
    except OSError:
        return []
    found = [f"{folder}{slash}{each.name}/" for each in entries if each.is_dir()]
    if action.metavar in _FILES:
        found += [f"{folder}{slash}{each.name}" for each in entries if not each.is_dir()]
    # Hidden ones are for who asks for them; what is not printable, no shell could show or read.
    wanted = [each for each in found if each.startswith(prefix) and each.isprintable()]
    return sorted(each for each in wanted if start or not each.removeprefix(folder + slash).startswith("."))
