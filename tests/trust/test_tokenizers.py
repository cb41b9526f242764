"""A stranger's tokenizer.json: what makes too much of a page is refused before Transformers loads it."""

import json
import time

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from evaluation.answering import checkpoints
from evaluation.judging import likelihood
from recipes.merging.checkpoint import merge_draft
from recipes.training.model import load_processor
from tests.trust.conftest import write_adapter, write_checkpoint
from trust.checkpoints import open_checkpoint
from trust.templates import check_tokenizer


def letters():
    """A tokenizer that knows every letter of ASCII, and bytes."""
    known = ["<unk>", *map(chr, range(32, 127)), *(f"<0x{byte:02X}>" for byte in range(256))]
    vocab = {token: number for number, token in enumerate(known)}
    return Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token="<unk>", byte_fallback=True))


def replaces(times, of="e"):
    tokenizer = letters()
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(of, of * 40)] * times)
    return tokenizer


def replaces_an_added_token():
    """As a text: the library itself hangs when it is given this token, as it does when it loads the file."""
    tokenizer = letters()
    tokenizer.add_tokens([AddedToken("eee", normalized=True)])
    rules = json.loads(replaces(6).to_str())["normalizer"]
    return json.dumps(json.loads(tokenizer.to_str()) | {"normalizer": rules})


def replaces_when_read_back():
    tokenizer = letters()
    tokenizer.decoder = decoders.Sequence([decoders.Replace("e", "e" * 40)] * 6)
    return tokenizer


def pads():
    tokenizer = letters()
    tokenizer.enable_padding(length=10**9)
    return tokenizer


def adds_to_each_text():
    tokenizer = letters()
    single = " ".join(["<unk>"] * 10**5) + " $A"
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=[("<unk>", 0)])
    return tokenizer


def byte_level():
    tokenizer = Tokenizer(
        models.BPE(vocab={c: i for i, c in enumerate(pre_tokenizers.ByteLevel.alphabet())}, merges=[])
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Prepend("_")])
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    return tokenizer


def llamas():
    tokenizer = letters()
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


BOMBS = {
    "six rules": lambda: replaces(6),
    "two rules": lambda: replaces(2, " "),
    "an added token": replaces_an_added_token,
    "read back": replaces_when_read_back,
    "padding": pads,
    "a template": adds_to_each_text,
}
HARMLESS = {"letters": letters, "bytes": byte_level, "Llama's": llamas, "a rule": lambda: replaces(1, "%")}


def save(make, folder, name="tokenizer.json"):
    folder.mkdir(exist_ok=True)
    made = make()
    (folder / name).write_text(made if isinstance(made, str) else made.to_str(), encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_one_clear_line(tmp_path, kind):
    save(BOMBS[kind], tmp_path)
    start = time.monotonic()
    with pytest.raises(
        ValueError, match=r"^org/model: its tokenizer.json .* for one page of text; it is not used"
    ) as no:
        check_tokenizer(tmp_path, "org/model")
    assert "\n" not in str(no.value)
    assert time.monotonic() - start < 100


def test_another_name_that_transformers_would_take(tmp_path):
    save(lambda: replaces(6), tmp_path, "tokenizer.4.0.0.json")
    with pytest.raises(ValueError, match=r"tokenizer\.4\.0\.0\.json"):
        check_tokenizer(tmp_path, "org/model")


@pytest.mark.parametrize("kind", HARMLESS)
def test_ordinary_tokenizers_pass(tmp_path, kind):
    check_tokenizer(save(HARMLESS[kind], tmp_path), "org/model")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": null}'])
def test_what_is_no_tokenizer_is_none_of_our_business(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    check_tokenizer(tmp_path, "org/model")
    check_tokenizer(tmp_path / "empty", "org/model")


def _merge(folder, tmp_path):
    adapter = write_adapter(tmp_path / "adapter", str(folder))
    (adapter / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    merge_draft(open_checkpoint(str(adapter)), open_checkpoint(str(folder)), True, "auto", tmp_path / "draft")


DOORS = {
    "generate": lambda folder, _: checkpoints.load_processor(checkpoints.find(str(folder))),
    "judge": lambda folder, _: likelihood.load(str(folder)),
    "train": lambda folder, _: load_processor(open_checkpoint(str(folder)), None, "any.jinja", None),
    "merge": _merge,
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_refuses(tmp_path, door):
    folder = write_checkpoint(tmp_path / "model")
    save(lambda: replaces(2, " "), folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    with pytest.raises(ValueError, match=r"its tokenizer\.json makes more than"):
        DOORS[door](folder, tmp_path)
