"""Chat templates that would stop a run: each is tried in a process of its own."""

import time

import pytest

from recipes.project_files import read_template
from trust.templates import check_template

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
CHAT_ML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for part in m['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}"
    "{% endif %}{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
)
LONG = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
BOMBS = {
    "loops": (LONG, "has not come to an end"),
    "loops behind a condition": ("{% if messages|length > 1 %}" + LONG + "{% endif %}", "has not come to an end"),
    "loops for pictures": (
        "{% if messages[0]['content'] is not string %}" + LONG + "{% endif %}",
        "not come to an end",
    ),
    "powers": ("{{ (10 ** (10 ** 9)) is odd }}", "has not come to an end|takes more"),
    "a recursive macro": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "not come to an end",
    ),
    "multiplied text": ("{{ ('x' * 10 ** 10)|length }}", "takes more"),
    "doubled text": (
        "{% set s = namespace(t='x' * 99) %}{% for i in range(40) %}{% set s.t = s.t + s.t %}{% endfor %}"
        "{{ s.t|length }}",
        "takes more",
    ),
    "much text": ("{{ 'x' * 10 ** 6 }}", "writes more than 200,000 characters"),
    "padding": ("{{ 'x'|center(10 ** 7) }}", "writes more"),
    "one of several": ({"default": CHAT_ML, "tool_use": LONG}, "not come to an end"),
}
HARMLESS = {
    "none": None,
    "chat ml": CHAT_ML,
    "vicuna": read_template("recipes/templates/vicuna_v1.jinja"),
    "plain": read_template("recipes/templates/plain.jinja"),
    "refuses": "{{ raise_exception('no') }}",
    "broken": "{% for",
    "a range that jinja refuses": "{% for i in range(10 ** 9) %}{% endfor %}",
    "division": "{{ 1 / 0 }}",
    "unknown names": "{{ tools.x.y }}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_one_clear_line(name, monkeypatch):
    template, message = BOMBS[name]
    if message.endswith("not come to an end"):
        monkeypatch.setattr("trust.templates.CPU_S", 1)
    start = time.monotonic()
    with pytest.raises(ValueError, match=f"^org/model: its chat template .*({message})") as raised:
        check_template(template, SPECIAL, "org/model")
    assert "\n" not in str(raised.value)
    assert time.monotonic() - start < 100


@pytest.mark.parametrize("name", HARMLESS)
def test_other_templates_are_none_of_our_business(name):
    check_template(HARMLESS[name], SPECIAL, "org/model")
