"""checkpoint, a figure and a question -> the answer, in the terminal.

    ldrt ask runs/tuned figure.png "What does this figure show?"
    ldrt ask runs/tuned figure.png "What does this figure show?" --compare llava-hf/llava-1.5-7b-hf

The question is put as `ldrt generate` puts those of a dataset, which is how the model was trained: the picture opened
and prepared in the same way, the same chat template, a greedy answer. `--compare BASE` has both models answer, each
with the figure and with a blank picture of its size, and says how much the picture changed: a model that gives the same
words for both has not looked. For research only, not for patients.
"""

import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.answering.options import AnsweringOptions
from trust.errors import UsageError
from trust.places import refuse_commit

if TYPE_CHECKING:
    from evaluation.answering.answers import Answer
    from evaluation.answering.local import Checkpoint
    from trust.pictures.stored import StoredPicture


@dataclass
class Options(AnsweringOptions):
    """Options of `ldrt ask`."""

    model: str = field(
        metadata={
            "help": "checkpoint: Hub id or folder; full weights or an adapter",
            "positional": True,
            "path": "checkpoint or Hub id",
        }
    )
    figure: str = field(
        metadata={"help": "picture file: PNG, JPEG, TIFF, WebP, GIF or BMP", "positional": True, "path": "file"}
    )
    question: str = field(metadata={"help": "what you want to know of it, in quotes", "positional": True})
    compare: str | None = field(
        default=None,
        metadata={
            "help": "another checkpoint, such as the base model: both answer, also without picture",
            "path": "checkpoint or Hub id",
        },
    )
    revision: str | None = field(default=None, metadata={"help": "Hub commit of the model", "group": "how it is run"})
    compare_revision: str | None = field(
        default=None, metadata={"help": "Hub commit of the one to compare with", "group": "how it is run"}
    )


def run(options: Options) -> str:
    """Ask; returns the answer, with `compare` those of both models.

    Raises UsageError for a figure that cannot be opened and for an empty question, and what loading a checkpoint
    raises: FileNotFoundError where there is none, RefusedError for one that is not to be trusted.
    """
    from evaluation.trying.figure import ask_about, read_figure
    from trust.pictures.opener import UnreadablePicture

    if not options.question.strip():
        raise UsageError("the question is empty: say what you want to know of the figure")
    refuse_commit(options.model, options.revision)
    refuse_commit(options.compare, options.compare_revision, "compare_revision")
    try:
        figure = read_figure(Path(options.figure))  # before any weights are loaded
    except UnreadablePicture as error:
        raise UsageError(error) from error
    checkpoint = _opened(options, options.model, options.revision)
    if options.compare is None:
        (answer,) = ask_about(checkpoint, figure, options.question)
        return _said(answer, options)
    both = [_opened(options, options.compare, options.compare_revision), checkpoint]
    del checkpoint
    answered = []
    while both:  # each is let go of, with its weights, before the next one's are loaded
        answered.append(_compared(both.pop(), figure, options))
    return "\n\n".join(answered)


def _opened(options: Options, model: str, revision: str | None) -> "Checkpoint":
    from evaluation.answering.local import Checkpoint

    return Checkpoint(
        model,
        revision,
        processor=None,
        chat_template_path=options.chat_template_path,
        device=options.device,
        dtype=options.dtype,
        batch_size=1,
        max_new_tokens=options.max_new_tokens,
    )


def _compared(checkpoint: "Checkpoint", figure: "StoredPicture", options: Options) -> str:
    from evaluation.trying.figure import ask_about, what_changed

    to_figure, to_blank = ask_about(checkpoint, figure, options.question, with_blank=True)
    change = what_changed(to_figure.text or "", to_blank.text or "")
    parts = [
        ("with the figure", _said(to_figure, options)),
        ("with a blank picture", _said(to_blank, options)),
        ("what the picture changed", change.describe()),
    ]
    return "\n".join([checkpoint.source.model, *(textwrap.indent(f"{name}: {text}", "  ") for name, text in parts)])


def _said(answer: "Answer", options: Options) -> str:
    """The answer's text, without what a terminal would obey; a model may give none, or be cut off."""
    from trust.markup import visible_line

    text = "\n".join(map(visible_line, (answer.text or "").splitlines())) or "(the model gave an empty answer)"
    if answer.finish_reason == "length":
        text += f" … (cut at {options.max_new_tokens} tokens: --max_new_tokens lets it say more)"
    return text
