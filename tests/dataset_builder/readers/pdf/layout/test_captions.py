"""Captions among lines written down by hand."""

import pytest

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.caption_lines import UNNUMBERED, UNNUMBERED_MENTION
from dataset_builder.readers.pdf.layout.captions import find_captions, whole_text
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import Style

STYLE = Style(size=10.0, font="Times", column_width=240.0, pitch_em=1.2)
BODY = "The joints were treated with low doses on three days of every"


def line(text, x, y, width=240.0, size=8.0, font="Arial", first_font=None):
    return Line(text, Box(x, y, x + width, y + size), size, first_font or font, font)


def body(text, y, x=50):
    return line(text, x, y, size=10.0, font="Times")


def captions(*lines):
    found, rest = find_captions(list(lines), 1, STYLE)
    return [(caption.key, caption.text) for caption in found], [entry.text for entry in rest]


def test_lines_below_in_the_same_type_belong_to_the_caption():
    found, rest = captions(
        line("Figure 1. Dose in the joint", 50, 400),
        line("of all patients.", 50, 410, 60),
        body("The next paragraph", 424),
    )
    assert found == [("1", "Dose in the joint of all patients.")]
    assert rest == ["The next paragraph"]


def test_bold_title_and_plain_text_are_one_caption():
    found, _ = captions(line("Figure 1. Dose.", 50, 400, font="Arial-Bold"), line("All patients.", 50, 410))
    assert found == [("1", "Dose. All patients.")]


def test_label_on_a_line_of_its_own():
    found, _ = captions(line("FIGURE 2", 50, 400, 40, font="Arial-Bold"), line("Dose in the joint.", 50, 413, size=9))
    assert found == [("2", "Dose in the joint.")]


def test_label_apart_from_its_caption_on_one_row():
    found, _ = captions(line("Fig. 2.", 50, 400, 23), line("Dose in", 90, 400), line("the joint.", 90, 410))
    assert found == [("2", "Dose in the joint.")]


def test_caption_in_two_columns():
    found, rest = captions(
        line("Figure 1. Dose in the", 50, 400, 230),
        line("left column and", 50, 410, 230),
        line("in the right", 305, 400, 230),
        line("column.", 305, 410, 60),
        body("Text below", 430, x=305),
    )
    assert found == [("1", "Dose in the left column and in the right column.")]
    assert rest == ["Text below"]


def test_next_caption_ends_the_one_before():
    found, _ = captions(line("Figure 1. Dose.", 50, 400), line("Figure 2. Pain.", 50, 410))
    assert found == [("1", "Dose."), ("2", "Pain.")]


@pytest.mark.parametrize("text", ["Figure 1. The doses were low.", "Figure 1", "Table 2. The"])
def test_running_text_that_starts_a_line_with_a_label_is_no_caption(text):
    found, rest = captions(body(BODY, 400), body(text, 412), body(BODY, 424))
    assert found == []
    assert len(rest) == 3


def test_sentence_about_a_table_or_a_figure_is_no_caption():
    assert captions(body("Table 3 shows the doses", 400), body("Figure 3 shows the pain", 500))[0] == []


def test_tables_are_kept_apart():
    found, _ = find_captions([line("Table 1. Doses.", 50, 400), line("TABLE II. Pain.", 50, 500)], 1, STYLE)
    assert [(caption.key, caption.is_table) for caption in found] == [("TABLE1", True), ("TABLE2", True)]


@pytest.mark.parametrize(
    "text", ["Source: the authors.", "Fonte: Dados da pesquisa (2022).", "https://doi.org/10.5555/journal.g001"]
)
def test_what_publishers_print_below_is_no_caption(text):
    found, rest = captions(line("Figure 1. Dose in the joint.", 50, 400), line(text, 50, 410))
    assert found == [("1", "Dose in the joint.")]
    assert rest == [text]


def test_own_doi_at_the_end_is_cut_off():
    assert captions(line("Fig 1. Dose. doi:10.5555/journal.g001", 50, 400))[0] == [("1", "Dose.")]


def test_letter_spaced_label():
    assert captions(line("F I G U R E 1 Dose in the joint", 50, 400))[0] == [("1", "Dose in the joint")]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("■ Figure 1. Dose", "1"),
        ("▲FIGURE 1 Dose", "1"),
        ("[Figure 1] Dose", "1"),
        ("(Figure 1) Dose", "1"),
        ("Fig. IV. Dose", "4"),
        ("Text-fig. 1. Dose", "1"),
        ("Picture 1. Dose", "IMAGE1"),
        ("Diagram 1. Dose", "GRAPH1"),
        ("FIG. 1.—Dose", "1"),
    ],
)
def test_labels_and_what_decorates_them(text, key):
    assert captions(line(text, 50, 400))[0] == [(key, "Dose")]


def test_decorated_label_of_a_table():
    found, _ = find_captions([line("■ Table 1. Doses.", 50, 400)], 1, STYLE)
    assert [(caption.key, caption.is_table) for caption in found] == [("TABLE1", True)]


