"""Rights of single figures as a PDF's captions print them."""

import pytest

from dataset_builder.readers.pdf.reader import read_pdf
from tests.dataset_builder.readers.paper import Paper, prose

LEFT, FULL = 50, 495
LICENCE = "This is an open access article under the Creative Commons Attribution License (CC BY 4.0)."
DENIED = "This article is not published under the Creative Commons Attribution License (CC BY 4.0)."
OPTION = "All rights reserved. This article is subscription only, for the CC BY 4.0 option contact us."
STATED = {
    "Reprinted from [12] with permission of A House.": (None, "Reprinted from [12] with permission of A House."),
    "Adapted from our previous work [12] under CC BY-NC 4.0.": (
        "CC-BY-NC-4.0",
        "Adapted from our previous work [12] under CC BY-NC 4.0.",
    ),
    "Mit freundlicher Genehmigung von A House.": (None, "Mit freundlicher Genehmigung von A House."),
    "Reproduit de Dupont et al. avec la permission de A House.": (
        None,
        "Reproduit de Dupont et al. avec la permission de A House.",
    ),
    "Adaptado de Silva et al. (2010).": (None, "Adaptado de Silva et al. (2010)."),
    "Copyright 2011 A House.": (None, "Copyright 2011 A House."),
    "Values of mice that were reproduced in 2019.": (None, None),
    "Shown with permission of the patient.": (None, None),
    "Responses were reproducible.": (None, None),
}


def article(path, caption, licence=LICENCE):
    """An article with two figures, the first of which has the caption."""
    paper = Paper(path)
    top = paper.text(LEFT, 60, FULL, licence + "\n" + prose(1, 8))
    for number, text in ((1, caption), (2, "Pain after treatment in both groups.")):
        paper.chart(150, top + 20, 300, 150)
        top = paper.caption(LEFT, top + 180, FULL, f"Figure {number}. {text}") + 20
    paper.text(LEFT, top, FULL, prose(2, 10) + " As Figure 1 and Figure 2 show, no dose was best.")
    return read_pdf(paper.save())


@pytest.mark.parametrize(("statement", "stated"), STATED.items())
def test_a_caption_that_states_rights(statement, stated, tmp_path):
    found = article(tmp_path / "a.pdf", f"The knee of a mouse. {statement}")
    assert found.license == "CC-BY-4.0"
    assert [(figure.license, figure.rights) for figure in found.figures] == [stated, (None, None)]


@pytest.mark.parametrize("licence", [DENIED, OPTION])
def test_a_licence_that_is_denied_is_none(licence, tmp_path):
    assert article(tmp_path / "a.pdf", "The knee.", licence).license is None


BELOW = {
    "Source: Getty Images": "Source: Getty Images",
    "Source: Atlas of bones, 2003.": "Source: Atlas of bones, 2003.",
    "Photo: Tom Jones": "Photo: Tom Jones",
    "© 2011 A House": "© 2011 A House",
    "Reprinted with permission of A House": "Reprinted with permission of A House",
    "Source: own elaboration.": None,
    "Source: World Health Organization, 2020.": None,
    "Photo: Jane Smith": None,
    "Dose (Gy)": None,
}


def credited(path, credit, gap, above, font="Helvetica", size=6.5):
    """An article with two figures; a credit stands right above or below the caption of the first."""
    paper = Paper(path)
    paper.text(LEFT, 30, FULL, "Low doses in painful joints", size=18)
    paper.text(LEFT, 60, FULL, "Jane Smith1, Bo Li1 and Eva Cruz2", size=11)
    top = paper.text(LEFT, 90, FULL, LICENCE + "\n" + prose(1, 8)) + 20
    paper.chart(150, top, 300, 150)
    top += 156
    if above:
        top = paper.text(LEFT, top, FULL, credit, font, size) + gap
    top = paper.caption(LEFT, top, FULL, "Figure 1. The knee of a mouse, in the second week.")
    if not above:
        top = paper.text(LEFT, top + gap, FULL, credit, font, size)
    paper.chart(150, top + 40, 300, 150)
    top = paper.caption(LEFT, top + 200, FULL, "Figure 2. Pain after treatment in both groups.") + 20
    paper.text(LEFT, top, FULL, prose(2, 10) + " As Figure 1 and Figure 2 show, no dose was best.")
    return read_pdf(paper.save())


