"""The `ldrt` console command: parses a stage's typed options and runs the stage.

    ldrt --help
    ldrt help build
    ldrt build articles --output dataset
    ldrt build --config build.yaml --min_sharpness 80

A stage is a module with a dataclass `Options` and a function `run(options) -> str` that returns the summary to print.
It is imported only when it runs, so that `ldrt --help` answers at once. Exit status: 0 done, 1 the stage failed or
nothing was produced, 2 wrong usage: an option, a value or a path that cannot be.
"""

import errno
import importlib
import io
import os
import select
import sys
import traceback
import types
import typing
from pathlib import Path

from dataset_builder.files.full import is_full
from dataset_builder.files.nearest import nearest
from dataset_builder.files.quiet import DEBUG, be_quiet
from ldrt.parsing import parse as parse
from ldrt.paths import check_paths
from ldrt.stages import STAGES, overview
from trust.errors import UsageError

PACKAGE = "ldrt-vlm"  # its name on PyPI and in the environment's metadata
_STOPPED_BY_READER = 141  # exit status of a stage whose progress nobody reads any more, as a shell has it for SIGPIPE


def main(argv: list[str] | None = None) -> int:
    """Run one `ldrt` command; returns the exit status. A reader that has gone (`| head`) is no error.

    Without `argv` it is the console's: the whole process is ours, and other people's libraries are to be quiet in it.
    """
    words = sys.argv[1:] if argv is None else argv
    if "--debug" in words:
        os.environ[DEBUG] = "1"
    if argv is None:
        be_quiet()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal may not know every sign
    try:
        try:
            return _main([word for word in words if word != "--debug"])
        finally:
            sys.stdout.flush()  # here, not when Python ends, where the error could not be caught
    except BrokenPipeError:
        if not _say_no_more():
            raise
        return 0


def _main(argv: list[str]) -> int:
    if argv[:1] == ["--version"]:
        print(_version())
        return 0
    asks_for_help = argv[:1] in (["-h"], ["--help"], ["help"])
    if len(argv) <= asks_for_help:
        print(overview())
        return 0 if argv else 2
    name, words = (argv[1], ["--help"]) if asks_for_help else (argv[0], argv[1:])
    if not sys.stderr.isatty():  # no bars of datasets, transformers and the Hub client in a log
        os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        summary = _run_stage(name, words)
    except KeyboardInterrupt:
        print(f"ldrt {name}: stopped; run the same command again to continue", file=sys.stderr)
        return 130
    except BrokenPipeError as error:
        if not _say_no_more():
            return _failed(name, error)
        return _STOPPED_BY_READER
    except Exception as error:
        return _failed(name, error)
    print(summary)
    return 0


def _failed(name: str, error: Exception) -> int:
    """Say in one line why a stage failed; returns the exit status."""
    if DEBUG in os.environ:
        traceback.print_exc()
    forbidden = _forbidden(error)
    message = forbidden or " ".join(str(error).split()) or type(error).__name__
    print(f"ldrt {name}: {message}", file=sys.stderr)
    return 2 if forbidden or isinstance(error, UsageError) else 1


def _forbidden(error: Exception) -> str | None:
    """What to do about a file or folder that this user may not read or write; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return None
    if error.filename is None:
        return None
    advice = "change its permissions, or copy its folder to where you may write"
    return f"{os.fsdecode(error.filename)}: {error.strerror}; {advice}"


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
    """Parse the stage's options from `words`, run it and return its summary, or its help.

    Raises what the stage raises, but RuntimeError with what to do where a disk is full.
    """
    if name not in STAGES:
        raise UsageError(f"no command {name!r}{nearest(name, STAGES)}; `ldrt --help` lists them")
    stage = importlib.import_module(STAGES[name].module)
    if {"-h", "--help"} & set(words):
        from ldrt.help import help_of

        return help_of(stage.Options, stage.__doc__, f"ldrt {name}")
    options = parse(stage.Options, words, prog=f"ldrt {name}")
    check_paths(options)
    try:
        return _run(stage, name, options)
    except Exception as error:
        if not is_full(error):
            raise
        from ldrt.full_disk import describe_full

        raise RuntimeError(describe_full(name, options)) from error


def _run(stage: types.ModuleType, name: str, options: typing.Any) -> str:
    """Run the stage, and render what has changed with its dataset; returns its summary."""
    summary = stage.run(options)
    if name in ("build", "rehydrate"):
        _render_card(Path(options.output))
    if name in ("instruct", "prefer", "retract", "screen"):
        _render_card(Path(options.dataset))
    return summary


def _render_card(dataset: Path) -> None:
    """Render the card and the pages of a dataset that has changed anew."""
    from model_cards.cards.dataset_card import write_dataset_card
    from model_cards.preview.examples import write_examples_preview
    from model_cards.preview.page import write_preview
    from model_cards.preview.parts import has_examples
    from model_cards.preview.review import write_review_page

    if not (dataset / "pairs").is_dir():  # not yet, where the build was submitted to SLURM
        return
    write_dataset_card(dataset)
    if has_examples(dataset):  # none yet after a build, or a dry run
        write_examples_preview(dataset)
    write_review_page(dataset)
    write_preview(dataset)  # which links to the page of the examples, where there is one


# ---- what `ldrt` says of itself


def _version() -> str:
    """ "ldrt-vlm 0.1.0", as the environment has it installed."""
    import importlib.metadata  # a quarter of the time that `ldrt --help` takes

    try:
        return f"{PACKAGE} {importlib.metadata.version(PACKAGE)}"
    except importlib.metadata.PackageNotFoundError:  # a checkout that runs by `python -m ldrt`
        return f"{PACKAGE}, not installed"
