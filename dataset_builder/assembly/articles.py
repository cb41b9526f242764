"""From the records of single files to articles: which files are one article, and what it says as a whole.

for heads in join_articles(read_heads(units)):
    article = join_files(heads, notices_of(heads))
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import quote

from dataset_builder.assembly.archive import MINING_ONLY, ArchiveSays, archive_says, license_and_notes
from dataset_builder.assembly.rows import (
    ArticleColumns,
    CaptionLikeRow,
    OriginColumns,
    RightsColumns,
    SupplementaryRow,
    Unjudged,
)
from dataset_builder.assembly.versions import ArticleFile, passed_over, taken
from dataset_builder.extraction.records import FigureRecord, Record, empty_record, read_record
from dataset_builder.extraction.units import Unit
from dataset_builder.readers.article import Panel, PictureFile, TextDamage
from dataset_builder.readers.pictures.panels import with_captions
from dataset_builder.retracted import TAKEN_DOWN, Retracted
from dataset_builder.text.labels import label_key, label_panel
from dataset_builder.text.licenses import attribution, figure_attribution
from dataset_builder.text.notices import gravest
from trust.licenses import in_order

_STATED = ("pmcid", "doi", "title", "journal", "year", "language", "license", "article_type")
_OF_ARCHIVE = ("pmcid", "doi", "title")  # of these what the archive says, where the article is silent
_MEASURES = ("width", "height", "sharpness", "contrast", "text_share", "image_sha256", "pixels_sha256", "phash")
_NO_PICTURE = dict.fromkeys(("image_path", *_MEASURES, "duplicate_group"))
_TEXT = ("label", "caption", "context", "rights", "license")  # of a figure: what does not come with its picture
NOT_A_CAPTION = "not_a_caption"  # the `filter` of a line that reads like a caption
_MAX_NAME_CHARS = 240  # of a file, its suffix aside: file systems take 255 bytes
_DIGEST_CHARS = 16  # hex digits of an article's id that is a hash: 64 bits


@dataclass(frozen=True)
class Head:
    """What joining articles needs of a record: a few hundred bytes, so that all of them fit into memory."""

    record: Path
    source: str  # jats | pdf | csv | package
    package: str  # its main file
    source_file: str
    digest: str
    error: str | None
    names: tuple[str, ...]  # PMCID and DOI, lower case
    notices: dict[str, str]  # what this article says of others: DOI or PMCID, lower case -> status
    notes: tuple[str, ...] = ()  # what the reader had to do to the file
    text_damage: TextDamage | None = None  # of a PDF
    archive: ArchiveSays | None = None


@dataclass(frozen=True)
class JoinedArticle:
    """One article: its columns, its figures, those of its supplements, and its text as Markdown."""

    columns: ArticleColumns
    figures: list[Unjudged]
    supplementary: list[SupplementaryRow]
    markdown: str
    not_captions: list[CaptionLikeRow]
    starts: list[int]  # pages on which articles start: several where a PDF holds several
    passed_over: list[tuple[str, str]]  # files that another one was taken for, and why


class _Number(NamedTuple):
    """By what a figure of one file is found in another: "2" and "B" of "Figure 2B"."""

    key: str  # `label_key`; "" for none
    panels: str  # `label_panel`


# ---- which files are one article ----


def read_heads(units: list[Unit]) -> list[Head]:
    """One pass over the records of all files."""
    return [_head(unit, read_record(unit.record)) for unit in units]


def _head(unit: Unit, record: Record) -> Head:
    archive = archive_says(unit.package)
    pmcid = record.get("pmcid") or (archive.pmcid if archive else None)
    doi = record.get("doi") or (archive.doi if archive else None)
    return Head(
        record=unit.record,
        source=record["source"],
        package=unit.package.source_file,
        source_file=unit.source_file,
        digest=record["digest"],
        error=record["error"],
        names=tuple(name.lower() for name in (pmcid, doi) if name),
        notices={name.lower(): status for name, status in record.get("notices", {}).items()},
        notes=tuple(record.get("notes", ())),
        text_damage=record.get("text_damage"),
        archive=archive,
    )


def inputs_sha256(heads: list[Head]) -> str:
    """One hash over what was read: every file's path and the hash of its package's content."""
    lines = sorted(f"{head.source_file} {head.digest}" for head in heads)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def join_articles(heads: list[Head]) -> list[list[Head]]:
    """The records of each article: files of one package, or with the same PMCID or DOI; XML first, then by path."""
    owner: dict[str, int] = {}  # name -> the article's number, that of its first file
    articles: dict[int, list[Head]] = defaultdict(list)
    for i, head in sorted(enumerate(heads), key=lambda item: (item[1].source != "jats", item[0])):
        names = [f"package:{head.package}", *head.names]
        known = next((owner[name] for name in names if name in owner), i)
        owner.update(dict.fromkeys(names, known))
        articles[known].append(head)
    return [articles[i] for i in sorted(articles)]


def notices_of(heads: list[Head]) -> dict[str, str | None]:
    """DOI or PMCID -> the gravest that any article says of it."""
    said: dict[str, list[str]] = defaultdict(list)
    for head in heads:
        for name, status in head.notices.items():
            said[name].append(status)
    return {name: gravest(statuses) for name, statuses in said.items()}


# ---- what an article says as a whole ----


def join_files(heads: list[Head], notices: Mapping[str, str | None]) -> JoinedArticle | None:
    """One article from the records of its files; None when no file could be read.

    The text comes from the best of the files (`versions.taken`), XML before PDF; a picture the XML lacks is taken from
    the PDF's figure of the same label. `notices` is what other articles say of articles: DOI or PMCID -> status.
    """
    all_files = [ArticleFile(head.record, read_record(head.record), head.package) for head in heads if not head.error]
    if not all_files:
        return None
    said = [notices.get(name) for head in heads for name in head.names]
    files = taken(all_files)
    main = files[0]
    in_order = sorted(all_files, key=lambda file: (file.record["source"] != "jats", file not in files))
    archive = next((head.archive for head in heads if head.archive), None)
    columns = article_columns(main.record, [file.record for file in in_order], said, archive)
    is_xml = main.record["source"] == "jats"
    pictures = _pdf_pictures(files) if is_xml else {}
    printed = _pdf_rights(files) if is_xml else {}
    ids: set[str] = set()
    figures = []
    for stated in main.record["figures"]:
        figure = _with_archive(_with_rights(stated, printed), archive)
        picture = _own_picture(main.folder, figure) or _borrowed_picture(pictures, figure)
        figure_id = _unique_id(columns["article_id"], figure["label"], ids)
        figures.append(figure_row(columns, figure, picture | _origin(main.record, figure, picture, archive), figure_id))
    return JoinedArticle(
        columns=columns,
        figures=figures,
        supplementary=[
            _supplementary_row(columns, _with_archive(f, archive))
            for file in files
            for f in file.record["supplementary"]
        ],
        markdown=main.markdown,
        not_captions=_not_captions(columns, main.record, ids),
        starts=main.record["starts"],
        passed_over=passed_over(all_files),
    )


def article_columns(
    main: Record, records: list[Record], said: Iterable[str | None], archive: ArchiveSays | None
) -> ArticleColumns:
    """An article's columns: each from the first of its records that states it; `said` is what others say of it."""
    stated: dict = {name: _first_stated(name, records) for name in _STATED}
    for name in _OF_ARCHIVE if archive else ():
        stated[name] = stated[name] or getattr(archive, name)
    stated["license"], notes = license_and_notes(stated["license"], archive)
    statuses = [*(record["status"] for record in records), *said, archive.status if archive else None]
    authors = next((record["authors"] for record in records if record["authors"]), [])
    credited = {name: stated[name] for name in ("title", "journal", "year", "doi", "pmcid", "license")}
    columns = stated | {
        "article_id": stated["pmcid"] or stated["doi"] or _unnamed_id(main),
        "status": gravest(statuses),
        "notes": sorted({note for record in records for note in record.get("notes", ())} | set(notes)),
        "attribution": attribution(authors, **credited),
        "source": main["source"],
        "source_file": main["source_file"],
    }
    return cast("ArticleColumns", columns)


