"""The `ldrt` console command: parses a stage's typed options and runs the stage.

    ldrt --help
    ldrt build articles --output dataset
    ldrt build --config build.yaml --min_sharpness 80

A stage is a module with a dataclass `Options` and a function `run(options) -> str` that returns the summary to print.
It is imported only when it runs, so that `ldrt --help` answers at once. Exit status: 0 done, 1 the stage failed or
nothing was produced, 2 wrong usage.
"""

import dataclasses
import difflib
import importlib
import itertools
import json
import os
import sys
import traceback
import typing
from pathlib import Path

from dataset_builder.files.errors import UsageError

STAGES = {
    "build": ("dataset_builder.build", "folder of PDFs and JATS packages -> dataset repo folder, config `pairs`"),
    "instruct": ("dataset_builder.instruct", "`pairs` -> configs `align`, `detail`, `reasoning`, `instruct`"),
    "push": ("model_cards.push", "dataset repo folder -> Hub"),
    "sweep": ("recipes.sweep", "one recipe, several runs with changes -> sweep.json, quality against training time"),
    "plan": ("recipes.plan", "recipe + dataset -> memory and time estimate, launch advice, two-step check"),
    "merge": ("recipes.merge", "adapter -> merged checkpoint, with a parity check"),
    "generate": ("evaluation.generate", "checkpoint -> RUN/predictions.jsonl"),
    "judge": ("evaluation.judge", "predictions -> RUN/judgements.jsonl, graded by a language model, with controls"),
    "score": ("evaluation.score", "predictions -> RUN/scores.json"),
    "compare": ("evaluation.compare", "scored runs -> comparison.json, each against the base run"),
    "human": ("evaluation.human", "runs -> a blind rating page for people; their ratings -> agreement with the judges"),
    "card": ("model_cards.card", "result files -> model card"),
    "publish": ("model_cards.publish", "checkpoint + card + predictions -> Hub"),
    "demo": ("recipes.demo", "all of the above on the built-in sample corpus, on a CPU"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one `ldrt` command; returns the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    debug = "--debug" in argv
    argv = [word for word in argv if word != "--debug"]
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview())
        return 0 if argv else 2
    name, rest = argv[0], argv[1:]
    if not sys.stderr.isatty():  # no bars of datasets, transformers and the Hub client in a log
        os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        if name not in STAGES:
            raise UsageError(f"no command {name!r}{_nearest(name, STAGES)}; `ldrt --help` lists them")
        stage = importlib.import_module(STAGES[name][0])
        options = parse(stage.Options, rest, prog=f"ldrt {name}", description=stage.__doc__)
        summary = stage.run(options)
        _render_card(name, options)
        print(summary)
        return 0
    except KeyboardInterrupt:
        print(f"ldrt {name}: stopped; run the same command again to continue", file=sys.stderr)
        return 130
    except Exception as error:
        if debug:
            traceback.print_exc()
        message = " ".join(str(error).split()) or type(error).__name__
        print(f"ldrt {name}: {message}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def _render_card(stage: str, options) -> None:
    """Render the dataset card anew when a stage has changed the dataset, and the preview when its figures have."""
    if stage in ("build", "instruct"):
        from model_cards.cards.dataset_card import write_dataset_card
        from model_cards.preview.page import write_preview

        dataset = Path(options.output if stage == "build" else options.dataset)
        if (dataset / "pairs").is_dir():  # not yet, where the build was submitted to SLURM
            write_dataset_card(dataset)
            if stage == "build":
                write_preview(dataset)


def parse(options: type, argv: list[str], prog: str, description: str | None = None):
    """An instance of the dataclass `options` from defaults, then `--config FILE.yaml`, then the command line.

    Fields with metadata `positional` may be given without their name, before the first option, the last of them several
    times where it is a list; a field `rest` takes the options that are no fields, as they are; a field `config` takes
    the place of the YAML with options. Fields without a default must be given in the YAML or on the command line.
    Raises `UsageError` for an unknown key (naming the nearest known one), a missing option or a wrong type.
    """
    from jsonargparse import ActionConfigFile, ArgumentError, ArgumentParser

    fields = {field.name: field for field in dataclasses.fields(options)}
    types = typing.get_type_hints(options)
    parser = ArgumentParser(prog=prog, description=description, exit_on_error=False)
    if "config" not in fields:
        parser.add_argument("--config", action=ActionConfigFile, help="YAML file with any of these options")
    for name, field in fields.items():
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        required = default is dataclasses.MISSING
        parser.add_argument(
            f"--{name}",
            type=types[name] | None if required else types[name],
            default=None if required else default,
            help=field.metadata.get("help", "") + (" (required)" if required else ""),
        )
    positional = [name for name, field in fields.items() if field.metadata.get("positional")]
    several = bool(positional) and typing.get_origin(types[positional[-1]]) is list
    words = [*map(str.upper, positional), *["…"] * several]
    parser.usage = " ".join([prog, *words, "[--config FILE.yaml] [options]"])
    argv = _name_positionals(argv, positional, several)
    rest = [name for name, field in fields.items() if field.metadata.get("rest")]
    argv, others = _split_rest(argv, fields) if rest else (argv, [])
    _check_keys(argv, fields)
    try:
        values = parser.parse_args(argv)
    except (ArgumentError, TypeError, ValueError, OSError) as error:
        raise UsageError(error) from error
    missing = [n for n, f in fields.items() if f.default is f.default_factory is dataclasses.MISSING]
    missing = [n for n in missing if values[n] is None]
    if missing:
        raise UsageError(f"missing {', '.join(missing)}; `{prog} --help` explains the options")
    return options(**{name: values[name] for name in fields} | dict.fromkeys(rest, others))


def _name_positionals(argv: list[str], positional: list[str], several: bool) -> list[str]:
    """["articles", "--output", "x"] -> ["--output", "x", "--articles=articles"]; `several`: the last one is a list."""
    bare = list(itertools.takewhile(lambda word: not word.startswith("-"), argv))
    rest = argv[len(bare) :]
    if several and len(bare) >= len(positional):
        bare[len(positional) - 1 :] = [json.dumps(bare[len(positional) - 1 :])]
    if len(bare) > len(positional):
        raise UsageError(f"{bare[len(positional)]!r} is one argument too many; expected {', '.join(positional)}")
    named = [f"--{name}={word}" for name, word in zip(positional, bare, strict=False)]
    return rest + named  # after --config, so that the command line wins over the YAML


def _split_rest(argv: list[str], known) -> tuple[list[str], list[str]]:
    """(words of the options in `known`, words of the others), each option with its values."""
    own, others = [], []
    target = own
    for word in argv:
        if word.startswith("-"):
            target = own if word.lstrip("-").partition("=")[0] in (*known, "help", "h") else others
        target.append(word)
    return own, others


def _check_keys(argv: list[str], known) -> None:
    """Raises `UsageError` for an option or a YAML key that is no field, naming the nearest one."""
    import yaml

    fields, known = known, [*known, "config", "help"]
    for i, word in enumerate(argv):
        option, _, value = word.partition("=")
        if option.startswith("--") and option[2:].split(".")[0] not in known:
            raise UsageError(f"no option {option}{_nearest(option[2:], known, '--')}")
        if option != "--config" or "config" in fields:
            continue
        path = value or (argv[i + 1] if i + 1 < len(argv) else "")
        try:
            with open(path, encoding="utf-8") as file:
                config = yaml.safe_load(file) or {}
        except (OSError, yaml.YAMLError) as error:
            raise UsageError(f"cannot read the configuration {path!r}: {error}") from error
        if not isinstance(config, dict):
            raise UsageError(f"{path}: expected `key: value` lines")
        for key in config:
            if key not in known:
                raise UsageError(f"{path}: no option {key!r}{_nearest(str(key), known)}")


def _nearest(word: str, known, prefix: str = "") -> str:
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean {prefix}{match[0]}?" if match else ""


def _overview() -> str:
    lines = [f"  {name:<10} {summary}" for name, (_, summary) in STAGES.items()]
    return "\n".join(
        [
            "usage: ldrt COMMAND [--config FILE.yaml] [options] [--debug]",
            "",
            "Biomedical articles -> dataset -> instructions -> tuned LLaVA -> scores -> model card.",
            "",
            *lines,
            "",
            "`ldrt COMMAND --help` lists a command's options. Training: `accelerate launch recipes/sft.py --config …`.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
