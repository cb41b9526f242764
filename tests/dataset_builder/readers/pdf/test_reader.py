"""Whole PDFs through `read_pdf`: layouts that journals and manuscripts use, and files that are none."""

import csv
import json
import os
from pathlib import Path
from statistics import median

import numpy as np
import pypdfium2
import pytest

from dataset_builder.readers.pdf import reader as pdf
from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.reader import read_pdf, stacked
from dataset_builder.sample.articles import make_articles
from dataset_builder.sample.corpus import PASSWORD, write_articles
from dataset_builder.text.labels import label_key
from tests.dataset_builder.readers.paper import HEIGHT, WIDTH, Paper, image_of, prose

LEFT, RIGHT, COLUMN = 50, 305, 240  # two columns of an A4 page
FULL = 495


def only(article):
    """The article's one figure."""
    assert [figure.label for figure in article.figures] == [article.figures[0].label]
    return article.figures[0]


def assert_box(figure, x, top, width, height, slack=8):
    """The figure's box contains the drawing and not much more."""
    x0, y0, x1, y1 = figure.bbox
    assert x - slack <= x0 <= x + 3, figure.bbox
    assert top - slack <= y0 <= top + 3, figure.bbox
    assert x + width - 3 <= x1 <= x + width + slack, figure.bbox
    assert top + height - 3 <= y1 <= top + height + slack, figure.bbox


def test_one_column_vector_figure_with_caption_below(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 12) + " The pain fell with the dose (Figure 1).")
    paper.chart(150, 250, 300, 180)
    paper.caption(LEFT, 440, FULL, "Figure 1. Pain after treatment. Values of all patients.")
    paper.text(LEFT, 480, FULL, prose(2, 15) + " As Figure 1 shows, no dose was best.")
    figure = only(read_pdf(paper.save()))
    assert (figure.label, figure.page) == ("Figure 1", 1)
    assert figure.caption == "Pain after treatment. Values of all patients."
    assert figure.context == ["The pain fell with the dose (Figure 1).", "As Figure 1 shows, no dose was best."]
    assert_box(figure, 150, 250, 300, 180)
    assert figure.bbox[3] <= 440
    dpi = image_of(figure).width / (figure.bbox[2] - figure.bbox[0]) * 72
    assert image_of(figure).mode == "RGB"
    assert dpi >= 150


def test_caption_above_is_learnt_from_the_article(tmp_path):
    """Between two figures a caption could belong to either: the article's other captions tell."""
    paper = Paper(tmp_path / "a.pdf")
    top = paper.text(LEFT, 60, FULL, prose(1, 10))
    for number in (1, 2, 3):
        paper.caption(LEFT, top + 10, FULL, f"Fig. {number}: Curve of group {number}.")
        paper.chart(150, top + 30, 300, 120)
        top += 160
    paper.text(LEFT, top + 10, FULL, prose(2, 8))
    figures = read_pdf(paper.save()).figures
    assert [figure.caption for figure in figures] == [f"Curve of group {k}." for k in (1, 2, 3)]
    tops = [figure.bbox[1] for figure in figures]
    assert tops == sorted(tops)
    for figure in figures:
        assert figure.bbox[3] - figure.bbox[1] < 140


def test_two_columns_with_a_figure_in_each(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    for x, number, seed in ((LEFT, 1, 3), (RIGHT, 2, 5)):
        top = paper.text(x, 60, COLUMN, prose(seed, 12))
        paper.photo(x + 10, top + 12, 200, 150, seed)
        end = paper.caption(x, top + 170, COLUMN, f"Figure {number} | Section of joint {number} under the microscope.")
        paper.text(x, end + 12, COLUMN, prose(seed + 1, 12))
    figures = read_pdf(paper.save()).figures
    assert [figure.caption for figure in figures] == [f"Section of joint {k} under the microscope." for k in (1, 2)]
    assert figures[0].bbox[2] < 300 < figures[1].bbox[0]


def test_two_figures_side_by_side(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 15))
    for x, number in ((LEFT, 1), (RIGHT, 2)):
        paper.photo(x, 200, 230, 150, number)
        paper.caption(x, 356, 230, f"Figure {number}. Joint {number}.")
    paper.text(LEFT, 400, FULL, prose(2, 15))
    first, second = read_pdf(paper.save()).figures
    assert_box(first, LEFT, 200, 230, 150)
    assert_box(second, RIGHT, 200, 230, 150)


