"""The rows of one article in a table of figures -> `Article`: pictures with captions, context and questions as given.

Rows that name the same picture are one figure with several questions, unless their captions differ.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from dataset_builder.articles.pictures import TOO_LARGE, UNREADABLE, FolderPictures
from dataset_builder.articles.tables import TASKS, TableRow, read_rows, whole_doi
from dataset_builder.readers.article import Article, Figure, Question
from dataset_builder.text.holders import Owner, names_of
from dataset_builder.text.labels import label_key, split_label
from dataset_builder.text.licenses import license_id
from dataset_builder.text.rights import Rights, is_reserved, stated_rights
from dataset_builder.text.sentences import split_sentences
from trust.licenses import combined, is_known

_PMCID = re.compile(r"PMC\d+", re.IGNORECASE)


def read_table(path: Path, pictures: FolderPictures) -> Article:
    """The article whose rows `articles.tables.split` wrote to a file; `pictures` are those that they name.

    Raises OSError when the file cannot be read.
    """
    rows = read_rows(path)
    authors = _first(row["authors"] for row in rows) or ""
    year = _first(row["year"] for row in rows)
    article = Article(
        source="csv",
        pmcid=_pmcid(rows[0]["article_id"]),
        doi=_first([*(row["doi"] for row in rows), whole_doi(rows[0]["article_id"])]),
        title=_first(row["title"] for row in rows),
        authors=[name.strip() for name in authors.split(";") if name.strip()],
        year=int(year) if year else None,
        language=_first(row["language"] for row in rows),
        license=combined(_license(row["license"]) for row in rows),
    )
    owner = Owner(article.license, names=names_of(article.authors))
    article.figures = [_figure(of_it, owner, pictures) for of_it in _by_figure(rows)]
    article.markdown = _markdown(article)
    return article


def _first(values: Iterable[str | None]) -> str | None:
    return next(filter(None, values), None)


def _pmcid(article_id: str | None) -> str | None:
    return article_id.upper() if article_id and _PMCID.fullmatch(article_id) else None


def _by_figure(rows: list[TableRow]) -> list[list[TableRow]]:
    """The rows of each figure, in the table's order: those of one picture that have the same caption, or none."""
    figures: list[list[TableRow]] = []
    by_picture: dict[str, list[list[TableRow]]] = {}
    for row in rows:
        of_picture = by_picture.setdefault(row["picture"], [])
        figure = next((figure for figure in of_picture if _may_share(figure, row)), None)
        if figure is None:
            figure = []
            of_picture.append(figure)
            figures.append(figure)
        figure.append(row)
    return figures


def _may_share(rows: list[TableRow], other: TableRow) -> bool:
    caption = _first(row["caption"] for row in rows)
    return caption is None or other["caption"] in (None, caption)


def _figure(rows: list[TableRow], owner: Owner, pictures: FolderPictures) -> Figure:
    """One figure, from the rows of it."""
    label, caption = _label_and_caption(_first(row["label"] for row in rows), _first(row["caption"] for row in rows))
    sentences = [sentence for row in rows for sentence in split_sentences(row["context"] or "")]
    figure = Figure(label=label, caption=caption, context=list(dict.fromkeys(sentences)))
    figure.questions = [question for row in rows if (question := _question(row))]
    rights = _rights(rows, caption, owner)
    if rights:
        figure.rights, figure.license = rights.words, rights.license
    _set_picture(figure, rows[0], pictures)
    return figure


def _label_and_caption(label: str | None, caption: str | None) -> tuple[str | None, str | None]:
    """The label, or where there is none that at the caption's start; the caption goes without it."""
    split = split_label(caption) if caption else None
    if split is None or (label and label_key(label) != label_key(split[0])):
        return label, caption
    return label or split[0], split[1] or None


def _question(row: TableRow) -> Question | None:
    if not (row["question"] and row["answer"]):
        return None
    return {"question": row["question"], "answer": row["answer"], "task": row["task"] or TASKS[0]}


def _set_picture(figure: Figure, row: TableRow, pictures: FolderPictures) -> None:
    """Open the figure's picture, or say in `image_fault` and `image_error` why there is none."""
    from dataset_builder.readers.pictures.keep import keep_picture
    from trust.pictures.opener import PictureTooLarge, UnreadablePicture, open_picture_file

    name, line = row["picture"], f"line {row['line']}"
    refusal = pictures.refused.get(name)
    if refusal:
        figure.image_fault, figure.image_error = refusal.fault, f"{line}: {name}: {refusal.reason}"
        return
    try:
        keep_picture(figure, open_picture_file(pictures.found[name]))
    except PictureTooLarge as error:
        figure.image_fault, figure.image_error = TOO_LARGE, f"{line}: {error}"
    except UnreadablePicture as error:
        figure.image_fault, figure.image_error = UNREADABLE, f"{line}: {error}"


# ---- licences and rights ----


def _license(words: str | None) -> str | None:
    """The licence that an SPDX id, a Creative Commons name or its address names; None for other words."""
    if words is None:
        return None
    return words.upper() if is_known(words.upper()) else license_id([words], words)


def _rights(rows: list[TableRow], caption: str | None, owner: Owner) -> Rights | None:
    """What the column `rights`, the caption, or a licence that is not the article's says; None where none does.

    Reserved rights have no licence. The words of a licence that has no id are kept as rights.
    """
    words, stated = _first(row["rights"] for row in rows), _first(row["license"] for row in rows)
    license = _license(stated)
    if words:
        return Rights(words, None if is_reserved(words) else license)
    in_caption = stated_rights(caption, owner)
    if in_caption or stated is None:
        return in_caption
    return Rights(stated, license) if license is None or license != owner.license else None


# ---- the article's text ----


def _markdown(article: Article) -> str:
    """The title, and of each figure its label, caption and context."""
    blocks = [f"# {article.title}"] if article.title else []
    for figure in article.figures:
        head = f"**{figure.label}**" if figure.label else None
        blocks.append(" ".join(filter(None, (head, figure.caption))))
        blocks.append(" ".join(figure.context))
    return "\n\n".join(filter(None, blocks)) + "\n"
