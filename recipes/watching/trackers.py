"""Pictures and answers as a table, in those trackers that take one."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from PIL import Image as PILImage

from recipes.watching.answers import Sample
from recipes.watching.questions import Watched

TABLE = "eval/answers"
COLUMNS = ("example_id", "question", "reference", "answer", "answer_shuffled", "rougeL", "rougeL_shuffled")
SIDE_PX = 256  # of a picture's longer side: to be recognised, and small enough to be sent at each evaluation
_UNSEEN = str.maketrans({"|": "\\|", "\n": " ", "\r": " ", "<": "&lt;"})  # in a cell of a Markdown table


def show(callbacks: Iterable[object], watched: list[Watched], samples: list[Sample], step: int) -> None:
    """Send a step's answers to each tracker among Trainer's `callbacks`."""
    for callback in callbacks:
        sender = _SENDERS.get(type(callback).__name__)
        if sender is not None:
            sender(callback, watched, samples, step)


def table(samples: list[Sample]) -> str:
    """The answers as a Markdown table; text of rows and models cannot break out of its cell."""
    lines = [" | ".join(COLUMNS), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(_cell(sample[column]) for column in COLUMNS) for sample in samples]  # type: ignore[literal-required]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value).translate(_UNSEEN)


def small(pictures: list[PILImage.Image]) -> PILImage.Image:
    """A copy of the first picture that is at most `SIDE_PX` long."""
    copy = pictures[0].copy()
    copy.thumbnail((SIDE_PX, SIDE_PX))
    return copy


def _values(sample: Sample) -> list[Any]:
    return [sample[column] for column in COLUMNS]  # type: ignore[literal-required]


def _to_tensorboard(callback: Any, watched: list[Watched], samples: list[Sample], step: int) -> None:
    writer = callback.tb_writer
    if writer is None:
        return
    writer.add_text(TABLE, table(samples), step)
    for question in watched:
        pixels = np.asarray(small(question.pictures))  # (height, width, 3)
        writer.add_image(f"{TABLE}/{question.name}", pixels, step, dataformats="HWC")
    writer.flush()


def _to_wandb(_callback: Any, watched: list[Watched], samples: list[Sample], step: int) -> None:
    import wandb

    rows = [[wandb.Image(small(q.pictures)), *_values(s)] for q, s in zip(watched, samples, strict=True)]
    wandb.log({TABLE: wandb.Table(columns=["picture", *COLUMNS], data=rows), "train/global_step": step})


def _to_trackio(_callback: Any, watched: list[Watched], samples: list[Sample], step: int) -> None:
    import pandas as pd
    import trackio

    rows = [[trackio.Image(small(q.pictures)), *_values(s)] for q, s in zip(watched, samples, strict=True)]
    trackio.log({TABLE: trackio.Table(dataframe=pd.DataFrame(rows, columns=["picture", *COLUMNS]))}, step=step)


_SENDERS: dict[str, Callable[[Any, list[Watched], list[Sample], int], None]] = {
    "TensorBoardCallback": _to_tensorboard,
    "WandbCallback": _to_wandb,
    "TrackioCallback": _to_trackio,
}
