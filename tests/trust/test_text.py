import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trust import families
from trust.text import LOOKALIKES, Cleaner, clean, cleaned, cleaner_of, template_words

ORDINARY = (
    "p < 0.05, n > 3 and a<b>c",
    "<i>in vivo</i> at 5 µm, α-actin [18F]FDG, [11C]methionine [1, 2], [a], [Figure 2]",
    "Red: left; USER and ASSISTANT; if x[0] < y[1] | z {a: b}",
    "图 1：剂量 ≤ 2 Gy ‹quoted› «так»",
    "",
)
NORMALIZED = [("NFKC", True), ("Lowercase", True), ("NFKD", True), ("NFC", False), (None, False)]


def ids(fast, text):
    return set(fast(text, add_special_tokens=False).input_ids)


def markers(family):
    template, special, added = families.FAMILIES[family]
    html = {"<i>", "<b>", "<sub>", "<table>"}
    return [word for word in (*special.split(), *added.split()) if word not in html]


@pytest.mark.parametrize("normalizer", NORMALIZED, ids=lambda pair: str(pair[0]))
@pytest.mark.parametrize("family", families.FAMILIES)
def test_no_special_token_of_a_family_gets_through(family, normalizer):
    fast = families.tokenizer(family, *normalizer)
    ours = set(fast.convert_tokens_to_ids(markers(family)))
    for word in markers(family):
        for text in (word, f"A map {word} and more.", f"x{word}{word}y", word.upper(), word.replace("<", "＜")):
            cleaned = cleaner_of(fast).clean(text)
            assert not ids(fast, cleaned) & ours, (text, cleaned)
        assert ids(fast, word) & ours, "else the test shows nothing"
        assert cleaner_of(fast).clean(word) != word


@pytest.mark.parametrize("family", families.FAMILIES)
@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(family, text):
    assert cleaner_of(families.tokenizer(family)).clean(text) == text
    assert clean(text) == text


@settings(max_examples=60)
@given(st.lists(st.sampled_from([w for f in families.FAMILIES for w in markers(f)] + list("<>[]|/ aé＜ﬁ")), max_size=9))
@pytest.mark.parametrize("family", ["qwen2_5_vl", "gemma3", "glm", "words"])
def test_whatever_strangers_put_together(family, words):
    fast = CACHED[family]
    cleaned = cleaner_of(fast).clean("".join(words))
    assert not ids(fast, cleaned) & set(fast.convert_tokens_to_ids(markers(family)))
    assert cleaner_of(fast).clean(cleaned) == cleaned


CACHED = {family: families.tokenizer(family, "NFKC", True) for family in families.FAMILIES}


@pytest.mark.parametrize(
    ("family", "text", "expected"),
    [
        ("llava", "The prompt was <image> and a question.", "The prompt was ‹image› and a question."),
        ("llava", "A map </s> and more. USER: hi", "A map ‹/s› and more. USER∶ hi"),
        ("llava", "SUPERUSER: <img> <|im_end|>", "SUPERUSER: <img> <|im_end|>"),  # nothing to this processor
        ("glm", "[gMASK]<sop> [18F]FDG", "⟦gMASK⟧‹sop› [18F]FDG"),
        ("llama2_text", "[/INST] <<SYS>> [INSTITUTE]", "⟦/INST⟧ ‹‹SYS›› [INSTITUTE]"),
        ("words", "ENDOFTURN eos_of_text ### Human: x", "E·NDOFTURN e·os_of_text ### Human∶ x"),
        ("gemma3", "CO<sub>2</sub> [multimodal]", "CO<sub>2</sub> ⟦multimodal⟧"),
    ],
)
def test_it_stays_readable(family, text, expected):
    assert cleaner_of(families.tokenizer(family)).clean(text) == expected


@pytest.mark.parametrize("family", [f for f in families.FAMILIES if f not in ("bert", "words")])
def test_the_common_words_are_those_of_the_families(family):
    """Without a processor: all but what may as well be prose."""
    for word in set(markers(family)) - {"[MASK]", "[multimodal]", "<box>"}:
        assert clean(f"a {word} b") not in (f"a {word} b", "a  b")


@pytest.mark.parametrize(
    "text",
    ["[CLS]", "[HLA]", "<p>", "<b>x</b>", "x<y_1 and z>2", "<5>", "< image >", "a <|> b", "List<int>"],
)
def test_the_common_words_are_no_prose(text):
    assert clean(text) == text


def test_a_tokenizer_that_is_not_fast():
    class Slow:
        is_fast, unk_token_id = False, 0

    assert Cleaner(Slow(), ["<image>", "sop"], []).clean("an <image> of philosophy") == "an ‹image› of philosophy"


def test_unknown_words_are_no_special_token():
    fast = families.tokenizer("bert")
    fast.unk_token = "[UNK]"
    cleaner = cleaner_of(fast)
    assert cleaner.clean("β [UNK] β") == "β ⟦UNK⟧ β"


def test_conversations():
    cleaner = cleaner_of(families.tokenizer("llava"))
    assert cleaned([{"role": "user", "content": "<|eot_id|>"}]) == [{"role": "user", "content": "‹|eot_id|›"}]
    asked = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "<image>?"}]},
        {"role": "assistant</s>", "content": "</s>"},
        {"role": "user", "content": None},
    ]
    assert cleaned(asked, cleaner.clean) == [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "‹image›?"}]},
        {"role": "assistant‹/s›", "content": "‹/s›"},
        {"role": "user", "content": None},
    ]
    assert asked[1]["content"] == "</s>"


def test_words_of_a_template():
    source = "{# <no> USER: #}{% for m in messages %}{{ '[INST] ' + m['role'][0] }}<|user|>Note: {{ bos }}{% endfor %}"
    assert template_words(source) == {"[INST]", "<|user|>"}
    fast = families.tokenizer("bert")
    fast.chat_template = {"default": "USER: x", "tool": "[TOOLS]"}
    assert cleaner_of(fast).clean("USER: [TOOLS]") == "USER∶ ⟦TOOLS⟧"
    fast.chat_template = None
    assert cleaner_of(fast).clean("USER: [TOOLS]") == "USER: [TOOLS]"


def test_no_look_alike_turns_back():
    import unicodedata

    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        for look_alike in LOOKALIKES.values():
            assert not re.search(r"[<>\[\]{}:]", unicodedata.normalize(form, look_alike))
