"""Where a caption may stand: beside, between and above pictures, on another page; and files of several articles."""

import pytest
from reportlab.lib.utils import simpleSplit

from dataset_builder.readers.pdf.reader import read_pdf
from tests.dataset_builder.readers.paper import Paper, image_of, prose

TITLE = {"font": "Times-Bold", "size": 16}
TEXT = "Dose in the joint of all patients, as measured by two readers with films on three days of the study."


def close(bbox, expected, by=6):
    return bbox is not None and all(abs(a - b) <= by for a, b in zip(bbox, expected, strict=True))


def opening(paper, sentence="The dose is low (Figure 1)."):
    paper.text(60, 40, 475, "Doses in joints", **TITLE)
    return paper.text(60, 80, 475, prose(1, 12) + " " + sentence + " " + prose(2, 4))


# ---- beside ----


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("at", [0, 90, 200])
@pytest.mark.parametrize(("rows", "size"), [(3, 95), (2, 150), (1, 300)])
def test_caption_beside_a_tall_figure_with_running_text_below_it(tmp_path, left, at, rows, size):
    paper = Paper(tmp_path / "a.pdf")
    x, beside = (60, 380) if left else (235, 60)
    for row in range(rows):
        for column in (0, 1):
            paper.photo(x + 155 * column, 100 + (size + 12) * row, 145, size, seed=2 * row + column)
    if at:
        paper.text(beside, 90, 150, prose(3, 6)[: 2 * at])
    end = paper.caption(beside, 100 + at, 150, f"Figure 1. {TEXT}")
    paper.text(beside, end + 12, 150, prose(4, 3))
    paper.text(60, 450, 475, prose(5, 20) + " The dose is low (Figure 1). " + prose(6, 10))
    figure = read_pdf(paper.save()).figures[0]
    assert figure.caption == TEXT
    assert close(figure.bbox, (x, 100, x + 300, 100 + rows * (size + 12) - 12))


