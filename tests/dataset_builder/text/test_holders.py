"""Whose a picture is: credits, sources and taken-over pictures of ten languages, and captions that only sound so."""

import time

import pytest

from dataset_builder.text.holders import Owner, is_holder, is_own, names_of
from dataset_builder.text.rights import stated_rights

BY = Owner("CC-BY-4.0", names=names_of(["Jane Smith", "Bo Li", "María García", "Иван Петров", "王芳"]))
OTHERS = [
    # taken over
    "Originally published in Miller et al. [4].",
    "First published in J. Anat. (1998).",
    "Re-printed from Miller (2003).",
    "Re-drawn from Miller et al. [4].",
    "Used with changes from Miller et al. [4].",
    "Based on a figure in Miller (2003).",
    "Based on Figure 3 of Miller et al. [4].",
    "Schematic based on Miller et al. [4].",
    "After a drawing by Miller and Jones (1911).",
    "Figure from Miller et al. [4].",
    "Image from [12].",
    "Reproduced under a Creative Commons licence from Miller et al. [3].",
    "From Miller et al. [3].",
    "From refs. 3 and 4.",
    "After Miller (1918).",
    "After Miller and Jones, 1918, modified.",
    "(A) From Miller et al. [3], (B) from [4].",
    "Adapted from an image by Tom Jones.",
    # given by somebody
    "Kindly provided by Dr. Miller.",
    "Image furnished by A House.",
    "Image shared by A House.",
    "Used by arrangement with A House.",
    "Image used by kind agreement of A House.",
    "Licensed to the publisher by A House.",
    "Used under licence from A House.",
    "Reproduction licence 501234, A House.",
    "Courtesy Dr. Miller.",
    "Image courtesy National Museum.",
    "Image provided by the National Museum.",
    "Photographs kindly supplied by A. Miller.",
    # credits
    "Photo: Jane Miller.",
    "Photograph: John Miller, National Museum",
    "Photo by Tom Jones.",
    "(Photo: Reuters/Jones)",
    "Artwork: Tom Jones.",
    "Micrograph: Dr. A. Miller, CDC.",
    "Copyright: A House.",
    "Map source: WHO.",
    "Base map: Esri.",
    "Source: map of the World Health Organization.",
    "Image: NASA/JPL",
    "Image: NASA Earth Observatory.",
    "Illustration: A. Miller.",
    "Picture from Shutterstock.",
    "Picture from Reuters.",
    "Stock picture (iStock).",
    "Map from Google Earth.",
    "Source: Getty Images.",
    "Source: Wikimedia Commons",
    "Source: Miller (2003).",
    "Source: Gray's Anatomy.",
    "Source: “The atlas of bones”.",
    "Source: https://example.org/atlas.",
    "Source: [12].",
    # marks and states
    "(c) RSNA 2003",
    "(c) 2003 RSNA.",
    "ⓒ 2003 RSNA.",
    "Public domain, from Gray's Anatomy.",
    "The drawing is in the public domain.",
    # German
    "Foto: Max Müller.",
    "Foto von Max Müller",
    "Bild aus Müller u. a. [4].",
    "Aus Müller und Mitarbeiter [4].",
    "Aus: Müller et al. [4].",
    "Nach Müller (1918), leicht verändert.",
    "Quelle: Müller (2003).",
    "Bild zur Verfügung gestellt von A House.",
    "Zuerst erschienen in Müller (2003).",
    "Nach einer Zeichnung von Müller (2003).",
    "Das Bild ist gemeinfrei.",
    # French
    "Photo : Jean Dupont.",
    "Photo prêtée par A House.",
    "Avec l’accord de A House.",
    "Source : Dupont (2003).",
    "Initialement publié dans Dupont et al. [4].",
    "Image du domaine public.",
    "De Dupont et coll. [4].",
    "Figure tirée de la référence 22.",
    "Crédit de la photo : A House.",
    # Spanish
    "Imagen cedida por el Museo Nacional.",
    "Foto: Juan Pérez.",
    "Fuente: Pérez (2003).",
    "Fuente: Atlas de anatomía humana.",
    "Publicado originalmente en Pérez (2003).",
    "Imagen de dominio público.",
    "Cortesía del Dr. Pérez.",
    "De Pérez y cols. [4].",
    # Portuguese
    "Fonte: Atlas de anatomia humana.",
    "Fonte: Silva (2003).",
    "Foto: João Silva.",
    "Imagem cedida pelo Museu Nacional.",
    "De Silva e cols. [4].",
    "Crédito da imagem: A House.",
    # Italian
    "Foto di Mario Rossi.",
    "Immagine prestata dal Museo.",
    "Immagine fornita da Mario Rossi.",
    "Da Verdi e coll. [4].",
    "Fonte: Rossi (2003).",
    # Russian
    "Источник: Атлас анатомии человека.",
    "Источник: Иванов (2003).",
    "По материалам: Иванов (2003).",
    "Фото: Сергей Иванов.",
    "Изображение предоставлено музеем.",
    "Впервые опубликовано в Иванов (2003).",
    "Из работы Сергеева и соавт. [4].",
    "По Сергееву, 2003, с изменениями.",
    # Ukrainian
    "Джерело: Атлас анатомії людини.",
    "Фото: Сергій Іваненко.",
    "Зображення надано музеєм.",
    "За Іваненком та співавт. [4].",
    # Chinese, Japanese
    "来源：《人体解剖学》。",
    "资料来源：国家博物馆。",
    "摄影：张伟。",
    "照片由张伟提供。",
    "图片来自Shutterstock网站。",
    "原载于《人体解剖学》。",
    "出典：国立博物館。",
    "撮影：山田太郎。",
    "パブリックドメインの図。",
    # a language without a file: names that are the same in each
    "Overgenomen met toestemming van Springer Nature.",
    "Rycina przedrukowana za zgodą Wolters Kluwer.",
    "Beeld: Getty Images.",
]
OWN = [
    "Photo: Jane Smith.",
    "Photos: J. Smith and B. Li.",
    "Photographs by JS.",
    "Photo: J.S.",
    "Image courtesy of Jane Smith.",
    "Photos provided by Bo Li.",
    "Photo: before and after treatment.",
    "Photo: left hand on day 7.",
    "Image: MRI of the knee.",
    "Images: (left) before, (right) after.",
    "Images from Day 3.",
    "Images were taken from Day 3 on.",
    "Plot made with R (public domain package).",
    "Reagent licensed from A House.",
    "Map by Region.",
    "Illustration: workflow of the study.",
    "Images from two patients of 2003.",
    "Figure from the supplement.",
    "Images by confocal microscopy.",
    "Image: Patient A.",
    "Light source: LED lamp.",
    "Carbon source: glucose, Miller et al. [4].",
    "Antibodies (source: rabbit).",
    "Data source: World Health Organization.",
    "Source: WHO, 2020.",
    "Source: Ministry of Health (2020).",
    "Source: National Survey of Health, 2020.",
    "Source: authors' own elaboration.",
    "Source: own elaboration based on Miller (2003).",
    "Source: Smith and Li (2020).",
    "Source data 1.",
    "Phylogeny based on two genes of Miller et al. [4].",
    "Redrawn and based on Figure 2.",
    "Based on a figure of merit, 3.2 in all.",
    "Changes after a figure-of-eight suture.",
    "Cells kindly provided by Dr. Miller.",
    "The antibody was provided by A House.",
    "Good agreement of observers (2003).",
    "Mice were used under licence 70/1234.",
    "(a) RNA, (b) DNA, (c) RNA 2003.",
    "Sequences are in the public domain.",
    "Data previously published in Miller et al. [4].",
    "Provided by the model.",
    "Segmentation maps provided by the network.",
    "Labels provided by two raters.",
    "Parameter values (from Miller et al. [4]).",
    "From left to right: Miller et al. [4], this work.",
    "From Miller et al. [4] follows that the dose matters.",
    "After Miller et al. [4], doses were lowered.",
    "After surgery [4].",
    "From Day 3 to Week 4.",
    "Apgar score after Miller (1953), modified.",
    "Sage, karger and nature in small letters.",
    "Nature of the lesion; science of bones.",
    # other languages
    "Foto: rechte Hand vor der Operation.",
    "Bild: rechtes Knie.",
    "Bilder bereitgestellt von dem Modell.",
    "Quelle: eigene Erhebung.",
    "Quelle: Statistisches Bundesamt.",
    "Photo : main droite avant l’opération.",
    "Source : enquête nationale (2020).",
    "Foto: mano derecha antes de la cirugía.",
    "Fuente: elaboración propia a partir de Pérez (2003).",
    "Fuente: Ministerio de Salud (2020).",
    "Fuente: María García.",
    "Fonte: arquivo pessoal.",
    "Fonte: IBGE (2020).",
    "Fonte: elaborada pelas autoras.",
    "Foto: mão direita.",
    "Foto: mano destra.",
    "Fonte: dati dello studio.",
    "Источник: собственные данные.",
    "Источник: Росстат.",
    "Источник: Иван Петров.",
    "Фото: правая рука до операции.",
    "Джерело: власні дані.",
    "Карти, надані моделлю.",
    "数据来源：国家统计局。",
    "来源：作者自绘。",
    "照片由作者提供。",
    "图片由模型提供。",
    "摄影：王芳。",
    "出典：著者作成。",
    "来源：本研究。",
]