def _unnamed_id(main: Record) -> str:
    """The id of an article with neither PMCID nor DOI: what its table calls it, or the hash of its files."""
    return main["source_file"] if main["source"] == "csv" else f"sha256:{main['digest'][:_DIGEST_CHARS]}"


def _first_stated(name: str, records: list[Record]) -> object:
    return next((record[name] for record in cast("list[dict]", records) if record[name] is not None), None)


def figure_row(article: ArticleColumns, figure: FigureRecord, picture: Mapping, figure_id: str) -> Unjudged:
    """The row of one figure: what `picture` (columns of its picture, {} for none) says goes before the record."""
    columns = {name: value for name, value in figure.items() if name != "image_file"}
    row = {**_NO_PICTURE, **article, **columns, **picture, **rights_columns(article, figure), "figure_id": figure_id}
    return cast("Unjudged", row)


def rights_columns(article: ArticleColumns, figure: FigureRecord) -> RightsColumns:
    """The figure's own rights, licence and attribution line where it states rights; else the article's.

    Caption and context are the article's in any case.
    """
    of_article, rights, own = article["license"], figure["rights"], figure["license"]
    if rights is None:
        line = article["attribution"]
        return {"rights": None, "license": of_article, "licenses": [of_article], "attribution": line}
    line = figure_attribution(article["attribution"], rights, own)
    return {"rights": rights, "license": own, "licenses": list(in_order([own, of_article])), "attribution": line}