def test_picture_of_the_other_column_is_not_taken(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    opening(paper)
    for k in range(4):
        paper.photo(60 + 115 * (k % 2), 260 + 115 * (k // 2), 105, 105, seed=k)
    paper.caption(60, 495, 220, f"Figure 1. {TEXT}")
    paper.text(60, 540, 220, prose(3, 12))
    paper.text(310, 250, 225, prose(4, 6))
    paper.caption(310, 380, 225, "Figure 2. Pain of all patients, whose picture is not in this file.")
    paper.text(310, 420, 225, prose(5, 12))
    one, two = read_pdf(paper.save()).figures
    assert close(one.bbox, (60, 260, 280, 480))
    assert two.bbox is None


@pytest.mark.parametrize(("width", "gap"), [(160, 12), (140, 20), (175, 8)])
def test_caption_between_two_pictures(tmp_path, width, gap):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper) + 20
    paper.photo(40, end, width, 150, seed=1)
    paper.photo(555 - width, end, width, 150, seed=2)
    paper.caption(40 + width + gap, end + 30, 515 - 2 * (width + gap), f"Figure 1. {TEXT}")
    paper.text(60, end + 170, 475, prose(3, 12))
    figure = read_pdf(paper.save()).figures[0]
    assert figure.caption == TEXT
    assert close(figure.bbox, (40, end, 555, end + 150))
    picture = image_of(figure).convert("L")  # the caption itself is no part of the picture
    middle = picture.crop((picture.width * 2 // 5, 0, picture.width * 3 // 5, picture.height))
    assert middle.getextrema() == (255, 255)


@pytest.mark.parametrize("count", [2, 3])
def test_captions_one_below_the_other_under_figures_side_by_side(tmp_path, count):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper) + 20
    width = 475 / count - 10
    for k in range(count):
        paper.photo(60 + k * (width + 10), end, width, 120, seed=k)
    low = end + 128
    for k in range(count):
        low = paper.caption(60, low + 2, 475, f"Figure {k + 1}. {TEXT}")
    paper.text(60, low + 20, 475, prose(3, 12))
    figures = read_pdf(paper.save()).figures
    assert len(figures) == count
    for k, figure in enumerate(figures):
        x = 60 + k * (width + 10)
        assert close(figure.bbox, (x, end, x + width, end + 120))


@pytest.mark.parametrize("panels", ["(A) Dose, (B) pain.", "(a, b) Two joints.", "A, dose; B, pain."])
def test_panels_of_a_figure_over_another_caption_are_its_own(tmp_path, panels):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper) + 20
    for k in range(2):
        paper.photo(60 + 240 * k, end, 230, 120, seed=k)
    low = paper.caption(60, end + 130, 475, f"Figure 1. {panels}")
    low = paper.caption(60, low + 2, 475, f"Figure 2. {TEXT}")
    paper.text(60, low + 20, 475, prose(3, 12))
    one, two = read_pdf(paper.save()).figures
    assert close(one.bbox, (60, end, 530, end + 120))
    assert two.bbox is None


# ---- above ----


@pytest.mark.parametrize("size", [80, 120, 200])
def test_schemes_below_their_captions_figures_above_theirs(tmp_path, size):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper, "The dose is low (Figure 1, Scheme 1).") + 15
    paper.photo(60, end, 300, size, seed=1)
    end = paper.caption(60, end + size + 8, 475, f"Figure 1. {TEXT}")
    end = paper.caption(60, end + 30, 475, "Scheme 1. Making of the films.")
    paper.chart(60, end + 8, 300, size)
    paper.text(60, end + size + 30, 475, prose(3, 8))
    figure, scheme = sorted(read_pdf(paper.save()).figures, key=lambda figure: figure.label)
    assert figure.bbox[3] - figure.bbox[1] == pytest.approx(size, abs=8)
    assert scheme.bbox[1] >= figure.bbox[3] + 30
    assert scheme.bbox[3] - scheme.bbox[1] == pytest.approx(size, abs=25)


# ---- on another page ----


@pytest.mark.parametrize(("width", "height"), [(360, 240), (475, 150), (200, 300)])
@pytest.mark.parametrize("before", [True, False])
def test_caption_over_the_page_from_its_picture(tmp_path, width, height, before):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper)
    if before:
        paper.photo(60, 790 - height, width, height)
        paper.page()
        end = paper.caption(60, 50, 475, f"Figure 1. {TEXT}")
        paper.text(60, end + 20, 475, prose(3, 30))
    else:
        paper.text(60, end + 12, 475, prose(4, 60))
        paper.caption(60, 780, 475, f"Figure 1. {TEXT}")
        paper.page()
        paper.photo(60, 50, width, height)
        paper.text(60, 70 + height, 475, prose(3, 30))
    figure = read_pdf(paper.save()).figures[0]
    assert (figure.caption, figure.page) == (TEXT, 1 if before else 2)
    top = 790 - height if before else 50
    assert close(figure.bbox, (60, top, 60 + width, top + height))


def test_picture_in_the_middle_of_the_page_before_is_not_taken(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper)
    paper.photo(60, end + 20, 300, 200)
    paper.text(60, end + 240, 475, prose(4, 12))
    paper.page()
    end = paper.caption(60, 50, 475, f"Figure 1. {TEXT}")
    paper.text(60, end + 20, 475, prose(3, 30))
    assert read_pdf(paper.save()).figures[0].bbox is None


@pytest.mark.parametrize(
    "boxes",
    [
        [(120, 100, 300, 200), (120, 400, 300, 200)],
        [(60, 60, 475, 200), (60, 300, 475, 200), (60, 540, 475, 200)],
        [(50, 200, 225, 300), (320, 200, 225, 300)],
    ],
)
def test_figures_of_one_page_without_labels(tmp_path, boxes):
    paper = Paper(tmp_path / "a.pdf")
    opening(paper, "Doses and pain are low (Figure 1, Figure 2, Figure 3).")
    paper.page()
    end = 50
    for k in range(len(boxes)):
        end = paper.text(60, end, 475, f"Figure {k + 1}. {TEXT}") + 12
    paper.page()
    for k, box in enumerate(boxes):
        paper.photo(*box, seed=k)
    figures = read_pdf(paper.save()).figures
    assert [figure.caption for figure in figures] == [TEXT] * len(boxes)
    for figure, (x, top, width, height) in zip(figures, boxes, strict=True):
        assert close(figure.bbox, (x, top, x + width, top + height))


