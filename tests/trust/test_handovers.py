"""Hand-over files of every kind, spoilt in every way: one line that names the file, the line and what to do."""

import json

import pytest

from dataset_builder.assembly.rebuild import REBUILD_FILE
from dataset_builder.assembly.splits import CERTIFICATE_FILE
from dataset_builder.extraction.records import RECORD_FILE
from dataset_builder.llm.ledger import LEDGER
from dataset_builder.manifest import MANIFEST_FILE as STAGES_FILE
from dataset_builder.screening.ledger import REVIEW_FILE, SCREENED_FILE
from evaluation.judgements import JUDGEMENT_FILE, VERDICT_FILE
from evaluation.people.key import KEY_FILE
from evaluation.run_folder import EVIDENCE_FILE, ITEM_FILE, MANIFEST_FILE, PREDICTION_FILE, SCORE_FILE
from model_cards import provenance_files as of_datasets
from model_cards import result_files as of_cards
from model_cards.card_file import CARD
from model_cards.cards.quality_plots import SWEEP
from model_cards.reviewing import files as of_screening
from model_cards.staging.hashes import HASHES
from recipes.merging.adapter import MERGE_FILE
from recipes.training.results import STARTED_FILE
from trust.checkpoints import LINEAGE_FILE
from trust.handovers import FORMAT, stamped