def _supplementary_row(article: ArticleColumns, figure: FigureRecord) -> SupplementaryRow:
    own = rights_columns(article, figure)
    return {**article, **own, "label": figure["label"], "caption": figure["caption"]}


def _not_captions(columns: ArticleColumns, record: Record, taken: set[str]) -> list[CaptionLikeRow]:
    """The lines of a PDF that read like captions, as rows that no one takes for a figure."""
    empty: dict = dict.fromkeys(("label", "caption", "rights", "bbox", "image_error", "threshold"))
    empty["licenses"] = [columns["license"]]
    rows = []
    for line in record["rejected_captions"]:
        figure_id = _unique_id(columns["article_id"], line["label"], taken)
        said = {"page": line["page"], "text": line["text"], "confidence": line["confidence"], "value": line["reason"]}
        row = {
            **_NO_PICTURE,
            **columns,
            **empty,
            "context": [],
            "questions": [],
            "panels": [],
            "filter": NOT_A_CAPTION,
            **said,
        }
        rows.append(cast("CaptionLikeRow", {**row, "figure_id": figure_id}))
    return rows


def _own_picture(folder: Path, figure: FigureRecord) -> dict[str, object]:
    """Where the picture of a figure lies, whose record is in `folder`; {} when it has none."""
    if not figure["image_file"]:
        return {}
    dataset = folder.parents[3]  # of a record DATASET/.work/records/ab/abcd: the folder may be moved
    return {"image_path": (folder / figure["image_file"]).relative_to(dataset).as_posix()}


def _origin(main: Record, figure: FigureRecord, picture: Mapping, archive: ArchiveSays | None) -> OriginColumns:
    """What a figure was made of; a picture cut from a PDF that the text does not come from brings its own."""
    own = _pdf_file(main) if main["source"] == "pdf" else figure.get("picture_files", [])
    return {
        "source_sha256": main.get("file_sha256"),
        "article_version": archive.version if archive else None,
        "picture_files": picture.get("picture_files") or own,
        "dpi": picture.get("dpi", figure.get("dpi")),
    }