def test_panels_of_one_figure_on_a_page_without_labels_stay_together(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    opening(paper, "Doses and pain are low (Figure 1, Figure 2).")
    paper.page()
    end = paper.text(60, 50, 475, f"Figure 1. {TEXT}") + 12
    paper.text(60, end, 475, f"Figure 2. {TEXT}")
    paper.page()
    for k in range(3):
        paper.photo(120, 100 + 215 * k, 300, 200, seed=k)
    assert [figure.bbox is None for figure in read_pdf(paper.save()).figures].count(False) == 1


# ---- several articles in one file ----


@pytest.mark.parametrize("numbers", [(1, 1), (2, 1), (2, 3)])
def test_figures_of_two_articles_in_one_file(tmp_path, numbers):
    paper = Paper(tmp_path / "a.pdf")
    for article, count in enumerate(numbers):
        if article:
            paper.page()
        paper.text(60, 40, 475, f"Doses in {('joints', 'lungs')[article]} of patients", **TITLE)
        end = 80.0
        for k in range(count):
            organ = ("joint", "lung")[article]
            words = ("Films of a joint on the first day.", "All lungs: survival at five doses, by group.")[article]
            end = paper.text(60, end, 475, prose(k, 4) + f" In the {organ} it is {k} (Figure {k + 1}). " + prose(k, 2))
            paper.photo(60, end + 10, 200, 120, seed=5 * article + k)
            end = paper.caption(60, end + 140, 475, f"Figure {k + 1}. {words}") + 12
    figures = read_pdf(paper.save()).figures
    assert len(figures) == sum(numbers)
    for k, figure in enumerate(figures):
        article = int(k >= numbers[0])
        assert figure.page == article + 1
        assert figure.caption.startswith(("Films", "All")[article])
        assert len(figure.context) == 1
        assert ("joint", "lung")[article] in figure.context[0]


def test_caption_printed_again_in_the_list_at_the_end_is_one_figure(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper)
    paper.photo(60, end + 10, 200, 120)
    paper.caption(60, end + 140, 475, f"Figure 1. {TEXT}")
    paper.page()
    paper.text(60, 40, 475, "List of the figures", **TITLE)
    paper.photo(60, 80, 200, 120)
    paper.caption(60, 210, 475, f"Figure 1. {TEXT}")
    assert len(read_pdf(paper.save()).figures) == 1


# ---- figures that share a number ----


@pytest.mark.parametrize("place", ["below", "beside", "next page", "legends"])
@pytest.mark.parametrize("label", ["Figure 2{}. ", "Fig. 2{}: ", "Fig. 2({}) "])
def test_figures_of_one_number_with_letters_of_their_own(tmp_path, place, label):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper, "The dose is low (Figure 2A).") + 10
    texts = [TEXT, "Pain of all patients on each day of the study, as scored by themselves."]
    one, two = (label.format(letter) + text for letter, text in zip("AB", texts, strict=True))
    if place == "legends":
        paper.page()
        end = paper.text(60, 50, 475, one) + 12
        paper.text(60, end, 475, two)
        for k in range(2):
            paper.page()
            paper.photo(60, 100, 300, 200, seed=k)
    else:
        paper.photo(60, end, 200, 120, seed=1)
        low = paper.caption(60, end + 125, 200, one) + 12
        if place == "next page":
            paper.text(60, low, 475, prose(3, 12))
            paper.page()
        x, top = (310, end) if place == "beside" else (60, low if place == "below" else 60)
        paper.photo(x, top, 200, 120, seed=2)
        low = paper.caption(x, top + 125, 200, two)
        paper.text(60, low + 20, 475, prose(4, 12))
    article = read_pdf(paper.save())
    assert [
        figure.caption.removeprefix(f"({letter}) ") for figure, letter in zip(article.figures, "AB", strict=True)
    ] == texts
    assert len({(figure.page, *figure.bbox) for figure in article.figures}) == 2
    assert [len(figure.context) for figure in article.figures] == [1, 1]
    assert article.rejected_captions == []


@pytest.mark.parametrize("label", ["Figure 2{}. ", "Figure 2. ({}) "])
def test_two_captions_below_one_picture_are_of_its_panels(tmp_path, label):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper) + 10
    for k in range(2):
        paper.photo(60 + 210 * k, end, 200, 120, seed=k)
    end = paper.caption(60, end + 130, 475, label.format("A") + TEXT)
    end = paper.caption(60, end + 2, 475, label.format("B") + "Pain of all patients.")
    paper.text(60, end + 20, 475, prose(4, 12))
    article = read_pdf(paper.save())
    [figure] = article.figures
    assert (figure.label, figure.caption) == ("Figure 2", f"(A) {TEXT} (B) Pain of all patients.")
    assert close(figure.bbox, (60, 230, 470, 350), by=25)
    assert article.rejected_captions == []