WHERE = {"task": "detail", "image_condition": "true", "judge": None}
ROW = {"metric": "rougeL", "n": 3, "n_unscored": 0, "value": 0.5, "ci_low": None, "ci_high": None, "unit": "F"}
ROW |= {"no_interval": "3 articles"}
IDENTITY = {"example_id": "E1", "figure_id": "A/F1", "article_id": "A", "task": "detail", "image_condition": "true"}
ANSWER = {"license": None, "question": "Q?", "reference": "R", "prediction": None, "finish_reason": "stop"}
ANSWER |= {"new_tokens": 4, "model": "m", "revision": None, "generation": {}, "image_figure_id": None}
SHAS = {"prompt_sha256": "1", "answer_sha256": "2"}
JUDGED = {"key": "k", "judge": "j", "backend": "openai", "judge_revision": None, "control": None, "status": "ok"}
JUDGED |= {"reply": "SCORE: 7", "score": 7, "latency_s": 0.1, **SHAS}
RUN = {"model": "m", "revision": None, "dataset": "d", "dataset_revision": None, "split": "test", "tasks": ["detail"]}
RUN |= {"image_conditions": {"true": {"items": 3}}, "lineage": None}
RUN |= {"backend": "local", "adapter_of": None, "generation": {"max_new_tokens": 8, "length_hint": None}}
RUN |= {"data_licenses": {}, "teachers": {}, "versions": {}, "chat_template_sha256": None, "device": None}
SETTINGS = {
    "rouge": {"tokenizer": "t"},
    "hedging": {"lexicon_version": "1"},
    "interval": {"method": "t", "min_articles": 5},
}
SCORED = {
    "settings": SETTINGS,
    "inputs": {},
    "answers": {"true": {"asked": 3, "failed": 0}},
    "scores": [ROW | WHERE | {"settings": {}}],
    "image_gaps": [],
    "judges": [],
}
COMPARED = {"metric": "rougeL", "n": 3, "base": 0.1, "tuned": 0.2, "delta": 0.1, "ci_low": None, "ci_high": None}
COMPARED |= {"base_ci": [None, None], "tuned_ci": [0.1, 0.3], "p_value": None, "no_interval": "3 articles"}
PARTS = ("judges_on_delta", "pairwise", "hedge_by_correctness", "by_term_frequency", "forgetting", "transfer")
WHO = {"model": "m", "revision": None, "answers": {"asked": 3, "failed": 0}, "hedges": {"by_word": {}, "mentions": {}}}
BOTH = {"base": WHO, "tuned": WHO, "settings": SETTINGS, "headline": None, "differences": {}}
FOUND = {"kind": "name", "text": "SMITH^JOHN", "box": [1.0, 2.0, 30.0, 9.5], "score": 0.9}
REVIEWED = {"picture": "ab", "figure_id": "F", "decision": "blur", **FOUND}
SCREENED = {"picture": "ab", "text_version": "1", "face_version": None, "problem": None, "findings": [FOUND]}
OBJECTS = {  # kind -> a whole file
    "manifest.json": (MANIFEST_FILE, RUN),
    "scores.json": (SCORE_FILE, SCORED | {"judge_agreement": None}),
    "key.json": (
        KEY_FILE,
        {"packet": "p", "dataset": "d", "dataset_revision": "r", "split": "test", "criteria_sha256": {}}
        | {"seed": 0, "runs": [], "items": []},
    ),
    "lineage.json": (LINEAGE_FILE, {"base_model": "b", "phases": [{}]}),
    "recipe.json": (STARTED_FILE, {"trainable": "lora", "settings": {}}),
    "merge.json": (MERGE_FILE, {"adapter_sha256": "a", "dtype": "float32"}),
    "provenance/manifest.json": (STAGES_FILE, {"stages": {"build": {}}}),
    "splits.json": (
        CERTIFICATE_FILE,
        {"seed": 0, "max_phash_distance": 4, "splits": {"test": {"articles": 1}}, "collisions": [], "assignments": {}},
    ),
    "article.json": (
        RECORD_FILE,
        {"source": "jats", "source_file": "a.xml", "digest": "d", "paired": False, "error": None},
    ),
    "cards: scores.json": (of_cards.SCORES, SCORED | {"judge_agreement": None}),
    "cards: comparison.json": (
        of_cards.COMPARISON,
        {"rows": [COMPARED | WHERE], "n_items": 3, "overview": []} | BOTH | dict.fromkeys(PARTS),
    ),
    "cards: manifest.json": (of_cards.MANIFEST, RUN),
    "cards: human.json": (
        of_cards.HUMAN,
        {"packet": "p", "systems": [], "deltas": [], "judge_agreement": [], "intra_rater": [], "inter_rater": {"n": 0}}
        | {"n_raters": 1, "n_ratings": 2, "n_cannot_judge": 0},
    ),
    "cards: card.json": (
        CARD,
        {"tags": [], "plots": [], "examples": []} | dict.fromkeys(("repo_id", "dataset_id", "base_model", "license")),
    ),
    "cards: hashes.json": (HASHES, {"files": {}, "rows": {}}),
    "cards: sweep.json": (SWEEP, {"runs": []}),
    "cards: provenance/manifest.json": (of_datasets.DATASET_MANIFEST, {"stages": {}}),
    "cards: splits.json": (of_datasets.CERTIFICATE, {"splits": {}, "collisions": []}),
}
REBUILT = {
    "figure_id": "F",
    "article_id": "A",
    "pmcid": None,
    "article_version": 2,
    "doi": None,
    "label": None,
    "license": None,
    "licenses": [None],
    "has_rights": False,
    "status": None,
    "source": "pdf",
    "source_file": "a.pdf",
    "source_sha256": "s",
    "picture_files": [],
    "page": 1,
    "bbox": [0.0],
    "dpi": 200.0,
    "panels": [],
    "width": 9,
    "height": 9,
    "image_sha256": "i",
    "pixels_sha256": "p",
    "duplicate_group": None,
    "hashes": [],
    "tool": "t",
    "makers_sha256": "m",
}
LINES = {  # kind -> a whole line
    "rebuild.jsonl": (REBUILD_FILE, REBUILT),
    "cards: rebuild.jsonl": (of_datasets.REBUILD, REBUILT),
    "predictions.jsonl": (PREDICTION_FILE, IDENTITY | ANSWER),
    "evidence.jsonl": (
        EVIDENCE_FILE,
        {"figure_id": "F", "caption": None, "context": ["C."], "license": None, "doi": None},
    ),
    "judgements.jsonl": (JUDGEMENT_FILE, {k: v for k, v in IDENTITY.items() if k != "figure_id"} | JUDGED),
    "pairwise.jsonl": (
        VERDICT_FILE,
        {"example_id": "E1", "image_condition": "true", "judge": "j", "judge_revision": None, **SHAS}
        | {"other_answer_sha256": "3", "order": "first", "status": "ok", "verdict": "run"},
    ),
    "per_item_scores.jsonl": (ITEM_FILE, IDENTITY | {"scores": {"rougeL": 0.5, "judge:j": None}}),
    "screened.jsonl": (SCREENED_FILE, SCREENED),
    "review.jsonl": (REVIEW_FILE, REVIEWED),
    "cards: screened.jsonl": (of_screening.SCREENED_FILE, SCREENED),
    "cards: review.jsonl": (of_screening.REVIEW_FILE, REVIEWED),
    "replies.jsonl": (LEDGER, {"key": "k", "status": "ok"}),
    "cards: predictions.jsonl": (of_cards.PREDICTIONS, IDENTITY | ANSWER),
    "cards: evidence.jsonl": (of_cards.EVIDENCE, {"figure_id": "F"}),
    "cards: judgements.jsonl": (of_cards.JUDGEMENTS, {"example_id": "E1", "image_condition": "true"}),
    "cards: pairwise.jsonl": (of_cards.VERDICTS, {"example_id": "E1", "image_condition": "true"}),
    "cards: per_item_scores.jsonl": (of_cards.ITEMS, {"image_condition": "true", "scores": {}}),
    "cards: paired_items.jsonl": (
        of_cards.PAIRED,
        {"example_id": "E1", "image_condition": "true", "base": {}, "tuned": {"rougeL": 1}, "base_answer": None},
    ),
}
ALL = {**OBJECTS, **LINES}


