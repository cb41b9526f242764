"""A domain's own prompts and questions go first; what it lacks is the general one; the hashes tell them apart."""

import pytest

from dataset_builder.domain import read_domain
from dataset_builder.files.errors import UsageError
from dataset_builder.teaching.asking.llm_teacher import request
from dataset_builder.teaching.extractive import extractive
from dataset_builder.teaching.wording import GENERAL, wording_of
from tests.dataset_builder.teaching.test_extractive import ROW


def domain_wording(tmp_path, text: str):
    (tmp_path / "domain.yaml").write_text(f"name: x\ntitle: x\n{text}", encoding="utf-8")
    return wording_of(read_domain(tmp_path / "domain.yaml"))


def test_without_a_domain_the_wording_is_general():
    assert wording_of(None) == GENERAL


def test_questions_of_a_domain(tmp_path):
    wording = domain_wording(tmp_path, "questions: {en: {detail: ['What stain is this?']}}")
    assert extractive(ROW, "detail", wording)["question"] == "What stain is this?"
    assert extractive(ROW, "reasoning", wording) == extractive(ROW, "reasoning")
    assert wording.questions_sha256("en", "detail") != GENERAL.questions_sha256("en", "detail")
    assert wording.questions_sha256("en", "reasoning") == GENERAL.questions_sha256("en", "reasoning")
    assert wording.questions_sha256("de", "detail") == GENERAL.questions_sha256("de", "detail")


def test_prompts_of_a_domain(tmp_path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "detail.md").write_text("As a pathologist:\n{{ evidence }}", encoding="utf-8")
    wording = domain_wording(tmp_path, "prompts: prompts")
    asked = request(ROW, "detail", wording).messages[0]["content"]
    assert asked.startswith("As a pathologist:\n<<<EVIDENCE")
    assert request(ROW, "reasoning", wording) == request(ROW, "reasoning")
    assert wording.prompt_sha256("detail") != GENERAL.prompt_sha256("detail")
    assert wording.prompt_sha256("reasoning") == GENERAL.prompt_sha256("reasoning")


def test_a_domains_prompt_is_no_program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    code = "{{ cycler.__init__.__globals__.os.system('touch PWNED') }} {{ evidence }}"
    (tmp_path / "prompts" / "detail.md").write_text(code, encoding="utf-8")
    wording = domain_wording(tmp_path, "prompts: prompts")
    with pytest.raises(UsageError, match=r"detail\.md, line 1: a prompt has places"):
        wording.check(1)
    assert not (tmp_path / "PWNED").exists()
