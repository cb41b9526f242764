"""What a figure's text says of its rights: statements of ten languages, and what only sounds like one."""

import time

import pytest

from dataset_builder.text.holders import Owner
from dataset_builder.text.rights import joined, same_license, stated_rights

BY = Owner("CC-BY-4.0", names=frozenset({"jane", "smith", "bo", "li"}))
RESERVED = [
    "Reproduced from Smith et al. with permission of Elsevier. All rights reserved.",
    "Reprinted from [12].",
    "Strategies at a regional scale (adapted from [76]).",
    "Reprinted with permission from ref. 12. Copyright 2011 Some Publisher.",
    "Adapted with permission from Ref. [12]. Copyright 2019 American Chemical Society.",
    "Adapted from Jones (2010).",
    "(Modified from [3], with permission.)",
    "Redrawn after Gray's Anatomy.",
    "Image taken from Wang et al. [29]",
    "Photograph courtesy of the National Museum.",
    "Photo credit: National Museum.",
    "Image courtesy: Dr. Jones, used with permission.",
    "© 2011 Some Publisher.",
    "© OpenStreetMap contributors.",
    "Copyright Elsevier 2009, all rights reserved.",
    "Panel b is republished from an earlier report.",
    "This figure is not covered by the Creative Commons licence of the article.",
    "Figure source: Jones et al. 2011.",
    "Used by kind permission of the publisher.",
    "No further reuse is permitted.",
    "Nachdruck aus [12] mit freundlicher Genehmigung von Elsevier.",
    "Modifiziert nach Müller et al.",
    "Abbildung aus Müller et al. entnommen. Alle Rechte vorbehalten.",
    "Bildquelle: Städtisches Museum",
    "Reproduit de Dupont et al. avec l'autorisation d'Elsevier.",
    "D’après Dupont et al. (2010).",
    "Tous droits réservés.",
    "Adaptado de García et al. [4].",
    "Reproducido de García (2010) con permiso de Elsevier.",
    "Fuente: adaptado de García et al. (2010).",
    "Imagen cortesía de Museo Nacional.",
    "Fonte: Adaptado de Silva et al. (2010).",
    "Reproduzido de Silva (2010), com permissão da editora.",
    "Todos os direitos reservados.",
    "Tratto da Rossi et al. (2010).",
    "Per gentile concessione di Elsevier.",
    "Immagine riprodotta da Rossi (2010), tutti i diritti riservati.",
    "Воспроизведено с разрешения Elsevier.",
    "Адаптировано из Иванов (2010).",
    "Все права защищены.",
    "Відтворено з дозволу Elsevier.",
    "Адаптовано з Петренко (2010).",
    "图片转载自[12]，经Elsevier许可。",
    "改编自文献[12]。",
    "版权所有。",
    "文献12より転載。",
    "Elsevierの許可を得て掲載。",
    "無断転載を禁じます。",
]
LICENSED = {
    "Adapted from our previous work [12] under CC BY 4.0.": "CC-BY-4.0",
    "Reproduced from [3] under the Creative Commons Attribution-NonCommercial 4.0 License.": "CC-BY-NC-4.0",
    "Reprinted from [3], licensed under CC BY-NC-ND 4.0.": "CC-BY-NC-ND-4.0",
    "Reprinted with permission from [3]. Licensed under CC BY-SA 3.0.": "CC-BY-SA-3.0",
    "(source: a wiki; work is licensed under the Creative Commons Attribution-Share Alike 3.0 Unported license)": (
        "CC-BY-SA-3.0"
    ),
    "Map tiles by Some Maps, https://creativecommons.org/licenses/by/3.0/.": "CC-BY-3.0",
    "Nach Müller et al., Abbildung modifiziert nach [3], CC BY-SA 4.0.": "CC-BY-SA-4.0",
    "A, reprinted from [3] under CC BY 4.0; B, reprinted from [4] with permission of Elsevier.": None,
    "A, reprinted from [3] under CC BY 4.0; B, reprinted from [4] under CC BY-NC 4.0.": None,
    "Reprinted from [3] under CC BY 4.0. All rights reserved.": None,
}
OWN = [
    None,
    "",
    "Mice were reproduced in the second year.",
    "Results were reproduced in three experiments (2019).",
    "Highly reproducible responses; reproduction as flowers per plant.",
    "© 2020 The Authors.",
    "© The Author(s) 2020. Published under CC BY 4.0.",
    "© 2020 Smith and Li.",
    "Permission was obtained from the patient.",
    "Photograph of the hand, published with permission of the patient.",
    "With the patient's written permission.",
    "Patient photo, shown with the permission of the parents.",
    "Samples were taken with permission from the ethics committee.",
    "Blood taken from mice [3] on day 2.",
    "Samples taken from 12 patients in 2019.",
    "Scored by a protocol adapted from Jones et al.",
    "The questionnaire (modified from Jones et al. 2010) was used.",
    "Plasmid courtesy of Dr. Jones.",
    "Data courtesy of Dr. Jones.",
    "Population sizes were taken from the census (2010).",
    "Redrawn from Figure 2.",
    "Structures (A) in grey, reproduced from the main section, and of Jones et al. [3].",
    "Bar chart of groups derived from the analysis of Jones et al.",
    "Dose in the adapted mice; modified from Fig. 1.",
    "Original figure, no copyright permission required.",
    "Source: the authors.",
    "Source: World Health Organization.",
    "Source: authors' own work.",
    "Photo credit: the authors.",
    "Created with BioRender.com.",
    "Data are available under CC BY-NC 4.0.",
    "Licensed under CC BY 4.0.",
    "Analysed with SPSS© 20 and adapted filters.",
    "Quelle: eigene Darstellung.",
    "Mit Einwilligung der Patientin; Foto mit Genehmigung der Patientin.",
    "Source : les auteurs.",
    "Photographie publiée avec l'autorisation de la patiente.",
    "Fuente: elaboración propia.",
    "Fuente: los autores.",
    "Con autorización del comité de ética.",
    "Fonte: os autores.",
    "Fonte: Dados da pesquisa (2022).",
    "Fonte: elaborado pelos autores.",
    "Fonte: elaborazione degli autori.",
    "С разрешения пациента.",
    "З дозволу пацієнта.",
    "经患者许可拍摄。",
    "来源：作者。",
    "患者の許可を得て撮影。",
    "出典：著者。",
]