def test_mention_of_a_panel_set_like_a_caption_makes_no_figure(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper) + 10
    paper.photo(60, end, 200, 120, seed=1)
    end = paper.caption(60, end + 130, 475, f"Figure 2. {TEXT}") + 20
    end = paper.text(60, end, 475, "Figure 2A. The dose of the first day", font="Times-Bold") + 10
    paper.text(60, end, 475, prose(4, 12))
    article = read_pdf(paper.save())
    assert [figure.label for figure in article.figures] == ["Figure 2"]
    assert [line.reason for line in article.rejected_captions] == ["duplicate"]


# ---- captions that break off ----

LONG = (
    "Dose in the joint of all patients, as measured by two readers with films on three days of the study, and pain "
    "scored before each visit by the patients themselves, with errors of all groups as bars and the number of patients "
    "in each of the groups in brackets below the axis of each panel, or in the text."
)


def in_parts(text, font, size, width, last):
    """A caption's first lines, and its `last` ones, with the line breaks of a column."""
    lines = simpleSplit(text, font, size, width)
    return "\n".join(lines[:-last]), "\n".join(lines[-last:])


@pytest.mark.parametrize("last", [1, 2, 3])
@pytest.mark.parametrize("left_end", ["Here a sentence of the text goes on in the", "Here it ends."])
def test_last_lines_of_a_caption_start_the_next_column(tmp_path, last, left_end):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(50, 40, 475, "Doses in joints", **TITLE)
    paper.text(50, 80, 240, prose(1, 25) + " The dose is low (Figure 1). " + left_end)
    upper, lower = in_parts(f"Figure 1. {LONG}", "Helvetica", 8, 240, last)
    paper.photo(50, 600, 240, 120)
    paper.caption(50, 725, 240, upper)
    end = paper.caption(305, 80, 240, lower)
    paper.text(305, end + 10, 240, "other column. " + prose(4, 30))
    article = read_pdf(paper.save())
    assert [figure.caption for figure in article.figures] == [LONG]
    assert "or in the text" not in article.markdown.replace(LONG, "")


@pytest.mark.parametrize("font", [("Helvetica", 8.0), ("Times-Roman", 10.0)])
def test_last_lines_of_a_caption_start_the_next_page(tmp_path, font):
    paper = Paper(tmp_path / "a.pdf")
    opening(paper)
    upper, lower = in_parts(f"Figure 1. {LONG}", *font, 475, 1)
    paper.photo(60, 560, 475, 170)
    paper.text(60, 740, 475, upper, *font)
    paper.page()
    end = paper.text(60, 60, 475, lower, *font)
    paper.text(60, end + 14, 475, prose(4, 40))
    article = read_pdf(paper.save())
    assert [figure.caption for figure in article.figures] == [LONG]
    assert "or in the text" not in article.markdown.replace(LONG, "")


@pytest.mark.parametrize("start", ["Another thing", "patients. Another thing"])
def test_running_text_of_the_next_page_is_not_the_end_of_a_title_without_a_full_stop(tmp_path, start):
    """Text that broke off above the figure goes on below it."""
    paper = Paper(tmp_path / "a.pdf")
    paper.text(60, 80, 475, prose(1, 12) + " The dose is low (Figure 1) and of all the")
    paper.photo(60, 560, 475, 170)
    upper, _ = in_parts(f"Figure 1. {LONG}", "Times-Roman", 10, 475, 1)
    paper.text(60, 740, 475, upper)
    paper.page()
    paper.text(60, 60, 475, f"{start} is the case here. " + prose(4, 40))
    [figure] = read_pdf(paper.save()).figures
    assert figure.caption == " ".join(upper.split()).removeprefix("Figure 1. ")