def test_caption_beside_the_figure(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 15))
    paper.photo(220, 220, 300, 200)
    paper.caption(LEFT, 222, 150, "Fig. 1 Dose in the joint, seen from the side, after all sessions of one series")
    paper.text(LEFT, 440, FULL, prose(2, 15))
    figure = only(read_pdf(paper.save()))
    assert figure.caption == "Dose in the joint, seen from the side, after all sessions of one series"
    assert_box(figure, 220, 220, 300, 200)


def test_images_of_one_figure_are_one_figure(tmp_path):
    """docling #1437, #3514: panels apart from each other, with letters above them, under one caption."""
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 10))
    for k, letter in enumerate("ABCD"):
        x, top = LEFT + 20 + 240 * (k % 2), 190 + 150 * (k // 2)
        paper.text(x, top - 12, 20, letter, font="Helvetica-Bold", size=9)
        paper.photo(x, top, 200, 115, k) if k % 2 else paper.chart(x, top, 200, 115)
    paper.caption(LEFT, 470, FULL, "Figure 1. Four views. (A) Dose. (B) Joint. (C) Pain. (D) Skin.")
    paper.text(LEFT, 500, FULL, prose(2, 15))
    figure = only(read_pdf(paper.save()))
    assert_box(figure, LEFT + 20, 178, 440, 277)


def test_frame_around_figure_and_caption_is_not_the_figure(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 10))
    paper.frame(LEFT, 180, FULL, 240)
    paper.chart(150, 190, 300, 180)
    paper.caption(LEFT + 10, 390, FULL - 20, "Figure 1 Pain after treatment of all patients")
    paper.text(LEFT, 440, FULL, prose(2, 15))
    assert_box(only(read_pdf(paper.save())), 150, 190, 300, 180)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turned_page(tmp_path, turn):
    """/Rotate turns what is displayed: the picture is upright all the same, its box is that of the displayed page."""
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 12))
    paper.photo(150, 250, 300, 150)
    paper.caption(LEFT, 410, FULL, "Figure 1. Pain after treatment.")
    paper.text(LEFT, 450, FULL, prose(2, 15))
    document = pypdfium2.PdfDocument(paper.save())
    document[0].set_rotation(turn)
    document.save(tmp_path / "turned.pdf")
    figure = only(read_pdf(tmp_path / "turned.pdf"))
    assert figure.caption == "Pain after treatment."
    assert image_of(figure).width > 1.8 * image_of(figure).height
    x0, y0, x1, y1 = figure.bbox
    shown = {0: (150, 250), 90: (HEIGHT - 400, 150), 180: (WIDTH - 450, HEIGHT - 400), 270: (250, WIDTH - 450)}[turn]
    assert (x0, y0) == pytest.approx(shown, abs=4)
    assert (x1 - x0 > y1 - y0) == (turn % 180 == 0)


def test_page_cut_to_a_crop_box(tmp_path):
    """Boxes count from the corner of what is displayed."""
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 12))
    paper.photo(150, 250, 300, 150)
    paper.caption(LEFT, 410, FULL, "Figure 1. Pain after treatment.")
    document = pypdfium2.PdfDocument(paper.save())
    document[0].set_cropbox(30, 100, WIDTH - 20, HEIGHT - 40)
    document.save(tmp_path / "cropped.pdf")
    figure = only(read_pdf(tmp_path / "cropped.pdf"))
    assert_box(figure, 120, 210, 300, 150)
    grey = np.asarray(image_of(figure).convert("L"))[10:-10, 10:-10]
    assert grey.std() > 50  # the photo, not the empty paper beside it


