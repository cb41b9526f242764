"""What the pages to look at share, of datasets and of runs: how rows are read, and how a page is put together.

A page holds all it needs, asks no network and runs no script but its own: captions, sentences, answers and pictures are
data from strangers.
"""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import pyarrow.parquet as parquet
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model_cards.dataset_folder import config_files
from trust.markup import json_in_html
from trust.pictures.encoding import THUMBNAIL_PX, thumbnail
from trust.pictures.opener import UnreadablePicture, open_picture
from trust.pictures.stored import StoredPicture, stored_bytes

TEMPLATES = Path(__file__).parent / "templates"
EXAMPLE_CONFIGS = ("detail", "reasoning", "align")  # in the order in which a figure's examples are shown
REJECTED_EXAMPLES = "provenance/rejected_examples.jsonl"
_ROWS_A_BATCH = 50  # rows with pictures are held in memory by this many


def has_examples(dataset: Path) -> bool:
    """Whether there is something to show on `examples.html`: examples, or what the gate rejected."""
    rejected = dataset / REJECTED_EXAMPLES
    there = config_files(dataset)
    return any(config in there for config in EXAMPLE_CONFIGS) or (rejected.exists() and rejected.stat().st_size > 0)


# ---- the page


def rendered(name: str, data: dict, pictures: "Pictures", **of_template: object) -> Iterator[str]:
    """The page `NAME.html` that shows `data` by the script `NAME.js`, in parts; rows name their pictures by number.

    `NAME.css` may add to the style that the pages share. In parts, because a page of 2,000 figures has tens of
    megabytes: as one text, which is then encoded, it was a third of all memory of `ldrt build`.
    """
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True)
    script = "".join((TEMPLATES / part).read_text(encoding="utf-8") for part in ("page.js", f"{name}.js"))
    styles = [path for part in ("page.css", f"{name}.css") if (path := TEMPLATES / part).is_file()]
    style = "".join(path.read_text(encoding="utf-8") for path in styles)
    return environment.get_template(f"{name}.html.jinja").generate(
        script=script,
        style=style,
        script_hash=_csp_hash(script),
        style_hash=_csp_hash(style),
        data=json_in_html(data),
        pictures=pictures.encoded(),
        **of_template,
    )


def _csp_hash(text: str) -> str:
    """What a Content-Security-Policy calls an inline script or style that may be used."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


class Pictures:
    """A page's pictures, each once (figures of one page share its picture). They wait on the disk, a line each."""

    def __init__(self):
        self.n_bytes = 0  # of all, before the encoding
        self._numbers: dict[bytes, int] = {}
        self._lines = TemporaryFile()  # noqa: SIM115, closed, and gone, with the last use of this object

    def encoded(self) -> Iterator[str]:
        """All of them as base64, in the order of their numbers."""
        self._lines.seek(0)
        for line in self._lines:
            yield line.decode().rstrip()

    def add(self, jpeg: bytes | None) -> int | None:
        if jpeg is None:
            return None
        following = len(self._numbers)
        number = self._numbers.setdefault(hashlib.sha256(jpeg).digest(), following)
        if number == following:
            self._lines.write(base64.b64encode(jpeg) + b"\n")
            self.n_bytes += len(jpeg)
        return number


def cut(sentence: str, spans: list[list[int]]) -> list[str]:
    """The sentence in pieces: every second one (index 1, 3, …) is one of the spans, given as [start, end].

    cut("As Fig. 2 shows.", [[3, 9]]) -> ["As ", "Fig. 2", " shows."]
    """
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        if start >= position:
            pieces += [sentence[position:start], sentence[start:end]]
            position = end
    return [*pieces, sentence[position:]]


# ---- rows


class Loaded(NamedTuple):
    """What is shown of a figure."""

    thumbnail: bytes | None = None  # JPEG
    page: bytes | None = None  # of its page, JPEG
    problem: str | None = None  # why there is no thumbnail, where a picture is there


def load_thumbnail(picture: StoredPicture | None) -> Loaded:
    """The picture of a row of `pairs` as it is shown, or why it is not."""
    if picture is None:
        return Loaded()
    try:
        return Loaded(thumbnail(open_picture(stored_bytes(picture), near_px=THUMBNAIL_PX)))
    except UnreadablePicture as error:
        return Loaded(problem=str(error))


def parquet_rows(path: Path, first: int, chosen: set[int]) -> Iterator[dict]:
    """The rows of a Parquet file whose first has the number `first`; pictures only near one that is `chosen`."""
    with parquet.ParquetFile(path, pre_buffer=False) as file:
        names = [name for name in file.schema_arrow.names if name not in ("image", "images")]
        for group in range(file.num_row_groups):
            last = first + file.metadata.row_group(group).num_rows
            columns = None if any(i in chosen for i in range(first, last)) else names
            for batch in file.iter_batches(_ROWS_A_BATCH, [group], columns):
                yield from batch.to_pylist()
            first = last


def fair_shares(totals: dict[str, int], limit: int) -> dict[str, int]:
    """How many of each to take: all of the rare ones, of the others equally many, `limit` together."""
    shares: dict[str, int] = {}
    left = limit
    rarest_first = sorted(totals, key=lambda name: (totals[name], name))
    for place, name in enumerate(rarest_first):
        share = left // (len(totals) - place)
        shares[name] = min(totals[name], share)
        left -= shares[name]
    return shares
