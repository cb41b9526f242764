"""Licence statements as data: what is stated, never more."""

import time

import pytest

from dataset_builder.text.licenses import attribution, figure_attribution, license_id, license_url

URLS = {
    "https://creativecommons.org/licenses/by/4.0/": "CC-BY-4.0",
    "http://www.creativecommons.org/licenses/by-nc/4.0": "CC-BY-NC-4.0",
    "http://creativecommons.org/licenses/by-nc-nd/3.0/": "CC-BY-NC-ND-3.0",
    "https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode": "CC-BY-NC-SA-4.0",
    "https://creativecommons.org/licenses/by-sa/4.0/": "CC-BY-SA-4.0",
    "http://creativecommons.org/licenses/by/3.0/igo/": "CC-BY-3.0-IGO",
    "http://creativecommons.org/licenses/by-nc/2.0/uk/": "CC-BY-NC-2.0",
    "http://creativecommons.org/licenses/by/": "CC-BY",
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
    "https://creativecommons.org/publicdomain/mark/1.0/": "CC-PDM-1.0",
    "https://www.elsevier.com/tdm/userlicense/1.0/": None,
    "": None,
}
TEXTS = {
    "licensed under a Creative Commons Attribution 4.0 International License, which permits": "CC-BY-4.0",
    "under the terms of the Creative Commons Attribution License 4.0 (CCBY)": "CC-BY-4.0",
    "the Creative Commons Attribution-NonCommercial 4.0 License (http://x.org)": "CC-BY-NC-4.0",
    "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International": "CC-BY-NC-ND-4.0",
    "the Creative Commons Attribution Non-Commercial License, which permits": "CC-BY-NC",
    "the Creative Commons Attribution License (CC BY). The use": "CC-BY",
    "under the terms of the Creative Commons Attribution License, which permits": "CC-BY",
    "the Creative Commons Attribution License (CC BY 3.0), which": "CC-BY-3.0",
    "available under CC BY-NC-SA 4.0": "CC-BY-NC-SA-4.0",
    "CC0 1.0 Universal": "CC0-1.0",
    "bajo la licencia Creative Commons Atribución-NoComercial 4.0": "CC-BY-NC-4.0",
    "sob a licença Creative Commons Attribution NonCommercial, que permite": "CC-BY-NC",
    "veröffentlicht unter der Creative Commons Namensnennung 4.0 International Lizenz": "CC-BY-4.0",
    "Creative-Commons-Lizenz Namensnennung - Nicht kommerziell - Keine Bearbeitungen 4.0": "CC-BY-NC-ND-4.0",
    "Creative Commons Namensnennung – Weitergabe unter gleichen Bedingungen 3.0": "CC-BY-SA-3.0",
    "licence Creative Commons Attribution - Pas d’Utilisation Commerciale - Pas de Modification": "CC-BY-NC-ND",
    "Creative Commons Attribution - Partage dans les Mêmes Conditions 4.0": "CC-BY-SA-4.0",
    "licencia Creative Commons Reconocimiento-NoComercial-SinObraDerivada 4.0 Internacional": "CC-BY-NC-ND-4.0",
    "Licencia Creative Commons Atribución-NoComercial-CompartirIgual 4.0 Internacional": "CC-BY-NC-SA-4.0",
    "licença Creative Commons Atribuição 4.0 Internacional": "CC-BY-4.0",
    "Licença Creative Commons Atribuição-NãoComercial-SemDerivações 4.0": "CC-BY-NC-ND-4.0",
    "licenza Creative Commons Attribuzione - Non commerciale - Non opere derivate 4.0": "CC-BY-NC-ND-4.0",
    "licenza Creative Commons Attribuzione - Condividi allo stesso modo 4.0": "CC-BY-SA-4.0",
    "по лицензии Creative Commons «Attribution» («Атрибуция») 4.0 Всемирная": "CC-BY-4.0",
    "Creative Commons С указанием авторства – Некоммерческая – Без производных 4.0": "CC-BY-NC-ND-4.0",
    "ліцензія Creative Commons Із Зазначенням Авторства – Некомерційна 4.0 Міжнародна": "CC-BY-NC-4.0",
    "本文采用知识共享署名-非商业性使用-禁止演绎4.0国际许可协议": "CC-BY-NC-ND-4.0",
    "采用知识共享 署名 4.0 国际许可协议": "CC-BY-4.0",
    "本著作採用創用CC 姓名標示-非商業性 4.0 國際授權條款": "CC-BY-NC-4.0",
    "クリエイティブ・コモンズ 表示 - 非営利 - 改変禁止 4.0 国際 ライセンス": "CC-BY-NC-ND-4.0",
    "クリエイティブ・コモンズ・ライセンス（表示 4.0 国際）": "CC-BY-4.0",
    "このクリエイティブ・コモンズ・ライセンス": None,
    "Creative Commons Lizenz": None,
    "(CC‐BY‐NC 4.0)": "CC-BY-NC-4.0",
    "Creative Commons license": None,
    "This is an open-access article, free of all copyright, and may be freely reproduced": None,
    "Creative Commons Public Domain Declaration": None,
    "© 2020 The Authors. All rights reserved.": None,
    "This article is not distributed under a Creative Commons Attribution 4.0 licence.": None,
    "This article is not open access under CC BY": None,
    "It isn't published under the terms of the CC BY-NC 4.0 licence": None,
    "This work is no longer available under CC BY 4.0": None,
    "for the CC BY option contact the publisher": None,
    "The CC BY licence does not apply to this article": None,
    "no reuse unless CC BY is chosen": None,
    "Authors may choose CC BY 4.0": None,
    "not covered by https://creativecommons.org/licenses/by/4.0/": None,
    "This work is not released under CC0": None,
    "Dieser Artikel steht nicht unter der Creative Commons Namensnennung 4.0 Lizenz": None,
    "Die CC BY 4.0 Lizenz gilt nicht": None,
    "Cet article n'est pas distribué sous la licence Creative Commons Attribution 4.0": None,
    "Este artículo no se distribuye bajo la licencia Creative Commons Atribución 4.0": None,
    "Este artigo não é distribuído sob a licença Creative Commons Atribuição 4.0": None,
    "Questo articolo non è distribuito con licenza Creative Commons Attribuzione 4.0": None,
    "Статья не распространяется по лицензии Creative Commons «Attribution» 4.0": None,
    "Стаття не поширюється за ліцензією Creative Commons Із Зазначенням Авторства 4.0": None,
    "本文不采用知识共享署名4.0国际许可协议": None,
    "クリエイティブ・コモンズ 表示 4.0 国際 ライセンスで公開されていません": None,
    "Unless otherwise stated this article is under CC BY 4.0": "CC-BY-4.0",
    "Except where otherwise noted, content is licensed under CC BY 4.0": "CC-BY-4.0",
    "It is not a subscription article. It is under CC BY 4.0": "CC-BY-4.0",
    "there is no restriction on its use under CC BY 4.0": "CC-BY-4.0",
    "the authors grant a non-exclusive licence and publish under CC BY 4.0": "CC-BY-4.0",
    "not only free but under CC BY 4.0": "CC-BY-4.0",
    "use does not require permission under CC BY 4.0": "CC-BY-4.0",
    "nur für nicht kommerzielle Zwecke unter CC BY-NC 4.0": "CC-BY-NC-4.0",
    "sin fines no comerciales, bajo CC BY-NC 4.0": "CC-BY-NC-4.0",
    "": None,
}


