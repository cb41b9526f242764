"""Strangers' text as text: what a real Markdown parser, shell and YAML reader make of it."""

import shlex
import unicodedata

import pytest
import yaml

from tests.trust.attacks import ATTACKS, live, parse, structure, unseen
from trust.markup import block, code, front_matter, is_relative_path, json_in_html, literal, markdown, shell, visible

PLACES = {
    "line": "Before {} behind.\n",
    "line's start": "{} behind.\n",
    "paragraph": "Before.\n\n{}\n",
    "cell": "| a | b |\n| --- | --- |\n| {} | here |\n| there | {} |\n",
    "heading": "# {}\n\nText.\n",
    "quote": "> {} said so\n",
    "list": "- {} is it\n",
    "emphasis": "**The {}.** Text.\n",
    "twice": "{} and {}, `code` {}\n",
}


def words(text: str) -> str:
    """The text that a reader of a parsed page sees."""
    return "".join(token.content for token in parse(text) if token.type in ("text", "code_inline"))


@pytest.mark.parametrize("attack", [text for name, text in ATTACKS.items() if name not in ("empty", "spaces")], ids=str)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("escape", [markdown, code])
def test_text_stays_text_wherever_it_stands(attack, place, escape):
    page = place.replace("{}", str(escape(attack)))
    assert structure(page) == structure(place.replace("{}", str(escape("word"))))
    assert not live(page)
    assert not unseen(page)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_what_is_escaped_reads_as_it_was_written(attack):
    seen = visible(attack).strip()
    assert words(f"Before {markdown(attack)} behind.").strip() == f"Before {visible(attack)} behind.".strip()
    if "|" not in attack:
        assert words(f"Before {code(attack)} behind.") == f"Before {seen or '(empty)'} behind."


@pytest.mark.parametrize(
    "text",
    [
        "Low-dose radiotherapy (0.5 Gy) of osteoarthritis: a randomised, sham-controlled trial",
        "10.1002/(SICI)1096-8652(199706)55:2-71",
        "10.1371/journal.pone.0012345",
        "A, B: survival (n = 12) at p < 0.05 and < 5 %; as in [12], [3–5] and ref. [7].",
        "Dose of ~5 Gy & 10 µGy/h (Smith et al.), 50–60 %; IL-6/TNF-α ratio > 2!",
        "snake_case_name and file-name_2.tar.gz",
        "Qwen/Qwen2-72B-Instruct@main",
        "3.5 Gy; 1.5-fold; -0.25; +1.5",
        "Влияние малых доз: «обзор»",
        "低剂量放射治疗的效果（综述）",
        "CC-BY-NC-SA-4.0",
        "C:\\data\\figures",
        'The "quoted" one\'s title?',
    ],
)
def test_ordinary_text_needs_no_sign(text):
    assert str(markdown(text)).replace("\\@", "@") == text
    assert code(text) == f"`{text}`"


def test_numbers_and_what_is_ours_stay():
    assert [markdown(value) for value in (12, -0.5, code("x"))] == [12, -0.5, "`x`"]
    assert markdown([1, "<b>"]) == "[1, '&lt;b>']".replace("[", "\\[", 1)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_a_block_holds_whatever_is_in_it(attack):
    page = f"Before.\n\n{block(attack, 'text')}\n\nBehind.\n"
    assert structure(page) == structure("Before.\n\n```text\nx\n```\n\nBehind.\n")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_a_command_has_as_many_words_as_it_should(attack):
    line = f"ldrt generate --model {shell(attack)} --output runs/tuned"
    assert "\n" not in line
    assert shlex.split(line) == ["ldrt", "generate", "--model", visible(attack).strip(), "--output", "runs/tuned"]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_a_python_string_is_one(attack):
    assert eval(str(literal(attack)), {"__builtins__": {}}) == visible(attack).strip()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_yaml_says_what_was_put_in(attack):
    seen = visible(attack)
    value = {"model_name": attack, attack or "x": [{"deep": [attack]}]}
    text = front_matter(value)
    assert yaml.safe_load(text) == {"model_name": seen, visible(attack or "x"): [{"deep": [seen]}]}
    assert all(not line.startswith(("---", "...")) for line in text.splitlines())


def test_no_character_is_lost_but_those_that_nobody_sees():
    for point in (*range(0x20, 0x7F), *range(0xA1, 0x250), 0x4E00, 0x1F600):
        char = chr(point)
        assert visible(char) == ("" if unicodedata.category(char) == "Cf" else char)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=str)
def test_json_ends_no_script(attack):
    import json

    text = json_in_html({"a": attack})
    text.encode()  # a file can hold it
    assert "<" not in text
    assert json.loads(text) == {"a": attack}


@pytest.mark.parametrize(
    ("address", "is_within"),
    [
        *[(path, True) for path in (".work/records/ab/1/figures-0.png", "a b/c.png", "x.jpg")],
        *[
            (path, False)
            for path in ("javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:x", "data:text/html,x")
        ],
        *[(path, False) for path in ("http://evil.example/x", "//evil.example/x", "/etc/passwd", "../x", "a/../../x")],
        *[(path, False) for path in ("\\\\evil\\x", "a\\..\\..\\x", "java\nscript:x", "file:///etc/passwd", "\tx")],
    ],
)
def test_an_address_within_the_folder(address, is_within):
    assert is_relative_path(address) == is_within
