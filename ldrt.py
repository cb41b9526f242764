"""The `ldrt` console command: parses a stage's typed options and runs the stage.

    ldrt --help
    ldrt --version
    ldrt build articles --output dataset
    ldrt build --config build.yaml --min_sharpness 80

A stage is a module with a dataclass `Options` and a function `run(options) -> str` that returns the summary to print.
It is imported only when it runs, so that `ldrt --help` answers at once. Exit status: 0 done, 1 the stage failed or
nothing was produced, 2 wrong usage.
"""

import dataclasses
import importlib
import itertools
import json
import os
import select
import sys
import traceback
import typing
from collections.abc import Iterable
from pathlib import Path

from dataset_builder.files.errors import UsageError
from dataset_builder.files.nearest import nearest

PACKAGE = "ldrt-vlm"  # its name on PyPI and in the environment's metadata
_STOPPED_BY_READER = 141  # exit status of a stage whose progress nobody reads any more, as a shell has it for SIGPIPE
STAGES = {
    "fetch": ("dataset_builder.fetch", "domain, ids or list -> folder of open-access articles with their pictures"),
    "build": ("dataset_builder.build", "folder of PDFs and JATS packages -> dataset repo folder, config `pairs`"),
    "instruct": ("dataset_builder.instruct", "`pairs` -> configs `align`, `detail`, `reasoning`, `instruct`"),
    "retract": ("dataset_builder.retract", "an article or a figure out of a dataset folder, everywhere and for good"),
    "push": ("model_cards.push", "dataset repo folder -> Hub"),
    "export": ("model_cards.export", "dataset -> LLaVA JSON, ShareGPT JSON or WebDataset, for other trainers"),
    "plan": ("recipes.plan", "recipe + dataset -> memory and time estimate, launch advice, two-step check"),
    "train": ("recipes.train", "recipe + dataset -> checkpoint: phase 1 aligns the projector, phase 2 tunes LoRA"),
    "sweep": ("recipes.sweep", "one recipe, several runs with changes -> sweep.json, quality against training time"),
    "merge": ("recipes.merge", "adapter -> merged checkpoint, with a parity check"),
    "generate": ("evaluation.generate", "checkpoint -> RUN/predictions.jsonl"),
    "ask": ("evaluation.ask", "checkpoint, a figure of yours and a question -> the answer, here in the terminal"),
    "app": ("evaluation.app", "checkpoint, and its base model -> a page to drop figures on and ask"),
    "judge": ("evaluation.judge", "predictions -> RUN/judgements.jsonl, graded by a language model, with controls"),
    "prefer": ("evaluation.prefer", "two judged runs of training questions -> config `preference`, for recipes/dpo.py"),
    "score": ("evaluation.score", "predictions -> RUN/scores.json"),
    "compare": ("evaluation.compare", "scored runs -> comparison.json, each against the base run"),
    "human": ("evaluation.human", "runs -> a blind rating page for people; their ratings -> agreement with the judges"),
    "card": ("model_cards.card", "result files -> model card"),
    "publish": ("model_cards.publish", "checkpoint + card + predictions -> Hub"),
    "verify": ("verification.verify", "published model or dataset -> each number made again; what does not hold"),
    "demo": ("recipes.demo", "all of the above on the built-in sample corpus, on a CPU"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one `ldrt` command; returns the exit status. A reader that has gone (`| head`) is no error."""
    try:
        try:
            return _main(sys.argv[1:] if argv is None else argv)
        finally:
            sys.stdout.flush()  # here, not when Python ends, where the error could not be caught
    except BrokenPipeError:
        if not _say_no_more():
            raise
        return 0


def _main(argv: list[str]) -> int:
    debug = "--debug" in argv
    if debug:
        os.environ["LDRT_DEBUG"] = "1"  # for the commands that a stage runs
    argv = [word for word in argv if word != "--debug"]
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview())
        return 0 if argv else 2
    if argv[0] == "--version":
        print(_version())
        return 0
    name, words = argv[0], argv[1:]
    if not sys.stderr.isatty():  # no bars of datasets, transformers and the Hub client in a log
        os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        summary = _run_stage(name, words)
    except KeyboardInterrupt:
        print(f"ldrt {name}: stopped; run the same command again to continue", file=sys.stderr)
        return 130
    except BrokenPipeError as error:
        if not _say_no_more():
            return _failed(name, error, debug)
        return _STOPPED_BY_READER
    except Exception as error:
        return _failed(name, error, debug)
    print(summary)
    return 0


def _failed(name: str, error: Exception, debug: bool) -> int:
    """Say in one line why a stage failed; returns the exit status."""
    if debug:
        traceback.print_exc()
    message = " ".join(str(error).split()) or type(error).__name__
    print(f"ldrt {name}: {message}", file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1


def _has_lost_its_reader(stream: typing.TextIO) -> bool:
    """Whether what is written to a pipe goes to nobody any more."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), select.POLLERR)
    except (AttributeError, OSError, ValueError):  # no poll on Windows; no file, as in tests
        return False
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _say_no_more() -> bool:
    """Send to nowhere what still goes to a reader that has gone, so that Python can end in silence; whether one has."""
    lost = [stream for stream in (sys.stdout, sys.stderr) if _has_lost_its_reader(stream)]
    for stream in lost:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return bool(lost)


def _run_stage(name: str, words: list[str]) -> str:
    """Parse the stage's options from `words`, run it and return its summary."""
    if name not in STAGES:
        raise UsageError(f"no command {name!r}{nearest(name, STAGES)}; `ldrt --help` lists them")
    stage = importlib.import_module(STAGES[name][0])
    options = parse(stage.Options, words, prog=f"ldrt {name}", description=stage.__doc__)
    summary = stage.run(options)
    if name == "build":
        _render_card(Path(options.output))
    if name in ("instruct", "prefer", "retract"):
        _render_card(Path(options.dataset))
    return summary


def _render_card(dataset: Path) -> None:
    """Render the card and the pages of a dataset that has changed anew."""
    from model_cards.cards.dataset_card import write_dataset_card
    from model_cards.preview.examples import write_examples_preview
    from model_cards.preview.page import write_preview
    from model_cards.preview.parts import has_examples

    if not (dataset / "pairs").is_dir():  # not yet, where the build was submitted to SLURM
        return
    write_dataset_card(dataset)
    if has_examples(dataset):  # none yet after a build, or a dry run
        write_examples_preview(dataset)
    write_preview(dataset)  # which links to the page of the examples, where there is one


# ---- options: a stage's dataclass from defaults, YAML and command line


def parse(options: type, argv: list[str], prog: str, description: str | None = None):
    """An instance of the dataclass `options` from defaults, then `--config FILE.yaml`, then the command line.

    Fields with metadata `positional` may be given without their name, before the first option, the last of them several
    times where it is a list; a field `rest` takes the options that are no fields, as they are; a field `config` takes
    the place of the YAML with options. A list of texts is given as `[a, b]`, or by its option once a text. Fields
    without a default must be given in the YAML or on the command line.
    Raises `UsageError` for an unknown key (naming the nearest known one), a missing option or a wrong type.
    """
    from jsonargparse import ArgumentError

    fields = {field.name: field for field in dataclasses.fields(options)}
    types = typing.get_type_hints(options)
    positional = [name for name, field in fields.items() if field.metadata.get("positional")]
    takes_several = bool(positional) and typing.get_origin(types[positional[-1]]) is list
    rest = [name for name, field in fields.items() if field.metadata.get("rest")]

    words = _name_positionals(argv, positional, takes_several)
    others: list[str] = []
    if rest:
        words, others = _split_rest(words, fields)
    _check_keys(words, fields)
    words = _gather_lists(words, {name for name, of in types.items() if of == list[str]})
    parser = _parser(fields, types, prog, description)
    parser.usage = _usage(prog, positional, takes_several)
    try:
        values = parser.parse_args(words)
    except (ArgumentError, TypeError, ValueError, OSError) as error:
        raise UsageError(error) from error
    missing = [name for name, field in fields.items() if _is_required(field) and values[name] is None]
    if missing:
        raise UsageError(f"missing {', '.join(missing)}; `{prog} --help` explains the options")
    given = {name: values[name] for name in fields}
    return options(**given | dict.fromkeys(rest, others))


def _parser(fields: dict[str, dataclasses.Field], types: dict[str, typing.Any], prog: str, description: str | None):
    """A parser with one option a field, and `--config` for a YAML with any of them."""
    from jsonargparse import ActionConfigFile, ArgumentParser

    parser = ArgumentParser(prog=prog, description=description, exit_on_error=False)
    if "config" not in fields:
        parser.add_argument("--config", action=ActionConfigFile, help="YAML file with any of these options")
    for name, field in fields.items():
        explained = field.metadata.get("help", "")
        if _is_required(field):  # not for the parser: the value may come from the YAML
            parser.add_argument(f"--{name}", type=types[name] | None, default=None, help=f"{explained} (required)")
        else:
            parser.add_argument(f"--{name}", type=types[name], default=_default(field), help=explained)
    return parser


def _is_required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field):
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _usage(prog: str, positional: list[str], takes_several: bool) -> str:
    """ "ldrt human ACTION PATHS … [--config FILE.yaml] [options]"."""
    words = [name.upper() for name in positional]
    if takes_several:
        words.append("…")
    return " ".join([prog, *words, "[--config FILE.yaml] [options]"])


def _name_positionals(argv: list[str], positional: list[str], takes_several: bool) -> list[str]:
    """["articles", "--output", "x"] -> ["--output", "x", "--articles=articles"].

    `takes_several`: the last positional is a list, of all words from its place on.
    """
    bare = list(itertools.takewhile(lambda word: not word.startswith("-"), argv))
    options = argv[len(bare) :]
    last = len(positional) - 1
    if takes_several and len(bare) > last:
        bare[last:] = [json.dumps(bare[last:])]
    if len(bare) > len(positional):
        raise UsageError(f"{bare[len(positional)]!r} is one argument too many; expected {', '.join(positional)}")
    named = [f"--{name}={word}" for name, word in zip(positional, bare, strict=False)]
    return options + named  # after --config, so that the command line wins over the YAML


def _split_rest(argv: list[str], names: Iterable[str]) -> tuple[list[str], list[str]]:
    """(words of the options in `names`, words of the others), each option with its values."""
    known = {*names, "help", "h"}
    own: list[str] = []
    others: list[str] = []
    target = own
    for word in argv:
        if word.startswith("-"):
            name = word.lstrip("-").partition("=")[0]
            target = own if name in known else others
        target.append(word)
    return own, others


def _gather_lists(argv: list[str], lists: set[str]) -> list[str]:
    """["--tag", "a", "--tag=b"] -> ["--tag=[\"a\", \"b\"]"], for the options in `lists`; `[a, b]` stays as it is."""
    others: list[str] = []
    values: dict[str, list[str]] = {}
    words = iter(argv)
    for word in words:
        name, is_whole, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in lists:
            values.setdefault(name, []).append(value if is_whole else next(words, ""))
        else:
            others.append(word)
    return others + [f"--{name}={_as_list(given)}" for name, given in values.items()]


def _as_list(given: list[str]) -> str:
    return given[0] if len(given) == 1 and given[0].startswith("[") else json.dumps(given)


def _check_keys(argv: list[str], names: Iterable[str]) -> None:
    """Raises `UsageError` for an option or a YAML key that is no field, naming the nearest one."""
    fields = list(names)
    known = [*fields, "config", "help"]
    for word, following in itertools.zip_longest(argv, argv[1:], fillvalue=""):
        if not word.startswith("--"):
            continue
        name, _, value = word.removeprefix("--").partition("=")
        if name.split(".")[0] not in known:  # a dict's entry is named `--field.key`
            raise UsageError(f"no option --{name}{nearest(name, known, '--')}")
        if name == "config" and "config" not in fields:
            _check_config(value or following, known)


def _check_config(path: str, known: list[str]) -> None:
    """Raises `UsageError` for a YAML file that cannot be read or has a key that is not in `known`."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            config = yaml.safe_load(file) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the configuration {path!r}: {error}") from error
    if not isinstance(config, dict):
        raise UsageError(f"{path}: expected `key: value` lines")
    for key in config:
        if key not in known:
            raise UsageError(f"{path}: no option {key!r}{nearest(str(key), known)}")


# ---- what `ldrt` says of itself


def _version() -> str:
    """ "ldrt-vlm 0.1.0", as the environment has it installed."""
    import importlib.metadata  # a quarter of the time that `ldrt --help` takes

    try:
        return f"{PACKAGE} {importlib.metadata.version(PACKAGE)}"
    except importlib.metadata.PackageNotFoundError:  # a checkout that runs by `python -m ldrt`
        return f"{PACKAGE}, not installed"


def _overview() -> str:
    lines = [f"  {name:<10} {summary}" for name, (_, summary) in STAGES.items()]
    return "\n".join(
        [
            "usage: ldrt COMMAND [--config FILE.yaml] [options] [--debug]",
            "       ldrt --version",
            "",
            "Biomedical articles -> dataset -> instructions -> tuned LLaVA -> scores -> model card.",
            "",
            *lines,
            "",
            "`ldrt COMMAND --help` lists a command's options.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