def _pdf_file(record: Record) -> list[PictureFile]:
    """The PDF that a record was read from, as the file that its pictures are cut from."""
    sha256 = record.get("file_sha256")
    name = record["source_file"].rpartition("!")[2].rpartition("/")[2]  # also of a file in an archive
    return [{"name": name, "sha256": sha256}] if sha256 else []


def _borrowed_picture(pictures: Mapping[_Number, dict], figure: FigureRecord) -> dict[str, object]:
    """The columns of the PDF's picture of the same label, its panels captioned from the XML; {} when it has none."""
    picture = pictures.get(_number(figure["label"]))
    if picture is None:
        return {}
    panels = with_captions([Panel(**panel) for panel in picture["panels"]], figure["caption"])
    return picture | {"panels": [asdict(panel) for panel in panels]}


def _number(label: str | None) -> _Number:
    """What figures of one label have in common: "Figure 2B" is another one than "Figure 2A", and than "Figure 2"."""
    return _Number(label_key(label) or "", label_panel(label))


def _pdf_pictures(files: list[ArticleFile]) -> dict[_Number, dict]:
    """The columns that come with a picture cut from the PDF of the same article, by the number of its figure."""
    found: dict[_Number, dict] = {}
    for file in files:
        if file.record["source"] != "pdf":
            continue
        for figure in file.record["figures"]:
            number, picture = _number(figure["label"]), _own_picture(file.folder, figure)
            if number.key and picture:
                columns = {name: value for name, value in figure.items() if name not in (*_TEXT, "image_file")}
                columns |= picture | {"source": "jats+pdf", "picture_files": _pdf_file(file.record)}
                found.setdefault(number, columns)
    return found


def _pdf_rights(files: list[ArticleFile]) -> dict[str, FigureRecord]:
    """label key -> the figure of the article's PDF that states rights: an XML may leave out what its caption prints."""
    figures = [figure for file in files if file.record["source"] == "pdf" for figure in file.record["figures"]]
    keys = [(label_key(figure["label"]), figure) for figure in figures if figure["rights"]]
    return {key: figure for key, figure in keys if key}


def _with_rights(figure: FigureRecord, printed: Mapping[str, FigureRecord]) -> FigureRecord:
    """The figure with the rights that its caption has in the PDF, where the XML states none."""
    other = printed.get(label_key(figure["label"]) or "")
    if figure["rights"] is not None or other is None:
        return figure
    return {**figure, "rights": other["rights"], "license": other["license"]}


def _with_archive(figure: FigureRecord, archive: ArchiveSays | None) -> FigureRecord:
    """The figure, with rights of its own where the archive forbids to hand its article on."""
    if archive is None or archive.may_redistribute is not False:
        return figure
    return {**figure, "rights": figure["rights"] or MINING_ONLY, "license": None}


def _unique_id(article_id: str, label: str | None, taken: set[str]) -> str:
    """`{article_id}/fig{label key}`, numbered when an article uses a label twice; adds it to those `taken`."""
    stem = f"{article_id}/fig{label_key(label) or ''}"
    numbered = (stem if i == 1 else f"{stem}-{i}" for i in count(1))
    name = next(name for name in numbered if name not in taken)
    taken.add(name)
    return name


def markdown_name(article_id: str) -> str:
    """The name of an article's file in `provenance/markdown`."""
    name = quote(article_id, safe="")
    if len(name) > _MAX_NAME_CHARS:
        name = hashlib.sha256(article_id.encode()).hexdigest()
    return f"{name}.md"


def leave_marks(files: Sequence[Head], article_id: str, retracted: Retracted) -> bool:
    """Whether the article of these files is on the list; if so, of their records only a mark stays."""
    names = {name for head in files for name in head.names}
    digests = {head.digest for head in files if not head.error or head.error == TAKEN_DOWN}
    if not retracted.has_article(article_id, names, digests):
        return False
    for head in files:
        if not head.error:
            empty_record(head.record, read_record(head.record))
    return True
