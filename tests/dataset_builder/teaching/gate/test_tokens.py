"""Tokens of an example: by the length of its text, or by a tokenizer that comes through the gate for checkpoints."""

import json

import pytest

from dataset_builder.teaching.gate.tokens import counter, estimated_tokens
from trust.errors import RefusedError


def test_without_a_tokenizer_tokens_are_estimated():
    assert counter(None)("a" * 100) == estimated_tokens("a" * 100) == 40


def test_a_tokenizer_that_brings_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    code = {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"} | code))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "Evil"} | code))
    (folder / "evil.py").write_text("open('PWNED', 'w')")
    with pytest.raises(RefusedError, match="auto_map"):
        counter(str(folder))
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize("name", ["runs/phase1", "./nowhere"])
def test_a_folder_that_is_not_there_is_not_asked_of_the_hub(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        counter(name)
