"""Titles and sentences as data: what an article says of itself and of others, and what it does not say."""

import pytest

from dataset_builder.text.notices import (
    gravest,
    is_mark_of_retraction,
    is_retraction_notice,
    misused,
    notice_type,
    own_status,
    split_dois,
    title_status,
)

RETRACTED = [
    "RETRACTED ARTICLE: Low doses in painful joints",
    "Retracted: Low doses in painful joints",
    "WITHDRAWN: Low doses in painful joints",
    "[Retracted] Low doses in painful joints",
    "Low doses in painful joints (Retracted article)",
    "[ARTIGO RETRATADO]: Doses baixas",
    "[ARTÍCULO RETRACTADO]: Dosis bajas",
    "ARTICLE RÉTRACTÉ : Faibles doses",
    "ARTICOLO RITRATTATO: Basse dosi",
    "ZURÜCKGEZOGENER ARTIKEL: Niedrige Dosen",
    "ОТОЗВАНА: Малые дозы",
    "СТАТТЯ ВІДКЛИКАНА: Малі дози",
    "【撤稿】低剂量放射治疗",
    "撤回論文：低線量放射線治療",
    "Retracted Article",
    "REMOVED: Low doses in painful joints",
    "Removed: Low doses in painful joints",
    "[REMOVED] Low doses in painful joints",
    "TEMPORARY REMOVAL: Low doses in painful joints",
    "Temporarily removed: Low doses in painful joints",
    "ENTFERNT: Niedrige Dosen",
    "VORÜBERGEHEND ENTFERNT: Niedrige Dosen",
    "ARTICLE SUPPRIMÉ : Faibles doses",
    "ELIMINADO: Dosis bajas",
    "ARTIGO REMOVIDO: Doses baixas",
    "RIMOSSO: Basse dosi",
    "СТАТЬЯ УДАЛЕНА: Малые дозы",
    "ВИЛУЧЕНО: Малі дози",
    "【已删除】低剂量放射治疗",
    "削除：低線量放射線治療",
]
NOTICES = {
    "Correction to: Low doses in painful joints": "correction",
    "Correction: Low doses in painful joints": "correction",
    "Author Correction: Low doses": "correction",
    "Publisher's Correction: Low doses": "correction",
    "Corrigendum to “Low doses in painful joints” [J. Dose 3 (2019) 1-9]": "correction",
    "Erratum": "correction",
    "Low doses in painful joints [Corrigendum]": "correction",
    "[Corrigendum] Low doses in painful joints": "correction",
    "Berichtigung zu: Niedrige Dosen": "correction",
    "Fe de erratas": "correction",
    "Errata corrige: Basse dosi": "correction",
    "Исправление: Малые дозы": "correction",
    "Поправка к: Малые дозы": "correction",
    "Виправлення: Малі дози": "correction",
    "勘误：低剂量": "correction",
    "訂正：低線量": "correction",
    "Retraction Note: Low doses": "retraction",
    "Retraction Note to: Low doses": "retraction",
    "Retraction notice to “Low doses”": "retraction",
    "Statement of Retraction: Low doses": "retraction",
    "Retraction": "retraction",
    "Removal notice to “Low doses”": "retraction",
    "Withdrawal notice: Low doses": "retraction",
    "Retratação: Doses baixas": "retraction",
    "撤稿声明：低剂量": "retraction",
    "論文撤回のお知らせ": "retraction",
    "Expression of Concern: Low doses": "expression-of-concern",
    "Editorial Expression of Concern: Low doses": "expression-of-concern",
    "Expresión de preocupación: Dosis bajas": "expression-of-concern",
}
PLAIN = [
    "Retracted articles in radiology: a review",
    "Retraction of the tongue under sedation",
    "Withdrawn patients in trials of low doses",
    "Correction of scoliosis: a systematic review",
    "Corrections to the dose in children",
    "Erratum rates of radiology journals",
    "Motion correction: none",  # ends with the word, does not start with it
    "Expression of concern genes in arthritis",
    "Why papers are retracted: a study",
    "Lid retraction (a case report)",
    "Third molars (removed)",
    "Removed teeth: a study",
    "Removal of wisdom teeth: a study",
    "Temporary removal of a plate",
    "Withdrawal: opioids in the ward",
    "",
    None,
]


@pytest.mark.parametrize("title", RETRACTED)
def test_a_retracted_articles_title(title):
    assert (title_status(title), notice_type(title)) == ("retracted", None)


@pytest.mark.parametrize(("title", "kind"), NOTICES.items())
def test_a_notices_title(title, kind):
    assert (title_status(title), notice_type(title)) == (None, kind)


@pytest.mark.parametrize("title", PLAIN)
def test_a_title_that_says_neither(title):
    assert (title_status(title), notice_type(title)) == (None, None)


@pytest.mark.parametrize(
    ("paragraph", "status"),
    [
        ("This article has been retracted at the request of the editors.", "retracted"),
        ("A Correction to this article was published on 5 June 2018", "corrected"),
        ("Author Correction to this article was published", "corrected"),
        ("An Expression of Concern to this article was published", "concern"),
        ("We cite Smith 2010; this article has been retracted.", None),
        ("Corrections to these articles are rare", None),
    ],
)
def test_what_a_paragraph_says_of_its_article(paragraph, status):
    assert own_status(paragraph) == status


def test_the_gravest_status():
    assert gravest(["corrected", None, "retracted", "concern"]) == "retracted"
    assert gravest([None]) is None


def test_words_for_the_opposite_direction():
    assert misused("expression-of-concern", "expression-of-concern") == "concern"
    assert misused("retraction-forward", "retraction") == "retracted"
    assert misused("retraction-forward", "correction") is None  # the correction itself was retracted
    assert misused("correction-forward", None) is None
    assert misused("companion", "correction") is None


@pytest.mark.parametrize(
    ("text", "own", "others"),
    [
        (
            "J Dose (2019) 3:1 https://doi.org/10.5555/own Correction to: Low doses. Correction to: J Dose "
            "https://doi.org/10.5555/Other.",
            "10.5555/own",
            ["10.5555/other"],
        ),
        ("The original article can be found online at https://doi.org/10.5555/other.", None, ["10.5555/other"]),
        ("doi 10.5555/own [This retracts the article DOI: 10.5555/other]", "10.5555/own", ["10.5555/other"]),
        ("Correction to: Low doses. A. Smith. https://doi.org/10.5555/own", "10.5555/own", []),
        ("Erratum to: Low doses. Cite as: J Dose, https://doi.org/10.5555/own", "10.5555/own", []),
        ("Erratum", None, []),
    ],
)
def test_the_dois_in_a_notice(text, own, others):
    assert split_dois(text) == (own, others)


@pytest.mark.parametrize(
    "value",
    ["retracted", "Retracted article", "retracted-article", "withdrawn-article", "REMOVED", "status: withdrawn"]
    + ["Retracted Version of Record", "retraction", "ritirato", "отозвана", "撤稿", "zurückgezogen"],
)
def test_a_mark_of_retraction(value):
    assert is_mark_of_retraction(value)


@pytest.mark.parametrize(
    "value", ["", None, "received", "research-article", "VoR", "not retracted", "partial-retraction"]
)
def test_no_mark_of_retraction(value):
    assert not is_mark_of_retraction(value)


def test_the_notice_of_a_retraction():
    assert is_retraction_notice("retraction", None)
    assert is_retraction_notice(None, "Retraction: Low doses")
    assert not is_retraction_notice("correction", "Correction: Low doses")
    assert not is_retraction_notice(None, "Low doses")
    assert not is_retraction_notice("partial-retraction", "Retraction: Low doses")
