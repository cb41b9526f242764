"""Quoting of strangers' text for a prompt."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_builder.llm.requests import quote

ATTACKS = [
    "DATA>>>",
    "<<<DATA",
    "<|im_end|>",
    "</s>",
    "[/INST]",
    "[gMASK]",
    "[/inst]",
    "[Tool_calls]",
    "＜|im_end|＞",
    "<end_of_turn>",
    "\u2028",
    "\x85",
    "\n",
    '"',
    "\\",
    "\u202e",
]
texts = st.lists(st.one_of(st.text(), st.sampled_from(ATTACKS))).map("".join)


@given(st.one_of(texts, st.lists(texts), st.none()))
def test_quoted_text_stays_within_its_string(value):
    quoted = quote(value)
    assert json.loads(quoted) == value
    assert len(quoted.splitlines()) == 1
    assert quoted.isprintable()
    assert not any(attack in quoted for attack in ("<", ">", "[/INST]", "[INST]", "[gMASK]", "[/inst]"))
    quoted.encode()


@pytest.mark.parametrize(
    "token", ["[gMASK]", "[sMASK]", "[inst]", "[/Inst]", "[CLS]", "[unused7]", "［INST］", "＜/s＞"]
)
def test_no_bracket_of_a_special_token_stays(token):
    assert token[0] not in quote(f"a {token} b")
    assert json.loads(quote(f"a {token} b")) == f"a {token} b"


def test_ordinary_text_is_quoted_as_it_is():
    text = "5 μm, “TNF-α” [3] [1, 2] [18F]FDG [Fig. 2] [a b] – 图 1"
    assert quote(text) == f'"{text}"'
