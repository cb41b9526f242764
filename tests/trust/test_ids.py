import pytest

from tests.trust.attacks import ATTACKS
from trust.ids import LANGUAGES, PRINTED_DOI, doi, is_doi, is_tag, language, pmcid

DOIS = [
    "10.1371/journal.pone.0012345",
    "10.1016/S0140-6736(05)67889-1",
    "10.1002/(SICI)1096-8652(199706)55:2<71::AID-AJH5>3.0.CO;2-0",
    "10.1175/1520-0442(1991)004<0001:TAOTP>2.0.CO;2",
    "10.3205/000123",
    "10.1007/978-3-319-24574-4_28",
    "10.5555/a+b",
    "10.12688/f1000research.1-2.v1",
    "10.1000/пример",
]


@pytest.mark.parametrize("name", DOIS)
def test_dois_are_read_alone_and_in_addresses(name):
    assert is_doi(name)
    assert doi(name) == doi(f"https://doi.org/{name}") == doi(f"doi: {name} ") == name


@pytest.mark.parametrize("attack", [text for text in ATTACKS.values() if not text.isalnum()], ids=str)
@pytest.mark.parametrize("form", ["10.9999/{}", "10.9999/a{}", "https://doi.org/10.9999/{}"])
def test_no_doi_carries_markup(attack, form):
    stated = doi(form.format(attack))
    assert stated is None or not set(stated) & set('`<>"\\|{}^ \n\u202e\u200b')
    printed = PRINTED_DOI.search(form.format(attack))
    assert printed is None or not set(printed.group()) & set('`<>"\\|{}^ \n\u202e\u200b')


@pytest.mark.parametrize(
    "stated",
    [
        None,
        "",
        "10.12/short",
        "11.1000/a",
        "10.1000/",
        "10.1000/`x`",
        "10.1000/a|b",
        "10.1000/<img/src=x>",
        "10.1000/a{b}",
    ]
    + ["10.1000/" + "a" * 400, "10.1000/a<b", "10.1000/<1:2", "10.1000/<a b>"],
)
def test_what_is_no_whole_doi_is_none(stated):
    assert doi(stated) is None


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *[
            ("en", "en"),
            ("EN", "en"),
            ("en-GB", "en"),
            ("zh_Hans", "zh"),
            (" pt-BR ", "pt"),
            ("eng", "en"),
            ("ger", "de"),
        ],
        *[("deu", "de"), ("spa", "es"), ("por", "pt"), ("rus", "ru"), ("jpn", "ja"), ("chi", "zh"), ("ukr", "uk")],
        *[
            (tag, None)
            for tag in (None, "", "xx", "english", "e", "und", "mul", "x-en", "<b>", "en<b>", "e\u200bn", "12")
        ],
    ],
)
def test_languages_are_those_of_iso_639(tag, code):
    assert language(tag) == code


def test_there_are_as_many_codes_as_the_standard_has():
    assert 183 <= len(LANGUAGES) <= 185  # some lists keep the withdrawn `bh` and `sh`


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        *[("PMC12", "PMC12"), ("12", "PMC12"), ("pmc12.1", "PMC12")],
        *[(text, None) for text in (None, "", "PMC", "PMC١٢", "PMC12 <b>", "PMC12`", "PMC1234567890123")],
    ],
)
def test_pmcids(stated, name):
    assert pmcid(stated) == name


@pytest.mark.parametrize("tag", ["radiology", "low-dose-radiation", "OCT", "radiation therapy", "2d"])
def test_tags(tag):
    assert is_tag(tag)


@pytest.mark.parametrize(
    "tag",
    ["license:mit", "base_model:a/b", "not-for-all-audiences", "", " x", "-x", "a" * 51, "a\nb", "<b>", "region:us"],
)
def test_what_is_no_tag_of_a_card(tag):
    assert not is_tag(tag)