def test_mention_in_brackets_at_the_start_of_a_line_is_no_label():
    assert captions(body("(Figure 1). Dose in the joint", 400))[0] == []
    assert captions(line("(Figure 1) and the dose", 50, 400))[0] == []
    lines = [line("Figure 2. Dose of the knee as shown in the hip", 50, 400), line("(Fig. 1). Pain of all.", 50, 410)]
    assert captions(*lines)[0] == [("2", "Dose of the knee as shown in the hip (Fig. 1). Pain of all.")]


def test_caption_to_the_right_of_a_label_in_the_margin():
    label = line("Figure 1", 50, 400, 35, font="Arial-Bold")
    own = [line("Dose in the joint", 150, 400), line("of all patients.", 150, 410)]
    assert captions(label, *own)[0] == [("1", "Dose in the joint of all patients.")]
    assert captions(label, body(BODY, 400, 150))[0] == [("1", "")]
    below = line("Pain of all patients in the groups", 50, 415, 90)
    assert captions(label, body(BODY, 400, 150), below)[0] == [("1", "Pain of all patients in the groups")]


@pytest.mark.parametrize("size", [7, 8, 9])
def test_text_below_a_bold_title_set_larger(size):
    title = line("Figure 1. Dose in the joint.", 50, 400, 120, 9, font="Arial-Bold")
    own = [line("It was measured with films on three days of", 50, 415, 240, size), line("all.", 50, 424, 20, size)]
    found, _ = captions(title, *own, body(BODY, 450), body(BODY, 462))
    assert found == [("1", "Dose in the joint. It was measured with films on three days of all.")]


@pytest.mark.parametrize(
    "below",
    [
        line("Dose (Gy)", 50, 415, 40, 8),
        body(BODY, 415),
        line("Another title of this figure, set in bold type", 50, 417, 240, 8, "Arial-Bold"),
    ],
)
def test_what_else_stands_below_a_bold_title_is_no_part_of_it(below):
    title = line("Figure 1. Dose in the joint.", 50, 400, 120, 9, font="Arial-Bold")
    assert captions(title, below)[0] == [("1", "Dose in the joint.")]


def test_short_lines_of_panels_and_a_long_one_below_them_are_one_caption():
    lines = [
        line("Fig. 1. (A) Dose.", 50, 400, 60),
        line("(B) Pain.", 50, 410, 40),
        line("In all patients of one", 50, 420),
    ]
    assert captions(*lines)[0] == [("1", "(A) Dose. (B) Pain. In all patients of one")]


def test_figure_without_a_number():
    assert captions(line("Figura. Doses das articulações", 50, 400))[0] == [(UNNUMBERED, "Doses das articulações")]
    assert captions(body("Figure. It is set like the text", 400))[0] == []
    assert UNNUMBERED_MENTION.search("as the figure shows")
    assert not UNNUMBERED_MENTION.search("as Figure 2 shows")


def test_broken_words_are_mended():
    assert captions(line("Figure 1. Inflam-", 50, 400), line("mation of joints", 50, 410))[0] == [
        ("1", "Inflammation of joints")
    ]


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("Figure 1. Dose. (Continued)", "Figure 1. After six weeks.", "Dose. After six weeks."),
        ("Figure 1. Dose.", "Figure 1. Continued.", "Dose."),
        ("Figure 1 | Continued", "Figure 1 | Dose of all patients.", "Dose of all patients."),
        ("Figure 1. Dose.", "Figure 1. (cont.) Bars: 1 mm.", "Dose. Bars: 1 mm."),
        ("Abb. 1. Dosis.", "Abb. 1. (Fortsetzung)", "Dosis."),
    ],
)
def test_continued_captions_are_one(first, second, whole):
    found = [find_captions([line(text, 50, 400)], page, STYLE)[0][0] for page, text in enumerate((first, second), 1)]
    assert whole_text(found) == whole


# ---- where a caption ends ----


@pytest.mark.parametrize(
    ("last", "mention"),
    [
        ("is shown in Supplementary", "Figures 5, 7 and 9."),
        ("of all (as those of the knee,", "Fig. 3) and the hip."),
        ("the films are those in", "Figure 4. Bars: 5 mm."),
        ("all data are in Extended Data", "Fig. 2."),
    ],
)
def test_mention_with_which_a_sentence_of_the_caption_goes_on_ends_it_not(last, mention):
    found, rest = captions(line("Figure 1. Dose in the joint,", 50, 400), line(last, 50, 410), line(mention, 50, 420))
    assert found == [("1", f"Dose in the joint, {last} {mention}")]
    assert rest == []


@pytest.mark.parametrize("last", ["of the hip", "of the hip (left).", "of all patients"])
def test_titles_without_a_full_stop_do_not_run_into_the_next_caption(last):
    found, _ = captions(line("Figure 1. Dose", 50, 400), line(last, 50, 410), line("Figure 2. Pain in both", 50, 420))
    assert found == [("1", f"Dose {last}"), ("2", "Pain in both")]