def read(kind, path, content, name):
    if name in LINES:
        path.write_text(content + "\n")
        return list(kind.rows(path))
    path.write_text(content)
    return kind.read(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.json"


def refused(kind, path, content, name):
    with pytest.raises(ValueError, match=str(path)) as error:
        read(kind, path, content, name)
    message = str(error.value)
    assert "\n" not in message
    assert name not in LINES or "line 1" in message
    return message


@pytest.mark.parametrize("name", ALL)
def test_a_whole_file_is_read_with_a_format_and_without_and_with_more_in_it(path, name):
    kind, content = ALL[name]
    for whole in (content, stamped(content), stamped(content) | {"later": [1]}):
        found = read(kind, path, json.dumps(whole), name)
        assert found == ([whole] if name in LINES else whole)


@pytest.mark.parametrize("name", ALL)
def test_a_missing_key_is_named(path, name):
    kind, content = ALL[name]
    for key in set(content) & set(kind.shape.__required_keys__):
        less = {k: v for k, v in content.items() if k != key}
        assert f"no `{key}`: made by an older ldrt" in refused(kind, path, json.dumps(less), name)
        message = refused(kind, path, json.dumps(stamped(less)), name)
        assert f"no `{key}`: " in message
        assert "run `" in message


@pytest.mark.parametrize("name", ALL)
def test_a_wrong_type_is_named(path, name):
    kind, content = ALL[name]
    for key in set(content) & set(kind.shape.__required_keys__):
        wrong = 7 if isinstance(content[key], dict) or content[key] is None else {"a": 7}
        if content[key] is not None or key not in ("lineage", "judge_agreement"):
            assert f"`{key}" in refused(kind, path, json.dumps(stamped(content | {key: wrong})), name)


@pytest.mark.parametrize("content", ["{", "text", '"text"', "[]", "7", "null", '{"a": NaN}', "[" * 100_000, "{}"])
@pytest.mark.parametrize("name", ALL)
def test_what_is_no_such_object_is_one_line(path, name, content):
    refused(ALL[name][0], path, content, name)


@pytest.mark.parametrize("name", ALL)
def test_a_newer_format_asks_for_an_update(path, name):
    kind, content = ALL[name]
    message = refused(kind, path, json.dumps(content | {"format": FORMAT + 1}), name)
    assert message.endswith("update ldrt")


@pytest.mark.parametrize("name", OBJECTS)
def test_an_empty_or_a_cut_file_is_one_line_and_an_absent_one_names_its_command(path, name):
    kind, content = OBJECTS[name]
    refused(kind, path, "", name)
    refused(kind, path, json.dumps(content)[:-2], name)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="is absent: run `"):
        kind.read(path)
    assert kind.read_if_there(path) is None


@pytest.mark.parametrize("name", LINES)
def test_a_torn_last_line_is_passed_over_and_a_broken_one_before_it_is_not(path, name):
    kind, content = LINES[name]
    line = json.dumps(content) + "\n"
    for torn in ("", line[:-2], line[:-3], "{"):
        path.write_text(line + torn)
        if torn and kind.is_edited:
            with pytest.raises(ValueError, match="line 2: not JSON"):
                list(kind.rows(path))
        else:
            assert len(list(kind.rows(path))) == 1
    path.write_text(line + line[:-1])  # whole, but for the line's end that an editor leaves out
    assert len(list(kind.rows(path))) == 2
    path.write_text(line + "{\n" + line)
    with pytest.raises(ValueError, match="line 2: not JSON .* take the line out and run `"):
        list(kind.rows(path))
    path.write_text("")
    assert list(kind.rows(path)) == []
    path.unlink()
    assert list(kind.rows(path)) == []
