"""The languages' files: all have the same keys, and a language is added by adding a file."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import yaml

from dataset_builder.text import vocabulary
from dataset_builder.text.language_files import FOLDER, load
from dataset_builder.text.vocabulary import LANGUAGES, stems

README = (FOLDER / "README.md").read_text(encoding="utf-8")
PROMISED = {"en", "de", "fr", "es", "pt", "it", "ru", "uk", "zh", "ja"}
PLAIN_WORDS = (
    "sentences.",
    "figure.plural_endings",
    "figure.not_after",
    "the_figure.",
    "questions.",
    "opposites.",
    "numerals",
)  # no patterns


def leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """(dotted key, value) of all that a language holds."""
    if not is_dataclass(value):
        yield key, value
        return
    for field in fields(value):
        yield from leaves(getattr(value, field.name), f"{key}.{field.name}" if key else field.name)


def test_the_promised_languages_have_a_file():
    assert set(LANGUAGES) >= PROMISED


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_pattern_of_a_language_compiles(code):
    for key, words in leaves(LANGUAGES[code]):
        if isinstance(words, tuple) and not any(plain in key for plain in PLAIN_WORDS):
            for word in words:
                re.compile(word)


def test_every_key_is_explained():
    documented = set(re.findall(r"^\| `([\w.]+)`", README, re.MULTILINE))
    assert documented == {key for key, _ in leaves(LANGUAGES["en"])}


def test_what_words_start_with():
    assert stems(["fig(?:ures?|s)?", "figg", "maps?", "图"]) == ("fig", "map", "图")


@pytest.mark.parametrize(
    ("was", "now", "message"),
    [
        ("figure:\n  words: fig", "figure:\n  word: fig", "key `figure.word` is unknown"),
        ("  plural_endings: s\n", "", "key `figure.plural_endings` is missing"),
        ("spaces: true", "spaces: maybe", "`spaces` is 'maybe', which is no bool"),
        ("  or_words: or", "  or_words: [on]", "`lists.or_words` is [True]: neither words nor a list of texts"),
        ("  words: fig(?:ures?|s)? text[-‐]?fig(?:ures?|s)?", '  words: ""', "`figure.words` is empty"),
        ("  words: fig(?:ures?|s)?", "  words: (?:fig|pic)", "starts with no plain letter"),
        ("[the figure, the figures]", "[the figure]", "singular and plural of each form"),
        ("name: English", "name: [", "no YAML"),
    ],
)
def test_a_mistake_in_a_file_is_one_clear_line(tmp_path, was, now, message):
    text = (FOLDER / "en.yaml").read_text(encoding="utf-8")
    assert was in text
    (tmp_path / "xx.yaml").write_text(text.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        load(tmp_path)
    assert str(tmp_path / "xx.yaml") in str(raised.value)
    assert "\n" not in str(raised.value)


# a made-up language, known from its file alone

ARTICLE = """<article xml:lang="vo"><front><article-meta><title-group><article-title>Krip</article-title></title-group>
</article-meta></front><body><sec><title>Zhod</title>
<p>Mo krip zhodal em vur. 2A. Krip tu drosal (mirk vur. 2B, lotha). Vurnaki 2 tel 4 zhodal krip. Vurnak 7 zu 8 dolb.
Em vurnak 2 krip zhodal, balu 0.5 Gy drosal. Tharn 2 dolb.</p>
<fig id="a"><label>Vurnak 2</label><caption><p>Krip balu 0.5 Gy.</p></caption></fig>
<fig id="b"><label>Vur. 3</label><caption><p>Dros.</p></caption></fig></sec></body></article>"""

SCRIPT = """
import json, sys
from pathlib import Path
from dataset_builder.readers.jats.reader import read_jats
from dataset_builder.teaching.extractive import extractive
from dataset_builder.text.labels import label_key, split_label
from dataset_builder.text.sentences import split_sentences

article = read_jats(Path("article.xml"), {})
figure = article.figures[0]
row = {"figure_id": "x/fig2", "language": article.language, "caption": figure.caption, "context": figure.context}
json.dump({
    "code": sys.modules["dataset_builder"].__file__,
    "keys": [label_key(label) for label in ("Vurnak 2", "VURNAKI 12", "vur.3b", "Krip 2", "Tharn 2")],
    "split": split_label("Vur. 2: Krip balu."),
    "sentences": split_sentences("Krip (vur. 2) drosal. Em vur. 3. Lo dr. Bant."),
    "contexts": [figure.context for figure in article.figures],
    "detail": extractive(row, "detail"),
    "reasoning": extractive(row, "reasoning"),
}, sys.stdout)
"""


def blank(value: object) -> object:
    """The keys of a language's file, with no word in any."""
    return {key: blank(item) for key, item in value.items()} if isinstance(value, dict) else ""


def made_up_language() -> dict:
    language = blank(yaml.safe_load((FOLDER / "en.yaml").read_text(encoding="utf-8")))
    language |= {"name": "Qx", "spaces": True}
    language["figure"] |= {"words": "vurn(?:aki?)? vur", "plural_endings": "aki"}
    language["not_figures"] |= {"table": "tharn"}
    language["lists"] |= {"or_words": "zu", "to_words": "tel"}
    language["sentences"] |= {"never_last": "vur dr"}
    language["teaching"] |= {"see": "mirk", "reasons": "balu"}
    language["teaching"]["the_figure"] = {
        "noun": "vurnak vurnaki",
        "abbreviations": {"vur": "singular"},
        "determiners": "ke",
        "forms": {"default": ["ke vurnak", "ke vurnaki"], "em": ["em kem vurnak", "em kem vurnaki"]},
    }
    language["teaching"]["questions"] = {"detail": ["Ko zhodal ke vurnak?"], "reasoning": ["Balu ko ke vurnak?"]}
    return language


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> dict:
    """What a copy of the code reads in an article whose language is one more file."""
    folder = tmp_path_factory.mktemp("made_up")
    shutil.copytree(Path(vocabulary.__file__).parents[1], folder / "dataset_builder")
    added = folder / "dataset_builder" / "text" / "languages" / "vo.yaml"
    added.write_text(yaml.safe_dump(made_up_language(), allow_unicode=True), encoding="utf-8")
    (folder / "article.xml").write_text(ARTICLE, encoding="utf-8")
    (folder / "read.py").write_text(SCRIPT, encoding="utf-8")
    environment = {"PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "read.py"], cwd=folder, env=environment, capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert found["code"].startswith(str(folder))
    return found


def test_a_made_up_language_has_labels_and_sentences(read):
    assert read["keys"] == ["2", "12", "3", None, "TABLE2"]
    assert read["split"] == ["Vur. 2", "Krip balu."]
    assert read["sentences"] == ["Krip (vur. 2) drosal.", "Em vur. 3.", "Lo dr. Bant."]


def test_a_made_up_language_has_contexts(read):
    first = ["Mo krip zhodal em vur. 2A.", "Krip tu drosal (mirk vur. 2B, lotha).", "Vurnaki 2 tel 4 zhodal krip."]
    assert read["contexts"] == [[*first, "Em vurnak 2 krip zhodal, balu 0.5 Gy drosal."], first[2:]]


def test_a_made_up_language_has_questions_and_answers(read):
    assert read["detail"]["question"] == "Ko zhodal ke vurnak?"
    assert read["detail"]["answer"] == "Krip balu 0.5 Gy. Mo krip zhodal em kem vurnak."
    assert read["reasoning"]["question"] == "Balu ko ke vurnak?"
    assert read["reasoning"]["answer"] == "Em kem vurnak krip zhodal, balu 0.5 Gy drosal."
