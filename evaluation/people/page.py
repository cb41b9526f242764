"""The page on which people rate: one file, without any network, that names no model, run or example."""

import base64
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluation.answering.questions import load_evidence, load_items, open_image
from evaluation.people.criteria import read_criteria
from evaluation.people.sample import Showing
from evaluation.run_folder import Evidence, Prediction
from trust.markup import json_in_html
from trust.pictures.opener import UnreadablePicture

TEMPLATES = Path(__file__).parent / "templates"
PICTURE_PX, PICTURE_QUALITY = 1200, 80  # longest side, of a JPEG: small print of a figure can still be read


@dataclass(frozen=True)
class Figures:
    """What the dataset has of the figures that are shown."""

    evidence: dict[str, Evidence]  # figure_id -> caption and context; may lack figures
    pictures: dict[str, str]  # figure_id -> JPEG in base64, in the order of the page; those that can be read
    unreadable: list[str] = field(default_factory=list)  # of the others, which example it is and why, one line each


class ShownItem(TypedDict):
    """An item as the page's script takes it."""

    item: int  # from 1
    task: str
    question: str
    answer: str | None
    reference: str
    caption: str
    context: list[str]
    source: str  # DOI and licence
    picture: int | None  # its number on the page; None where it cannot be shown


class PageData(TypedDict):
    """All that the page's script knows."""

    packet: str  # which sample of answers it is
    criteria: dict[str, str]  # task -> what counts
    items: list[ShownItem]


def load_figures(showings: list[Showing], manifest: dict, dataset: str) -> Figures:
    """The figures of `dataset`, which must be what the run of this manifest answered: raises ValueError for another."""
    split, answered = manifest["split"], manifest["dataset_revision"]
    commit = None if answered.startswith("sha256:") else answered
    items = load_items(dataset, split, manifest["tasks"], commit)
    if items.revision != answered:
        raise ValueError(f"{dataset} is at {items.revision}, but the runs answered {answered}")
    place = {example: i for i, example in enumerate(items.rows["example_id"])}
    example_of = {showing.record["figure_id"]: showing.record["example_id"] for showing in reversed(showings)}
    figures = Figures(load_evidence(dataset, split, commit), {})
    for figure in dict.fromkeys(showing.record["figure_id"] for showing in showings):
        try:
            figures.pictures[figure] = _picture(items.rows[place[example_of[figure]]])
        except UnreadablePicture as error:
            figures.unreadable.append(str(error))
    return figures


def page_data(packet: str, showings: list[Showing], figures: Figures) -> PageData:
    """What the page shows of each answer, and by what to grade it. Raises ValueError for a task without criteria."""
    numbers = {figure: number for number, figure in enumerate(figures.pictures)}
    items = []
    for number, showing in enumerate(showings, 1):
        figure = showing.record["figure_id"]
        items.append(_shown(number, showing.record, figures.evidence.get(figure), numbers.get(figure)))
    criteria = {task: read_criteria(task) for task in sorted({item["task"] for item in items})}
    return {"packet": packet, "criteria": criteria, "items": items}


def render_page(data: PageData, pictures: list[str]) -> str:
    """The page's text; `pictures` are JPEGs in base64, by their numbers."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True)
    script = (TEMPLATES / "human.js").read_text(encoding="utf-8")
    style = (TEMPLATES / "human.css").read_text(encoding="utf-8")
    return environment.get_template("human.html.jinja").render(
        script=script,
        style=style,
        script_hash=_csp_hash(script),
        style_hash=_csp_hash(style),
        data=json_in_html(data),
        pictures=pictures,
    )


def _shown(number: int, record: Prediction, evidence: Evidence | None, picture: int | None) -> ShownItem:
    doi, license_id = (evidence["doi"], evidence["license"]) if evidence else (None, record["license"])
    return {
        "item": number,
        "task": record["task"],
        "question": record["question"],
        "answer": record["prediction"],
        "reference": record["reference"],
        "caption": (evidence["caption"] if evidence else None) or "",
        "context": evidence["context"] if evidence else [],
        "source": ", ".join(filter(None, [doi and f"doi:{doi}", license_id])),
        "picture": picture,
    }


def _picture(row: dict) -> str:
    """The row's picture as a base64 JPEG of nothing but its pixels. Raises `UnreadablePicture`, naming the example."""
    buffer = io.BytesIO()
    picture = open_image(row)
    picture.thumbnail((PICTURE_PX, PICTURE_PX))
    picture.save(buffer, "JPEG", quality=PICTURE_QUALITY)
    return base64.b64encode(buffer.getvalue()).decode()


def _csp_hash(text: str) -> str:
    """What a Content-Security-Policy calls an inline script or style that may be used."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