def test_landscape_figure_on_a_portrait_page(tmp_path):
    """Text that runs up the page: figure and caption are read upright, as one turns the page to read them."""
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 30))
    paper.page()
    turned = Paper(tmp_path / "unused.pdf", HEIGHT, WIDTH)
    turned.canvas = paper.canvas
    paper.canvas.translate(WIDTH, 0)
    paper.canvas.rotate(90)
    turned.photo(100, 80, 600, 300)
    turned.caption(100, 390, 600, "Figure 1. Pain after treatment, all centres.")
    figure = only(read_pdf(paper.save()))
    assert figure.caption == "Pain after treatment, all centres."
    assert figure.page == 2
    assert image_of(figure).width > 1.8 * image_of(figure).height
    assert figure.bbox[3] - figure.bbox[1] > 1.8 * (figure.bbox[2] - figure.bbox[0])


def test_figure_continued_on_the_next_page(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.photo(100, 100, 400, 500, 1)
    paper.caption(LEFT, 610, FULL, "Figure 1. Sections of all joints. (Continued)")
    paper.page()
    paper.photo(100, 100, 400, 300, 2)
    paper.caption(LEFT, 410, FULL, "Figure 1. (continued) Bars stand for one millimetre.")
    paper.text(LEFT, 450, FULL, prose(2, 15))
    figure = only(read_pdf(paper.save()))
    assert figure.caption == "Sections of all joints. Bars stand for one millimetre."
    assert figure.page == 1
    assert image_of(figure).height / image_of(figure).width == pytest.approx(800 / 400, rel=0.03)


@pytest.mark.parametrize("caption_first", [True, False])
def test_legend_on_another_page_than_its_figure(tmp_path, caption_first):
    """BMC: the picture's page has the label alone, in brackets where its legend stands."""
    paper = Paper(tmp_path / "a.pdf")

    def picture(where):
        paper.photo(LEFT, 60, FULL, 600)
        paper.caption(LEFT, 664, FULL, f"Fig. 1 (See legend on {where} page.)")

    def legend(where):
        paper.text(LEFT, 60, FULL, prose(1, 40))
        end = paper.caption(LEFT, 620, FULL, f"(See figure on {where} page.)")
        paper.caption(LEFT, end, FULL, "Fig. 1 Sections of all joints")

    first, second = (legend, picture) if caption_first else (picture, legend)
    first("next")
    paper.page()
    second("previous")
    figure = only(read_pdf(paper.save()))
    assert (figure.page, figure.caption) == (2 if caption_first else 1, "Sections of all joints")
    assert figure.bbox[3] <= 664


def test_figure_pages_behind_a_list_of_captions(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 40) + " The dose is given in Figure 2.", leading=24)
    paper.page()
    paper.text(LEFT, 60, FULL, "Figure legends", font="Times-Bold")
    for k in (1, 2):
        paper.text(LEFT, 60 + 60 * k, FULL, f"Figure {k}. Curve of group {k}. " + prose(k, 2), leading=24)
    for k in (1, 2):
        paper.page()
        paper.photo(100, 100 * k, 400, 300, k)
    first, second = read_pdf(paper.save()).figures
    assert first.caption.startswith("Curve of group 1.")
    assert first.caption.endswith(prose(1, 2))
    assert (first.page, second.page) == (3, 4)
    assert second.context == ["The dose is given in Figure 2."]


def test_figure_on_the_facing_page(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 40))
    paper.caption(LEFT, 600, FULL, "Figure 1. Sections of all joints.")
    paper.page()
    paper.photo(60, 60, 480, 700)
    figure = only(read_pdf(paper.save()))
    assert (figure.page, figure.caption) == (2, "Sections of all joints.")


