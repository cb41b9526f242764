"""Domain files: those of the project, and what is said of one that is none."""

from pathlib import Path

import pytest

from dataset_builder.domain import read_domain
from dataset_builder.fetching.query import with_limits
from dataset_builder.files.errors import UsageError

DOMAINS = sorted((Path(__file__).parents[2] / "recipes" / "domains").glob("*.yaml"))


@pytest.mark.parametrize("path", DOMAINS, ids=lambda path: path.stem)
def test_the_projects_domains(path):
    domain = read_domain(path)
    assert domain.name == path.stem
    for source, query in (("europepmc", domain.europepmc), ("esearch", domain.esearch)):
        assert query
        assert query.count("(") == query.count(")")
        assert query.count('"') % 2 == 0
        with_limits(query, source, domain.languages, domain.years)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected `key: value`"),
        ("- a", "expected `key: value`"),
        ("name: [", "cannot be read as YAML"),
        ("title: x", "'name' is missing"),
        ("name: x", "'title' is missing"),
        ("name: Ab c\ntitle: x", "lower-case"),
        ("name: x\ntitle: x\nlanguage: [en]", "did you mean languages"),
        ("name: x\ntitle: x\nlanguages: en", "languages must be a list"),
        ("name: x\ntitle: x\nlanguages: [no]", "`no` needs quotes"),
        ("name: x\ntitle: x\nyears: [2026, 2000]", "years must be"),
        ("name: x\ntitle: x\nyears: 2000", "years must be"),
        ("name: x\ntitle: x\nprompts: nowhere", "no folder"),
        ("name: x\ntitle: x\nquestions: [a]", "questions must be"),
        ("name: x\ntitle: x\nquestions: {en: {detail: what}}", "questions must be"),
        ("name: x\ntitle: x\neuropepmc: 3", "europepmc must be a text"),
    ],
)
def test_what_is_no_domain_is_said(tmp_path, text, said):
    (tmp_path / "domain.yaml").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_domain(tmp_path / "domain.yaml")
