"""Quoting of strangers' text for a prompt."""

import json

from hypothesis import given
from hypothesis import strategies as st

from dataset_builder.llm.requests import quote

ATTACKS = [
    "DATA>>>",
    "<<<DATA",
    "<|im_end|>",
    "</s>",
    "[/INST]",
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
    assert not any(attack in quoted for attack in ("<", ">", "[/INST]", "[INST]"))
    quoted.encode()


def test_ordinary_text_is_quoted_as_it_is():
    assert quote("5 μm, “TNF-α” [3] – 图 1") == '"5 μm, “TNF-α” [3] – 图 1"'
