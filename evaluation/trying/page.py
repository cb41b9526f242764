"""The page on which figures are dropped and questions asked: of `ldrt app`, and of a Space that `ldrt publish` sends.

What a visitor drops is a stranger's file: it goes to the one opener as it came, never through Gradio's own reading of
pictures. Answers are shown as plain text, whatever they hold.
"""

import html
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from evaluation.answering.local import Checkpoint
from evaluation.answering.questions import public_name
from evaluation.trying.example_figures import Example, example_figures
from evaluation.trying.figure import ask_about, read_figure
from trust.pictures.opener import UnreadablePicture

RESEARCH_ONLY = (
    "**For research only, not for patients.** These answers are made up by a language model from a picture. They can "
    "be wrong in every detail; nobody has checked them. Do not use them for diagnosis, treatment or any decision about "
    "a person, and do not drop pictures of persons here."
)
FIRST_QUESTION = "What does this figure show?"
MAX_QUESTION_CHARS = 2_000
MAX_UPLOAD = "50mb"  # of a figure
KEPT_S = 3_600  # how long what was dropped stays on the disk, and how often it is looked for
_UPLOADS = "GRADIO_TEMP_DIR"  # in the environment: where Gradio keeps them
_TERMINATED = 128 + signal.SIGTERM  # exit status, as a shell has it
_COLUMN_PX = 320  # narrower, columns stand below each other
_FONTS = ["system-ui", "sans-serif"]  # none that is fetched from elsewhere


@dataclass(frozen=True)
class Tried:
    """What the page asks: Hub ids or folders, with Hub commits where they are pinned."""

    model: str
    revision: str | None = None
    base: str | None = None  # None: the model alone
    base_revision: str | None = None
    dataset: str | None = None  # whose test split gives examples; None: none
    dataset_revision: str | None = None
    chat_template_path: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    max_new_tokens: int = 256


def open_page(tried: Tried, host: str | None = None, port: int | None = None) -> None:
    """Load the models, open the page at `host` and `port`, and stay until it is stopped.

    None: as Gradio's environment variables say (a Space sets them), else 127.0.0.1 and the first free port from 7860.
    Raises what loading a checkpoint or dataset raises, OSError for a port that is taken.
    """
    checkpoints = [_opened(tried, tried.model, tried.revision)]
    if tried.base:
        checkpoints.append(_opened(tried, tried.base, tried.base_revision))
    with tempfile.TemporaryDirectory() as folder, _own_uploads():
        examples = example_figures(tried.dataset, tried.dataset_revision, Path(folder)) if tried.dataset else []
        for checkpoint in checkpoints:
            _ = checkpoint.model  # loaded now, so that what is wrong with it is said before the page is there
        page = make_page(checkpoints, examples)
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            max_file_size=MAX_UPLOAD,
            footer_links=[],
            ssr_mode=False,
            enable_monitoring=False,
            theme=gr.themes.Default(font=_FONTS, font_mono=["monospace"]),
        )
        print(f"open {address} in a browser; Ctrl-C closes the page", flush=True)
        page.block_thread()


@contextmanager
def _own_uploads() -> Iterator[None]:
    """A folder of its own for what is dropped, gone with the page, also when that is told to end (SIGTERM)."""
    above = os.environ.get(_UPLOADS)
    if above:
        Path(above).mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    with tempfile.TemporaryDirectory(prefix="ldrt-app-", dir=above, ignore_cleanup_errors=True) as folder:
        os.environ[_UPLOADS] = folder
        yield


def _opened(tried: Tried, model: str, revision: str | None) -> Checkpoint:
    return Checkpoint(
        model,
        revision,
        processor=None,
        chat_template_path=tried.chat_template_path,
        device=tried.device,
        dtype=tried.dtype,
        batch_size=1,
        max_new_tokens=tried.max_new_tokens,
    )


def uploaded(_field: gr.Image, payload: Any) -> str | None:
    """The path of the upload, which Gradio has checked to be one; None where nothing was dropped."""
    return payload.path if payload is not None else None


# A field hands over the file that was dropped; Gradio would open it, in any format that Pillow knows. Not a class of
# our own, for which Gradio writes a `.pyi` beside the code, nor one field alone: Gradio makes them anew from the class.
gr.Image.preprocess = uploaded


def make_page(checkpoints: list[Checkpoint], examples: list[Example]) -> gr.Blocks:
    """The page for one model, or two beside each other: the tuned one and its base."""
    names = [public_name(checkpoint.source.model) for checkpoint in checkpoints]
    labels = (
        names if len(names) == 1 else [f"{what}: {name}" for what, name in zip(("tuned", "base"), names, strict=True)]
    )
    with gr.Blocks(title="Ask about a figure", analytics_enabled=False, delete_cache=(KEPT_S, KEPT_S)) as page:
        gr.Markdown("# Ask about a figure")
        gr.Markdown(RESEARCH_ONLY, elem_id="research-only")
        with gr.Row():
            with gr.Column(min_width=_COLUMN_PX):
                figure = gr.Image(
                    sources=["upload", "clipboard"],
                    label="Figure",
                    elem_id="figure",
                    height=_COLUMN_PX,
                    buttons=["fullscreen"],  # not Gradio's own `share`, which posts the picture
                )
                text = gr.Textbox(FIRST_QUESTION, label="Question", max_length=MAX_QUESTION_CHARS, elem_id="question")
                button = gr.Button("Ask", variant="primary", elem_id="ask")
            with gr.Column(min_width=_COLUMN_PX):
                answers = [
                    gr.Textbox(label=label, lines=4, interactive=False, elem_id=f"answer-{place}")
                    for place, label in enumerate(labels)
                ]
        if examples:
            gr.Examples([[one.path, one.question] for one in examples], [figure, text], label="From the test split")

        def answer(path: str | None, question: str) -> Iterator[Any]:
            yield from _answers(checkpoints, path, question)

        for asked in (button.click, text.submit):
            asked(answer, [figure, text], answers, api_visibility="private", concurrency_id="models")
    return page


def _answers(checkpoints: list[Checkpoint], path: str | None, question: str) -> Iterator[Any]:
    """The answers so far, as each model gives its own. What is wrong is a line on the page."""
    if path is None:
        raise _told("drop a figure first")
    texts = [""] * len(checkpoints)
    try:
        figure = read_figure(Path(path))
        for place, checkpoint in enumerate(checkpoints):
            (reply,) = ask_about(checkpoint, figure, question)
            texts[place] = reply.text or "(the model gave an empty answer)"
            yield texts[0] if len(texts) == 1 else list(texts)
    except (UnreadablePicture, ValueError, RuntimeError) as problem:
        raise _told(str(problem)) from problem


def _told(problem: str) -> gr.Error:
    """As a message on the page; it may name a stranger's file, and Gradio shows HTML as such."""
    return gr.Error(html.escape(problem), print_exception=False)