@pytest.mark.parametrize("statement", RESERVED)
@pytest.mark.parametrize("caption", ["{}", "The joint of a mouse in the second week. {} Scale bar, 5 mm."])
def test_a_statement_of_other_rights(statement, caption):
    rights = stated_rights(caption.format(statement), BY)
    assert rights
    assert rights.license is None
    assert rights.words in caption.format(statement)


@pytest.mark.parametrize(("statement", "license"), LICENSED.items())
def test_a_licence_of_the_figures_own(statement, license):
    rights = stated_rights(f"The joint. {statement}", BY)
    assert rights
    assert rights.license == license


@pytest.mark.parametrize("text", OWN)
def test_what_is_the_articles_own(text):
    assert stated_rights(text, BY) is None
    assert stated_rights(f"The joint of a mouse. {text}", BY) is None


def test_a_long_sentence_is_cut_to_what_it_says_of_the_rights():
    words = stated_rights(
        "The joint " + "of a mouse " * 100 + "reprinted from [12] with permission of Elsevier.", BY
    ).words
    assert len(words) <= 300
    assert words.endswith("reprinted from [12] with permission of Elsevier.")


def test_statements_are_one():
    stated = [stated_rights("Reprinted from [3] under CC BY 4.0.", BY), None]
    assert joined(stated) == stated[0]
    both = joined([*stated, stated_rights("Reprinted from [4].", BY)])
    assert both.words == "Reprinted from [3] under CC BY 4.0. · Reprinted from [4]."
    assert both.license is None
    assert joined([None]) is None


def test_a_licence_without_its_version_is_the_same():
    assert same_license("CC-BY", "CC-BY-4.0")
    assert not same_license("CC-BY", "CC-BY-NC")
    assert not same_license("CC-BY-3.0", "CC-BY-4.0")
    assert not same_license("CC-BY", None)


@pytest.mark.parametrize("part", ["© 2011 ", "with the ", "adapted and ", "from ", "source: ", "not ", "permission "])
def test_no_text_makes_the_search_slow(part):
    start = time.process_time()
    stated_rights("Reprinted " + part * 2_000, BY)
    assert time.process_time() - start < 5
