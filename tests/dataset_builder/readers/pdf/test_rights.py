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