@pytest.mark.parametrize(("credit", "words"), BELOW.items())
@pytest.mark.parametrize(("gap", "above"), [(0, False), (5, False), (3, True)])
def test_a_credit_beside_a_caption(credit, words, gap, above, tmp_path):
    found = credited(tmp_path / "a.pdf", credit, gap, above)
    assert [(figure.license, figure.rights) for figure in found.figures] == [(None, words), (None, None)]
    assert found.figures[0].caption.startswith("The knee of a mouse, in the second week.")


def test_a_credit_set_like_the_running_text(tmp_path):
    found = credited(tmp_path / "a.pdf", "Source: Getty Images", 4, False, "Times-Roman", 10)
    assert found.figures[0].rights == "Source: Getty Images"


def test_running_text_beside_a_caption_credits_nothing(tmp_path):
    text = "Reprinted from Miller et al. is the scale of pain, and it was used here. " + prose(3, 4)
    found = credited(tmp_path / "a.pdf", text, 8, False, "Times-Roman", 10)
    assert [figure.rights for figure in found.figures] == [None, None]


def turned(paper, x, top, text):
    """A line that reads up the page from its lower end."""
    paper.canvas.saveState()
    paper.canvas.translate(x, paper.height - top)
    paper.canvas.rotate(90)
    paper.canvas.setFont("Helvetica", 6)
    paper.canvas.drawString(0, 0, text)
    paper.canvas.restoreState()


PLACES = {  # draws a credit of a picture whose corners are (150, 200) and (450, 350)
    "in the picture": lambda paper, text: paper.text(340, 340, 110, text, "Helvetica", 6),
    "below the picture": lambda paper, text: paper.text(150, 353, 300, text, "Helvetica", 6),
    "at its right end": lambda paper, text: paper.text(380, 353, 300, text, "Helvetica-Oblique", 6),
    "up its right side": lambda paper, text: turned(paper, 459, 349, text),
    "up its left side": lambda paper, text: turned(paper, 148, 349, text),
}
CREDITS = {
    "© 2011 A House": "© 2011 A House",
    "Photo: Tom Jones": "Photo: Tom Jones",
    "Fonte: Silva (2010).": "Fonte: Silva (2010).",
    "Fonte: os autores.": None,
    "Photo: left knee": None,
}


@pytest.mark.parametrize(("credit", "words"), CREDITS.items())
@pytest.mark.parametrize("draw", PLACES.values(), ids=PLACES)
def test_a_credit_in_the_picture_or_along_it(draw, credit, words, tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 10))
    paper.caption(LEFT, 186, FULL, "Figura 1 – Dose por semana.")
    paper.photo(150, 200, 300, 150)
    draw(paper, credit)
    paper.text(LEFT, 400, FULL, prose(2, 10))
    paper.caption(LEFT, 526, FULL, "Figura 2 – Dor por semana.")
    paper.photo(150, 540, 300, 150, 1)
    assert [figure.rights for figure in read_pdf(paper.save()).figures] == [words, None]


def test_a_credit_of_two_lines_below_a_picture(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 10))
    paper.caption(LEFT, 186, FULL, "Figure 1. Dose by week.")
    paper.photo(150, 200, 300, 150)
    paper.text(150, 353, 300, "Source: The atlas of the bones and joints\nof mice, under CC BY-NC 4.0.", "Helvetica", 6)
    (figure,) = read_pdf(paper.save()).figures
    assert figure.rights == "Source: The atlas of the bones and joints of mice, under CC BY-NC 4.0."
    assert figure.license == "CC-BY-NC-4.0"


def test_the_foot_of_the_page_is_no_credit_of_the_picture_above_it(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    for number in (1, 2, 3):
        paper.text(LEFT, 60, FULL, prose(number, 30))
        paper.caption(LEFT, 586, FULL, f"Figure {number}. Dose by week.")
        paper.photo(LEFT, 600, FULL, 190, number)
        paper.text(LEFT, 794, FULL, "© 2011 A House. All rights reserved.", "Helvetica", 7)
        paper.page()
    assert [figure.rights for figure in read_pdf(paper.save()).figures] == [None] * 3