@pytest.mark.parametrize(("url", "spdx"), URLS.items())
def test_by_url(url, spdx):
    assert license_id([url], "") == spdx
    assert license_id([], f"see {url} for details") == spdx


@pytest.mark.parametrize(("text", "spdx"), TEXTS.items())
def test_by_text(text, spdx):
    assert license_id([], text) == spdx


def test_the_url_counts_before_the_words():
    assert license_id(["http://creativecommons.org/licenses/by/4.0/"], "Creative Commons Attribution") == "CC-BY-4.0"


def test_a_waiver_for_the_data_is_not_the_articles_licence():
    urls = ["http://creativecommons.org/licenses/by/4.0/", "http://creativecommons.org/publicdomain/zero/1.0/"]
    assert license_id(urls, "") == "CC-BY-4.0"


def test_two_licences_are_none():
    urls = ["http://creativecommons.org/licenses/by/4.0/", "http://creativecommons.org/licenses/by-nc/4.0/"]
    assert license_id(urls, "") is None


@pytest.mark.parametrize(
    "part", ["creative commons", "creative commons -", "cc by nc ", "attribution ", "-", " license"]
)
def test_no_text_makes_the_search_slow(part):
    start = time.process_time()
    license_id([], "creative commons" + part * 5_000)
    assert time.process_time() - start < 5


def test_the_address_of_a_licence():
    assert license_url("CC-BY-4.0") == "https://creativecommons.org/licenses/by/4.0/"
    assert license_url("CC-BY-NC-ND-3.0-IGO") == "https://creativecommons.org/licenses/by-nc-nd/3.0/igo/"
    assert license_url("CC0-1.0") == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert license_url("CC-PDM-1.0") == "https://creativecommons.org/publicdomain/mark/1.0/"
    assert license_url("CC-BY") is license_url("MIT") is license_url(None) is None
    stated = [spdx for spdx in (*URLS.values(), *TEXTS.values()) if spdx and license_url(spdx)]
    assert stated
    assert all(license_id([license_url(spdx)], "") == spdx for spdx in stated)


ATTRIBUTIONS = [
    (
        (["Jane Smith", "Bo Li"], "A study", "J. Dose", 2020, "10.5555/a(1)", "PMC1", "CC-BY-4.0"),
        "Jane Smith, Bo Li. A study. J. Dose (2020). https://doi.org/10.5555/a(1) · CC-BY-4.0 "
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    (
        (["A One", "B Two", "C Three", "D Four"], "Why?", None, 2020, None, "PMC1", "CC-BY"),
        "A One, B Two, C Three, et al. Why? (2020). https://pmc.ncbi.nlm.nih.gov/articles/PMC1/ · CC-BY",
    ),
    (([], None, "J. Dose", None, None, None, None), "J. Dose. · licence not stated"),
    (([], None, None, None, None, None, None), "licence not stated"),
    (
        (["Bo\u202e Li"], "A\n\x00 st\u200budy", None, None, "10.5555/<a b>", None, None),
        "Bo Li. A study. https://doi.org/10.5555/%3Ca%20b%3E · licence not stated",
    ),
]


@pytest.mark.parametrize(("known", "line"), ATTRIBUTIONS)
def test_attribution(known, line):
    assert attribution(*known) == line


def test_the_attribution_of_a_figure_with_rights_of_its_own():
    line = attribution(["Jane Smith"], "A · study", None, 2020, "10.5555/a", None, "CC-BY-4.0")
    source = "Jane Smith. A · study. (2020). https://doi.org/10.5555/a"
    assert figure_attribution(line, "© 2011 A House.", None) == (
        f"{source} · this figure: © 2011 A House. · licence not stated"
    )
    assert figure_attribution(line, "From B.", "CC-BY-NC-4.0") == (
        f"{source} · this figure: From B. · CC-BY-NC-4.0 https://creativecommons.org/licenses/by-nc/4.0/"
    )
    assert figure_attribution("licence not stated", "From B.", None) == "this figure: From B. · licence not stated"