def test_figure_at_the_start_of_a_line_of_running_text_is_no_caption(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, 300, prose(1, 6) + "\nFigure 1 shows the pain of all patients.\n" + prose(2, 5))
    paper.text(LEFT, 300, 300, prose(3, 6) + " All of it can be seen in\nFigure 1. The doses were low. " + prose(4, 5))
    paper.photo(100, 560, 300, 100)
    paper.caption(LEFT, 670, FULL, "Figure 1. Pain after treatment.")
    figure = only(read_pdf(paper.save()))
    assert figure.caption == "Pain after treatment."
    assert figure.context == ["Figure 1 shows the pain of all patients.", "All of it can be seen in Figure 1."]


def test_running_heads_stay_out_of_captions_pictures_and_sentences(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    for number in range(1, 5):
        paper.text(LEFT, 30, FULL, "Journal of Synthetic Studies", font="Helvetica", size=8)
        paper.rule(LEFT, 42, LEFT + FULL)
        paper.photo(100, 48, 300, 300, number)
        paper.caption(LEFT, 352, FULL, f"Figure {number}. Joint of patient {number}.")
        paper.text(LEFT, 380, FULL, prose(number, 40) + " This sentence goes on behind the")
        if number == 4:
            paper.text(LEFT, 740, FULL, "end of the page.")
        else:
            paper.caption(LEFT, 800, FULL, f"{number}")
            paper.page()
    article = read_pdf(paper.save())
    assert [figure.caption for figure in article.figures] == [f"Joint of patient {k}." for k in (1, 2, 3, 4)]
    assert all(figure.bbox[1] >= 45 for figure in article.figures)
    assert "Journal" not in article.markdown
    assert "This sentence goes on behind the end of the page." in article.markdown


def test_sentences_run_on_over_columns_and_pages_and_broken_words_are_mended(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, COLUMN, prose(1, 20) + "\nThe low-dose group had less in-\nflam\u00admation, as far as the")
    paper.text(RIGHT, 60, COLUMN, "eye can tell (Figure 1A). " + prose(2, 20) + "\nThe low-\ndose group, shown in the")
    paper.page()
    paper.text(LEFT, 60, COLUMN, "lower part of Figure 1, did best. " + prose(3, 20))
    paper.photo(RIGHT, 60, 220, 200)
    paper.caption(RIGHT, 265, COLUMN, "Figure 1. Joints.")
    figure = only(read_pdf(paper.save()))
    assert [sentence.replace("\u00ad", "").replace("flam-mation", "flammation") for sentence in figure.context] == [
        "The low-dose group had less inflammation, as far as the eye can tell (Figure 1A).",
        "The low-dose group, shown in the lower part of Figure 1, did best.",
    ]


def test_table_is_no_figure(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 10))
    paper.caption(LEFT, 170, FULL, "Table 1. Doses of all groups.")
    for k in range(6):
        paper.rule(LEFT, 190 + 20 * k, LEFT + FULL)
        for column in range(4 if k < 5 else 0):
            paper.text(LEFT + 120 * column, 193 + 20 * k, 100, f"{k}.{column} Gy", size=8)
    paper.photo(150, 320, 300, 150)
    paper.caption(LEFT, 480, FULL, "Figure 1. Pain after treatment.")
    paper.text(LEFT, 510, FULL, prose(2, 15))
    article = read_pdf(paper.save())
    assert_box(only(article), 150, 320, 300, 150)
    assert "**Table 1** Doses of all groups." in article.markdown
    assert "0.0 Gy | 1.0 Gy" in article.markdown


def test_double_spaced_manuscript(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 18), size=12, leading=26)
    paper.page()
    paper.photo(100, 60, 400, 250)
    caption = "Figure 1. Pain after treatment. " + prose(4, 3)
    end = paper.text(LEFT, 320, FULL, caption, size=12, leading=26)
    paper.text(LEFT, end + 40, FULL, prose(2, 9), size=12, leading=26)
    assert only(read_pdf(paper.save())).caption == caption.removeprefix("Figure 1. ")


