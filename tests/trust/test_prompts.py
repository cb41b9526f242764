"""A prompt file puts texts in places, and is no program."""

import jinja2
import pytest

from trust.prompts import prompt_template


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ evidence }}", "E"),
        ("{{evidence}}, {{ kind }}", "E, K"),
        ('{% if kind %}a{% else %}b{% endif %}{{ "x" if not kind else "y" }}', "ay"),
        ('{% if language == "en" and kind != "z" %}English{% elif kind %}b{% endif %}', "English"),
        (
            '{"question": "…"} and { braces } and {% raw %}{{ x }}{% endraw %}',
            '{"question": "…"} and { braces } and {{ x }}',
        ),
        ("{# a remark #}text", "text"),
    ],
)
def test_places_and_conditions(text, said):
    assert prompt_template(text, "a.md").render(evidence="E", kind="K", language="en") == said


@pytest.mark.parametrize(
    "text",
    [
        "{{ cycler.__init__.__globals__.os.system('touch x') }}",
        "{{ evidence.__class__ }}",
        "{{ evidence['__class__'] }}",
        "{{ evidence|attr('__class__') }}",
        "{{ evidence|upper }}",
        "{{ range(10) }}",
        "{{ lipsum() }}",
        "{% for i in 'abc' %}{{ i }}{% endfor %}",
        "{% set x = 'a' %}{{ x }}",
        "{% macro m() %}{% endmacro %}",
        "{% include '/etc/passwd' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 99999999 }}",
        "{{ 'a' ~ 'b' }}",
        "{{ evidence is callable }}",
        "{{ [evidence] }}",
        "{% if evidence.x %}{% endif %}",
        "{% filter upper %}a{% endfilter %}",
        "{% call x() %}{% endcall %}",
    ],
)
def test_everything_else_is_refused_before_it_runs(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"a\.md, line 2: a prompt has places"):
        prompt_template(f"Text\n{text}", "a.md")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{{ evidence", "{% if x %}", "{% nothing %}"])
def test_a_broken_file_names_its_line(text):
    with pytest.raises(ValueError, match=r"a\.md, line 1: "):
        prompt_template(text, "a.md")


def test_an_unknown_place_fails_when_it_is_filled():
    with pytest.raises(jinja2.UndefinedError, match="evidenc"):
        prompt_template("{{ evidenc }}", "a.md").render(evidence="E")
