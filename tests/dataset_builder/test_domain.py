"""Domain files: those of the project, and what is said of one that is none."""

from pathlib import Path

import pytest

from dataset_builder.domain import read_domain
from dataset_builder.fetching.searching.query import with_limits
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
        ("name: x\ntitle: x\nlicenses: [cc-by]", "did you mean CC-BY\\?"),
        ("name: x\ntitle: x\nlicenses: [CC-BY, CC BY-NC]", "'CC BY-NC' is not known, did you mean CC-BY-NC\\?"),
        ("name: x\ntitle: x\nlicenses: [CC-BY-4.0]", "did you mean CC-BY\\?"),
        ("name: x\ntitle: x\nlicenses: [CC0]", "did you mean CC0-1.0\\?"),
        ("name: x\ntitle: x\nlicenses: [free]", "'free' is not known"),
        ("name: x\ntitle: x\nlanguages: [eng]", "'eng' is not known"),
        ("name: x\ntitle: x\nlanguages: [EN]", "did you mean en\\?"),
        ("name: x\ntitle: x\neuropepmc: (a OR b", "not closed"),
        ("name: x\ntitle: x\nesearch: a) OR (b", "closed too often"),
        ('name: x\ntitle: x\neuropepmc: a OR "b', "not closed"),
    ],
)
def test_what_is_no_domain_is_said(tmp_path, text, said):
    (tmp_path / "domain.yaml").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_domain(tmp_path / "domain.yaml")


@pytest.mark.parametrize("query", ['"a (b" AND (c)', '(a OR "b)") AND c', "a", '"(" AND ")"'])
def test_brackets_in_quotes_are_words(tmp_path, query):
    (tmp_path / "domain.yaml").write_text(f"name: x\ntitle: x\nlicenses: [CC-BY, CC0-1.0]\neuropepmc: '{query}'\n")
    assert read_domain(tmp_path / "domain.yaml").europepmc == query