def test_only_figure_without_a_number(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 10) + " The rows of the figure are patients.")
    paper.photo(100, 200, 300, 150)
    paper.caption(LEFT, 356, FULL, "Figure. Pain after treatment.")
    figure = only(read_pdf(paper.save()))
    assert (figure.label, figure.caption) == ("Figure", "Pain after treatment.")
    assert figure.context == ["The rows of the figure are patients."]


def test_supplementary_figures_stand_apart(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    for label, top in (("Figure 1", 60), ("Figure S1", 400)):
        paper.photo(100, top, 300, 150)
        paper.caption(LEFT, top + 160, FULL, f"{label}. Pain after treatment.")
        paper.text(LEFT, top + 190, FULL, prose(top, 10))
    article = read_pdf(paper.save())
    assert [figure.label for figure in article.figures] == ["Figure 1"]
    assert [figure.label for figure in article.supplementary] == ["Figure S1"]


def test_caption_without_a_picture_says_so(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    end = paper.text(LEFT, 60, FULL, prose(1, 10))
    end = paper.caption(LEFT, end + 10, FULL, "Figure 1. Pain after treatment.")
    paper.text(LEFT, end + 10, FULL, prose(2, 30))
    figure = only(read_pdf(paper.save()))
    assert figure.picture is None
    assert figure.image_error
    assert figure.caption == "Pain after treatment."


def test_scanned_page_with_a_text_layer(tmp_path):
    """The page is one bitmap: its ink beside the recognised words is the picture."""
    plain = Paper(tmp_path / "plain.pdf")
    plain.text(LEFT, 60, FULL, prose(1, 12))
    plain.chart(150, 250, 300, 180)
    plain.caption(LEFT, 440, FULL, "Figure 1. Pain after treatment.")
    plain.text(LEFT, 480, FULL, prose(2, 15))
    page = pypdfium2.PdfDocument(plain.save())[0].render(scale=2).to_pil()
    page.save(tmp_path / "scan.png")
    scan = Paper(tmp_path / "scan.pdf")
    scan.canvas.drawImage(str(tmp_path / "scan.png"), 0, 0, WIDTH, HEIGHT)
    scan.canvas.setFillAlpha(0)
    scan.text(LEFT, 60, FULL, prose(1, 12))
    scan.caption(LEFT, 440, FULL, "Figure 1. Pain after treatment.")
    scan.text(LEFT, 480, FULL, prose(2, 15))
    assert_box(only(read_pdf(scan.save())), 180, 252, 268, 160, slack=12)


def test_title_doi_licence_are_those_printed(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 40, FULL, "https://doi.org/10.5555/abc.12", size=8)
    paper.text(LEFT, 70, FULL, "Low doses in painful joints: a synthetic study", font="Times-Bold", size=18)
    note = "This is an open access article under the Creative Commons Attribution License 4.0."
    end = paper.text(LEFT, 150, FULL, prose(1, 30))
    paper.text(LEFT, end + 20, FULL, note, size=7)
    article = read_pdf(paper.save())
    assert article.title == "Low doses in painful joints: a synthetic study"
    assert (article.doi, article.pmcid, article.license) == ("10.5555/abc.12", None, "CC-BY-4.0")
    assert article.source == "pdf"
    assert f"# {article.title}\n" in article.markdown


def test_what_is_not_printed_is_none(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 30) + " The figure is reused under CC BY 4.0 from another journal.")
    article = read_pdf(paper.save())
    assert (article.title, article.doi, article.pmcid, article.license, article.figures) == (None, None, None, None, [])


def test_captions_in_two_languages_and_their_hyphens(tmp_path):
    """The first one counts, the other one is no running text; "low-dose" keeps the hyphen that it has elsewhere."""
    paper = Paper(tmp_path / "a.pdf")
    paper.text(LEFT, 60, FULL, prose(1, 8) + " Véase la Figura 1 (low-dose, baja-dosis).")
    paper.photo(100, 200, 300, 150)
    first = "Figura 1. Dolor de articulaciones con baja-\ndosis de ra-\ndiación."
    paper.caption(LEFT, 356, FULL, f"{first}\nFigure 1. Pain after low-\ndose treatment.")
    paper.text(LEFT, 430, FULL, prose(2, 15))
    figure = only(read_pdf(paper.save()))
    assert (figure.label, figure.caption) == ("Figura 1", "Dolor de articulaciones con baja-dosis de radiación.")
    assert figure.context == ["Véase la Figura 1 (low-dose, baja-dosis)."]


PRINTED = {  # captions of one page, the sentence that mentions all of their figures, their labels
    "several figures": (["Figures 1–3. Three groups."], "All fell (Fig. 2).", ["Figures 1–3"]),
    "panels": (["Fig. 1 a–d Dose of joints", "Fig. 2A,B. Pain."], "See Fig. 1a–c and 2.", ["Fig. 1", "Fig. 2A,B"]),
    "EMBO": (["Figure 1. Dose.", "Figure EV1. Pain."], "See Figs 1 and EV1.", ["Figure 1", "Figure EV1"]),
    "Nature": (
        ["Fig. 1 | Dose.", "Extended Data Fig. 1 | Pain."],
        "See Fig. 1 and Extended Data Fig. 1a.",
        ["Fig. 1", "Extended Data Fig. 1"],
    ),
    "eLife": (
        ["Figure 1. Dose.", "Figure 1—figure supplement 1. Pain."],
        "See Figure 1 and Figure 1—figure supplement 1A.",
        ["Figure 1", "Figure 1—figure supplement 1"],
    ),
    "exhibits": (["Exhibit 1. Dose.", "Exhibit 2 Pain"], "See Exhibits 1 and 2.", ["Exhibit 1", "Exhibit 2"]),
    "closed by a bracket": (["Figure 1) Dose", "Figure 2a) Pain"], "See Figures 1 and 2a.", ["Figure 1", "Figure 2a"]),
    "in brackets": (
        ["Figure (1): Dose", "Figure (2): Pain"],
        "See Figure (1) and Figure (2).",
        ["Figure (1)", "Figure (2)"],
    ),
    "closed by bullets": (["Figure 1 • Dose", "Figure 2 -- Pain"], "See Figs. 1–2.", ["Figure 1", "Figure 2"]),
    "appendix": (
        ["Figure A1. Dose.", "Figure B.2: Pain."],
        "See Figure A1 and Figure B.2.",
        ["Figure A1", "Figure B.2"],
    ),
}


@pytest.mark.parametrize(("captions", "sentence", "labels"), PRINTED.values(), ids=PRINTED)
def test_labels_as_publishers_print_them(tmp_path, captions, sentence, labels):
    paper = Paper(tmp_path / "a.pdf")
    top = paper.text(LEFT, 60, FULL, f"{prose(1, 8)} {sentence} {prose(2, 4)}")
    for k, caption in enumerate(captions):
        paper.photo(100, top + 15, 300, 130, k)
        paper.caption(LEFT, top + 150, FULL, caption)
        top = paper.text(LEFT, top + 175, FULL, prose(k + 3, 8))
    article = read_pdf(paper.save())
    assert [(f.label, f.context) for f in article.figures] == [(label, [sentence]) for label in labels]
    assert all(figure.picture for figure in article.figures)


LANGUAGES = {  # running text, a sentence that mentions both figures, the captions' form, fonts of text and captions
    "de": ("Die Haut änderte sich in keiner der beiden Gruppen. ", "Die Werte zeigen Abb. 1a und 2.", "Abb. {} ▲ ", ""),
    "fr": (
        "La peau n’a changé dans aucun des deux groupes. ",
        "Les valeurs (fig. 1 et 2) ont baissé.",
        "Figure {} : ",
        "",
    ),
    "es": ("La piel no cambió en ninguno de los dos grupos. ", "Véanse las figuras 1 y 2.", "Figura {}.- ", ""),
    "pt": ("A pele não mudou em nenhum dos dois grupos. ", "Os valores estão nas Figuras 1 e 2.", "Figura {} - ", ""),
    "it": ("La pelle non è cambiata in nessuno dei gruppi. ", "I valori sono bassi (figg. 1 e 2).", "Fig. {} – ", ""),
    "ru": ("Кожа не изменилась ни в одной из двух групп. ", "Данные показаны на рис. 1, 2.", "Рис. {}. ", ""),
    "uk": ("Шкіра не змінилася в жодній із двох груп. ", "Дані показано на мал. 1 і 2.", "Мал. {}. ", ""),
    "zh": ("两组患者的皮肤在治疗后均未见明显变化。", "如图1和图2所示，疼痛减轻。", "图{} ", "STSong-Light"),
    "ja": ("治療後に皮膚の変化はどちらの群にもなかった。", "図1、2に示すように減少した。", "図{}　", "HeiseiMin-W3"),
}


@pytest.mark.parametrize(("body", "mention", "label", "font"), LANGUAGES.values(), ids=LANGUAGES)
def test_languages(tmp_path, body, mention, label, font):
    paper = Paper(tmp_path / "a.pdf")
    long_caption = body.strip() * 3 if font else " ".join([body.strip()] * 3)
    top = paper.text(LEFT, 60, FULL, body * 5 + mention + " " * (not font) + body * 3, font=font or "DejaVuSans")
    for k in (1, 2):
        paper.photo(100, top + 10, 300, 120, k)
        style = font if font != "HeiseiMin-W3" else "HeiseiKakuGo-W5"
        top = paper.text(LEFT, top + 135, FULL, label.format(k) + long_caption, font=style or "DejaVuSans-Bold", size=8)
        top = paper.text(LEFT, top + 20, FULL, body * 8, font=font or "DejaVuSans")
    figures = read_pdf(paper.save()).figures
    assert [figure.label for figure in figures] == [label.format(k).strip(" .-–:▲\u3000") for k in (1, 2)]
    assert [figure.caption for figure in figures] == [long_caption] * 2
    said = [sentence.replace(" ", "") if font else sentence for figure in figures for sentence in figure.context]
    assert said == [mention] * 2  # fonts that are not embedded differ in width, which reads like spaces
    assert all(figure.picture for figure in figures)


# --- the sample corpus --------------------------------------------------------------------------------------------


def test_every_figure_of_the_sample_corpus(tmp_path):
    write_articles(tmp_path, make_articles(20, seed=0))
    truth: dict[str, list[dict]] = {}
    for line in (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["article"].endswith(".pdf") and row["article"] not in ("pdf-broken.pdf", "pdf-encrypted.pdf"):
            truth.setdefault(row["article"], []).append(row)
    assert len(truth) >= 5
    shares = []
    for name, rows in truth.items():
        article = read_pdf(tmp_path / name)
        assert (article.title, article.doi, article.license) == (rows[0]["title"], rows[0]["doi"], rows[0]["license"])
        assert [(f.label, f.caption, f.context, f.page) for f in article.figures] == [
            (row["label"], row["caption"], row["context"], row["page"]) for row in rows
        ]
        for figure, row in zip(article.figures, rows, strict=True):
            assert figure.bbox is not None
            shares.append(_overlap_share(Box(*figure.bbox), Box(*row["bbox"])))
    assert min(shares) > 0.9
    assert median(shares) >= 0.99


def _overlap_share(one: Box, other: Box) -> float:
    """The common area over that of both together, 0–1."""
    common = one.overlap(other)
    return common / (one.area + other.area - common)


def test_reading_twice_gives_the_same(tmp_path):
    write_articles(tmp_path, make_articles(10, seed=0))
    path = sorted(tmp_path.glob("pdf-0*.pdf"))[0]
    first, second = read_pdf(path), read_pdf(path)
    assert first.markdown == second.markdown
    assert [image_of(f).tobytes() for f in first.figures] == [image_of(f).tobytes() for f in second.figures]


# --- files that are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (
            b"<!DOCTYPE html><html><body>Checking your browser</body></html>",
            "not a PDF, it starts with '<!DOCTYPE html>",
        ),
        (b"version https://git-lfs.github.com/spec/v1\n", "not a PDF, it starts with 'version https"),
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog", "damaged or truncated PDF"),
    ],
)
def test_files_that_are_no_pdf(tmp_path, content, message):
    path = tmp_path / "article.pdf"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="article.pdf: ") as raised:
        read_pdf(path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_encrypted(tmp_path):
    write_articles(tmp_path, make_articles(10, seed=0))
    path = tmp_path / "pdf-encrypted.pdf"
    with pytest.raises(ValueError, match="encrypted PDF, a password is needed"):
        read_pdf(path)
    with pytest.raises(ValueError, match="encrypted PDF, the password is wrong"):
        read_pdf(path, password="guess")
    assert read_pdf(path, password=PASSWORD).markdown


def test_too_many_pages(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    for _ in range(3):
        paper.text(LEFT, 60, FULL, prose(1, 5))
        paper.page()
    with pytest.raises(ValueError, match="4 pages, more than the 2 allowed"):
        read_pdf(paper.save(), max_pages=2)


def test_scan_without_an_ocr_engine(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "ocr_engine", lambda: None)
    paper = Paper(tmp_path / "a.pdf")
    paper.photo(0, 0, WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="a PDF without text; .*install onnxruntime"):
        read_pdf(paper.save())


def test_poster_is_cut_out_at_a_bounded_size(tmp_path):
    paper = Paper(tmp_path / "a.pdf", width=14_000, height=14_000)
    paper.text(LEFT, 60, FULL, prose(1, 12))
    paper.photo(100, 300, 13_000, 9_000)
    paper.text(100, 9_320, 3_000, "Figure 1. A wall.", font="Helvetica", size=40)
    figure = only(read_pdf(paper.save()))
    assert max(image_of(figure).size) <= pdf.MAX_SIDE_PX


def test_parts_are_stacked_on_white():
    from PIL import Image

    tall = stacked([Image.new("RGB", (10, 4), "red"), Image.new("RGB", (6, 3), "blue")])
    assert tall.size == (10, 7)
    assert np.asarray(tall)[5, 0].tolist() == [255, 255, 255]
    assert np.asarray(tall)[5, 5].tolist() == [0, 0, 255]


# --- real articles ------------------------------------------------------------------------------------------------

ARTICLES = os.environ.get("LDRT_ARTICLES")


@pytest.mark.corpus
@pytest.mark.skipif(not ARTICLES, reason="LDRT_ARTICLES names no folder of real articles")
def test_figures_of_real_articles_against_their_jats():
    from dataset_builder.readers.jats.reader import read_jats

    with (Path(ARTICLES) / "MANIFEST.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["gt_pair"] == "yes"]
    xml = {row["article_id"]: row["path"] for row in rows if row["kind"] == "jats"}
    expected = found = extra = 0
    for row in (row for row in rows if row["kind"] == "pdf" and row["article_id"] in xml):
        truth = {label_key(f.label) for f in read_jats(Path(ARTICLES) / xml[row["article_id"]], {}).figures} - {None}
        truth = {key for key in truth if not key.startswith("TABLE")}
        got = {label_key(f.label) for f in read_pdf(Path(ARTICLES) / row["path"]).figures}
        expected, found, extra = expected + len(truth), found + len(truth & got), extra + len(got - truth - {None})
    assert found >= 0.97 * expected
    assert extra <= 0.02 * expected
