"""Licence statements as data: what is stated, never more."""

import pytest

from dataset_builder.licenses import license_id

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
    "Creative Commons license": None,
    "This is an open-access article, free of all copyright, and may be freely reproduced": None,
    "Creative Commons Public Domain Declaration": None,
    "© 2020 The Authors. All rights reserved.": None,
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
