"""Completion for your shell: commands, options and values by the Tab key, without starting Python.

    ldrt completion bash > ~/.local/share/bash-completion/completions/ldrt
    ldrt completion zsh > ~/.zfunc/_ldrt              # and in .zshrc: fpath+=~/.zfunc; autoload -U compinit; compinit
    ldrt completion fish > ~/.config/fish/completions/ldrt.fish

Open a new shell then. Write the file again after an update: it holds the words, not a way to ask for them.
"""

import importlib
import shlex
from dataclasses import dataclass, field, replace
from typing import Literal

from dataset_builder.files.values import Kind
from ldrt.options import CONFIG_OPTION, SHORT, Option, options_of
from ldrt.stages import STAGES


@dataclass
class Options:
    """Options of `ldrt completion`."""

    shell: Literal["bash", "zsh", "fish"] = field(metadata={"help": "your shell", "positional": True})


def run(options: Options) -> str:
    """The script for a shell."""
    commands = {
        name: _whole(options_of(importlib.import_module(stage.module).Options)) for name, stage in STAGES.items()
    }
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[options.shell](commands)


Commands = dict[str, dict[str, Option]]  # name -> its options


def _whole(options: dict[str, Option]) -> dict[str, Option]:
    """The options of a command, and those that its field `rest` takes."""
    others = {key: kind for option in options.values() if option.rest for key, kind in option.rest().items()}
    return {key: _of_rest(key, kind or Kind(str)) for key, kind in others.items()} | options


def _of_rest(key: str, kind: Kind) -> Option:
    return replace(CONFIG_OPTION, name=key, kind=kind, help="key of the recipe", path=None)


def _values(option: Option) -> list[str]:
    """What may follow an option; [] where it is a path or anything."""
    if option.kind.type is bool:
        return ["true", "false"]
    return list(option.kind.choices or (option.kind.items.choices if option.kind.items else ()))


def _flags(options: dict[str, Option]) -> list[str]:
    names = [f"--{option.name}" for option in options.values() if not option.takes_rest]
    return [*names, *(f"-{SHORT[name]}" for name in options if name in SHORT), "--help", "--debug"]


def _places(options: dict[str, Option]) -> list[str]:
    """The values of the words without a name, where these are known."""
    return [value for option in options.values() if option.is_positional for value in _values(option)]


def _bash(commands: Commands) -> str:
    lines = ["# bash completion of ldrt, made by `ldrt completion bash`", "_ldrt() {"]
    lines += ['    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""']
    lines += ['    if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$before" = help ]; }; then']
    lines += [f"        words='{' '.join([*commands, 'help', '--help', '--version'])}'", "    else"]
    lines += ['        case "${COMP_WORDS[1]} $before" in']
    for name, options in commands.items():
        for option in filter(_values, options.values()):
            if not option.is_positional:
                lines.append(f"            '{name} --{option.name}') words='{' '.join(_values(option))}' ;;")
    lines += ["        esac", '        if [ -z "$words" ]; then case "${COMP_WORDS[1]} $word" in']
    for name, options in commands.items():
        lines.append(f"            '{name} -'*) words='{' '.join(_flags(options))}' ;;")
        if _places(options):
            lines.append(f"            '{name} '*) words='{' '.join(_places(options))}' ;;")
    lines += ["        esac; fi", "    fi", '    COMPREPLY=($(compgen -W "$words" -- "$word"))']
    return "\n".join([*lines, "}", "complete -o default -F _ldrt ldrt"])


def _zsh(commands: Commands) -> str:
    """bash's, which zsh's own bashcompinit understands."""
    return "\n".join(
        [
            "#compdef ldrt",
            "autoload -U +X bashcompinit && bashcompinit",
            *_bash(commands).splitlines()[1:],
            '_bash_complete -o default -F _ldrt "$@"',
        ]
    )


def _fish(commands: Commands) -> str:
    lines = ["# fish completion of ldrt, made by `ldrt completion fish`"]
    first = "__fish_use_subcommand"
    for name in [*commands, "help"]:
        said = STAGES[name].summary if name in STAGES else "a command's options and examples"
        lines.append(f"complete -c ldrt -f -n {first} -a {name} -d {shlex.quote(said)}")
    lines.append(f"complete -c ldrt -f -n '__fish_seen_subcommand_from help' -a '{' '.join(commands)}'")
    for name, options in commands.items():
        seen = f"complete -c ldrt -n '__fish_seen_subcommand_from {name}'"
        lines += [f"{seen} -l {option.name}{_fish_rest(option)}" for option in options.values() if _is_named(option)]
        if _places(options):
            lines.append(f"{seen} -a '{' '.join(_places(options))}'")
    return "\n".join(lines)


def _is_named(option: Option) -> bool:
    return not (option.is_positional or option.takes_rest)


def _fish_rest(option: Option) -> str:
    """Letter, values and text of an option."""
    letter = f" -s {SHORT[option.name]}" if option.name in SHORT else ""
    values = f" -xa '{' '.join(_values(option))}'" if _values(option) else " -r"
    taken = "" if option.kind.type is bool else values  # a flag needs none
    return f"{letter}{taken} -d {shlex.quote(option.help)}"