def test_cells_of_a_table_on_the_next_page_are_not_the_end_of_a_caption(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    opening(paper)
    paper.photo(60, 560, 475, 170)
    upper, _ = in_parts(f"Figure 1. {LONG}", "Helvetica", 8, 475, 1)
    paper.caption(60, 740, 475, upper)
    paper.page()
    for row in range(5):
        for column in range(4):
            paper.caption(60 + 120 * column, 60 + 12 * row, 100, f"cell {row} {column}")
    paper.text(60, 150, 475, prose(4, 40))
    [figure] = read_pdf(paper.save()).figures
    assert figure.caption == " ".join(upper.split()).removeprefix("Figure 1. ")


# ---- what reads like a caption and is none ----


@pytest.mark.parametrize(
    ("text", "font", "reason"),
    [
        ("Figure 2. The dose was low", "Times-Roman", "running_text"),
        ("Figure 2 shows the dose", "Times-Bold", "wording"),
        ("Figure 1. Dose as in all", "Helvetica", "duplicate"),
        ("Chart 1. Words of this study", "Helvetica", "no_picture"),
    ],
)
def test_what_is_turned_down_is_kept_with_its_reason(tmp_path, text, font, reason):
    paper = Paper(tmp_path / "a.pdf")
    end = opening(paper)
    paper.photo(60, end + 10, 200, 120)
    end = paper.caption(60, end + 140, 475, f"Figure 1. {TEXT}") + 30
    if reason == "running_text":
        end = paper.text(60, end, 475, "The films were made on three days, and all are those of the joint in the")
    end = paper.text(60, end, 475, text, font=font)
    paper.text(60, end + 40 * (reason != "running_text"), 475, prose(3, 12))
    article = read_pdf(paper.save())
    assert [figure.label for figure in article.figures] == ["Figure 1"]
    [line] = article.rejected_captions
    assert (line.text, line.page, line.reason) == (text, 1, reason)
    assert 0 < line.confidence < 0.5


def test_mentions_in_running_text_in_captions_and_in_pictures_are_no_such_lines(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    end = paper.text(60, 40, 475, "Figure 1 shows the dose. " + prose(1, 12))
    paper.photo(60, end + 10, 200, 120)
    end = paper.caption(60, end + 140, 475, f"Figure 1. {TEXT} It is that of Supplementary\nFigures 5, 7 and 9.")
    paper.text(60, end + 20, 475, prose(3, 12))
    assert read_pdf(paper.save()).rejected_captions == []


# ---- tables ----


@pytest.mark.parametrize("gap", [30, 60])
@pytest.mark.parametrize("rows", [2, 5])
def test_photographs_below_a_table_are_not_the_tables(tmp_path, gap, rows):
    """The table's caption is as near to the upper photographs as its rows are high, and the figure's sees them all."""
    paper = Paper(tmp_path / "a.pdf")
    paper.caption(60, 60, 475, "Table 1. Doses during treatment.")
    for row in range(rows):
        for column in range(4):
            paper.text(60 + 120 * column, 76 + 14 * row, 110, ("Before", "1.56", "0.92", "after 3 d")[column], size=8)
    top = 76 + 14 * rows + gap
    for k in range(4):
        paper.photo(120 + 180 * (k % 2), top + 150 * (k // 2), 170, 125, seed=k)
        paper.text(200 + 180 * (k % 2), top + 150 * (k // 2) + 127, 20, f"({'abcd'[k]})", size=8)
    end = paper.caption(60, top + 310, 475, f"Figure 1. {TEXT}")
    paper.text(60, end + 20, 475, prose(3, 16) + " The dose is low (Figure 1, Table 1). " + prose(2, 4))
    (figure,) = read_pdf(paper.save()).figures
    assert close(figure.bbox, (120, top, 470, top + 285), by=4)


@pytest.mark.parametrize("cells", [True, False])
def test_a_table_that_is_a_picture_or_shaded_is_no_figures(tmp_path, cells):
    """Directly below its caption, or with its rows inside, a drawing is the table."""
    paper = Paper(tmp_path / "a.pdf")
    paper.text(60, 60, 475, prose(3, 12))
    paper.caption(60, 170, 475, "Table 1. Doses during treatment.")
    if cells:
        paper.text(70, 186, 200, "Joint", size=8)
    paper.photo(60, 200, 475, 120, seed=1)
    if cells:
        paper.text(70, 230, 200, "Knee 1.56", size=8)
    paper.caption(60, 520, 475, f"Figure 1. {TEXT}")
    paper.photo(150, 370, 280, 140, seed=2)
    paper.text(60, 560, 475, prose(2, 12) + " The dose is low (Figure 1, Table 1). " + prose(2, 4))
    (figure,) = read_pdf(paper.save()).figures
    assert close(figure.bbox, (150, 370, 430, 510), by=4)