@pytest.mark.parametrize("step", [18, 22, 28])
def test_caption_set_more_widely_than_running_text(step):
    lines = [body("Figure 1. Dose in the joint of", 400), body("all patients, with their standard", 400 + step)]
    lines.append(line("error.", 50, 400 + 2 * step, 40, 10, "Times"))
    found, rest = captions(*lines, body(BODY, 500), body(BODY, 512))
    assert found == [("1", "Dose in the joint of all patients, with their standard error.")]
    assert rest == [BODY, BODY]


def test_table_below_a_title_without_a_full_stop_is_no_part_of_it():
    table = [line("Table 3: Pain", 50, 418, 100), line("0 1", 50, 440, 20)]
    found, _ = captions(line("Figure 1. Dose of all", 50, 400), *table)
    assert found == [("1", "Dose of all"), ("TABLE3", "Pain")]


@pytest.mark.parametrize("gap", [19, 24])
def test_paragraph_below_a_title_is_not_the_caption(gap):
    found, rest = captions(
        body("Figure 1. Dose in the joint of all", 400), *(body(BODY, 400 + gap + 12 * k) for k in range(4))
    )
    assert found == [("1", "Dose in the joint of all")]
    assert len(rest) == 4


@pytest.mark.parametrize(("indent", "gap"), [(10, 12), (0, 14), (0, 15)])
def test_running_text_set_like_the_caption_starts_behind_its_last_short_line(indent, gap):
    own = [body("Figure 1. Dose in the joint of all", 400), line("patients.", 50, 412, 60, 10, "Times")]
    found, rest = captions(*own, *(body(BODY, 412 + gap + 12 * k, 50 + indent * (k == 0)) for k in range(4)))
    assert found == [("1", "Dose in the joint of all patients.")]
    assert len(rest) == 4


def test_running_text_a_little_larger_than_the_caption_is_not_its_end():
    own = [
        line("Figure 1. Dose in the joint of all", 50, 400, size=9.5),
        line("patients with a knee", 50, 411, size=9.5),
    ]
    found, rest = captions(*own, *(body(BODY, 422 + 12 * k) for k in range(4)))
    assert found == [("1", "Dose in the joint of all patients with a knee")]
    assert len(rest) == 4


NOTES = (
    "* p < 0.05, ** p < 0.01.",
    "*Different from day 1 (P < 0.05).",
    "n = 5 a group.",
    "Abbreviations: Gy, gray.",
    "Scale bar: 5 mm.",
    "Data are means.",
    "Barra de escala, 5 mm.",
    "Abkürzungen: Gy.",
    "† p < 0.05 against the day before.",
    "‡Significant difference between all of the groups of the study (P<0.01).",
    "a,b Means without a common letter differ, P < 0.05.",
    "a Different from day 1.",
    "*, p < 0.05; #, p < 0.01",
    "ns, not significant.",
    "CI, confidence interval; OR, odds ratio.",
    "(A) Dose. (B) Pain.",
    "Scale bar 5 µm.",
    "Asterisks show differences.",
    "Original magnification ×200.",
    "P values by a t test.",
    "Стрелки указывают на кость.",
    "不同字母表示差异显著。",
)


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize(("gap", "size"), [(10, 8), (16, 8), (14, 6.5)])
def test_notes_below_a_caption_belong_to_it(note, gap, size):
    found, _ = captions(line("Figure 1. Dose.", 50, 400), line(note, 50, 400 + gap, 90, size), body(BODY, 440))
    assert found == [("1", f"Dose. {note}")]


@pytest.mark.parametrize("sign", ["§", "*", "¶"])
def test_a_sign_that_the_caption_prints_is_explained_below_it(sign):
    note = line(f"{sign} Patients of the second group.", 50, 416, 90, 6.5)
    assert captions(line(f"Figure 1. Dose{sign} in joints.", 50, 400), note)[0] == [
        ("1", f"Dose{sign} in joints. {sign} Patients of the second group.")
    ]
    assert captions(line("Figure 1. Dose in joints.", 50, 400), note)[0] == [("1", "Dose in joints.")]


@pytest.mark.parametrize(
    "other",
    [
        line("a dose", 50, 416, 90, 6.5),
        line("(A)", 50, 416, 20, 6.5),
        line("Ann Example, Clinic of Dose; Town", 50, 416, 90, 6.5),
        line("* Correspondence: Ann Example", 50, 416, 90, 6.5),
        line("Source: WHO", 50, 416, 90, 6.5),
        line("Scale bar", 200, 416, 40, 6.5),
        line("Data are means", 50, 440, 90, 6.5),
        line("Data are means of three runs in each of the groups", 50, 416, 240, 10, "Times"),
    ],
)
def test_what_else_stands_below_a_caption_does_not(other):
    found, _ = captions(line("Figure 1. Dose.", 50, 400), other)
    assert found == [("1", "Dose.")]
