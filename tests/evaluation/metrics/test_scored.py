"""Each metric's columns against its cases, and docs/how-to/metric.md, carried out on a copy of the project."""

import json
from pathlib import Path

import pytest

from evaluation.metrics.all import ALL
from evaluation.metrics.metric import Answer
from tests.documents.pages import carried_out, run
from tests.evaluation.runs import make_run, write_evidence

ROOT = Path(__file__).parents[3]
METRICS = ROOT / "evaluation" / "metrics"
CASES = Path(__file__).parent / "cases" / "scored"
NOT_MEASURED = {"judge"}  # asked, not measured: it reads a judge's replies
UNSAID = {"reference": "", "question": "", "finish_reason": "stop", "kind": None, "options": None, "evidence": None}


def name_of(scored) -> str:
    return Path(scored.__file__).parent.name


def cases():
    for scored in ALL:
        for number, case in enumerate(json.loads((CASES / f"{name_of(scored)}.json").read_text(encoding="utf-8"))):
            yield pytest.param(scored, case, id=f"{name_of(scored)}-{number}")


@pytest.mark.parametrize(("scored", "case"), list(cases()))
def test_an_answer_has_the_columns_of_its_case(scored, case):
    given = {"rouge_tokenizer": "unicode", **UNSAID, **case}
    expected = given.pop("expected")
    columns = scored.measure(Answer(**given))
    assert columns == pytest.approx(expected)


def test_every_folder_is_listed_with_card_wrapper_and_cases():
    folders = {path.parent.name for path in METRICS.glob("*/__init__.py")}
    assert {name_of(scored) for scored in ALL} == folders - NOT_MEASURED
    assert {path.stem for path in CASES.glob("*.json")} == folders - NOT_MEASURED
    assert not [name for name in folders if not (METRICS / name / f"{name}.py").exists()]


def test_names_and_columns_are_of_one_metric_each():
    names = [metric.name for scored in ALL for metric in scored.METRICS]
    labels = [metric.label for scored in ALL for metric in scored.METRICS]
    assert len(set(names)) == len(names)
    assert len(set(labels)) == len(labels)


@pytest.mark.slow
def test_the_page_on_how_to_add_a_metric_can_be_carried_out(tmp_path):
    project = carried_out("docs/how-to/metric.md", tmp_path / "project")
    runs = [make_run(tmp_path / name, f"org/{name}", quality) for name, quality in (("base", 0.3), ("tuned", 0.9))]
    for folder in runs:
        write_evidence(folder)
        ldrt(project, "score", folder)
    ldrt(project, "compare", *runs)
    ldrt(project, "card", tmp_path / "tuned", "--license", "apache-2.0")
    scores = json.loads((tmp_path / "tuned" / "scores.json").read_text())["scores"]
    found = {row["metric"]: row for row in scores if row["task"] == "all"}["asking_share"]
    assert (found["value"], found["n"], found["label"]) == (0, 48, "Answers that ask back, share")
    card = (tmp_path / "tuned" / "README.md").read_text()
    assert "| Answers that ask back, share | all | 0.000 | 0.000 | +0.000 |" in card
    tests = ["tests/evaluation/metrics/test_scored.py", "tests/evaluation/metrics/test_evaluate_modules.py"]
    python(project, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests, "-k", "columns or card")


def ldrt(project: Path, *words) -> None:
    python(project, "-m", "ldrt", *words)


def python(project: Path, *words) -> None:
    done = run(project, *words)
    assert done.returncode == 0, done.stdout + done.stderr