@pytest.mark.parametrize("statement", OTHERS)
@pytest.mark.parametrize("caption", ["{}", "The joint of a mouse in the second week. {}"])
def test_a_picture_of_somebody_else(statement, caption):
    rights = stated_rights(caption.format(statement), BY)
    assert rights
    assert rights.license is None


@pytest.mark.parametrize("text", OWN)
def test_what_is_the_articles_own(text):
    assert stated_rights(text, BY) is None
    assert stated_rights(f"The joint of a mouse. {text}", BY) is None
    assert stated_rights(f"The joint of a mouse ({text.rstrip('.')}).", BY) is None


def test_a_licence_beside_a_credit_is_the_pictures():
    assert stated_rights("Photo: Tom Jones (CC BY-SA 3.0).", BY).license == "CC-BY-SA-3.0"
    assert stated_rights("Public domain (CC0), from an atlas.", BY).license == "CC0-1.0"


def test_the_articles_own_publisher_is_no_other_holder():
    own = Owner("CC-BY-4.0", holders=frozenset({"springer nature"}))
    assert stated_rights("The joint. Published by Springer Nature.", own) is None
    assert stated_rights("The joint. Published by Springer Nature.", BY)


@pytest.mark.parametrize(
    "text", ["Wiley", "Reuters/Tom Jones", "National Museum of Health", "J. Miller", "The Museum, 2003"]
)
def test_a_holder_alone(text):
    assert is_holder(text, BY)


@pytest.mark.parametrize(
    "text", ["Jane Smith", "The authors", "Abbreviations: Gy, gray", "J.S.", "Values are means", "* p < 0.05", "n = 5"]
)
def test_what_is_no_holder(text):
    assert not is_holder(text, BY)


@pytest.mark.parametrize(
    "part",
    [
        "Photo: A&",
        "Photo: Tom ",
        "A&A/A,",
        "Source: Miller ",
        "based on a figure in ",
        "after a drawing by A ",
        "image from Miller ",
        "courtesy ",
        "(c) RSNA ",
        "©",
        "Getty Images ",
        "public domain ",
        "来源：",
        "A.-",
        "From Miller ",
        "(from [3], ",
        "from Miller and Jones, ",
    ],
)
def test_no_text_makes_the_search_slow(part):
    start = time.process_time()
    stated_rights("Photo: " + part * 2_000, BY)
    is_holder("A" + part * 2_000 + "!", BY)
    assert time.process_time() - start < 5


def test_own_holders():
    assert is_own("© 2020 Smith and Li", BY)
    assert not is_own("© 2020 A House", BY)
