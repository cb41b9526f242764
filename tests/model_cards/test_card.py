import json
import re
import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from evaluation import compare, score
from model_cards import card
from model_cards.cards.front_matter import INDEXED
from tests.evaluation.runs import judge_run, make_run, read_records, write_evidence, write_records
from tests.evaluation.test_compare import training_data

LINEAGE = {
    "base_model": "llava-hf/llava-1.5-13b-hf",
    "base_revision": "c" * 40,
    "phases": [
        {
            "trainable": trainable,
            "dataset": "org/figures",
            "dataset_config": config,
            "dataset_split": "train",
            "dataset_revision": "d" * 40,
            "rows": {"rows": 100, "kept": 98, "dropped": {}},
            "steps": 25,
            "train_loss": 1.25,
            "settings": {"learning_rate": 0.001, "num_train_epochs": 1, "projector_learning_rate": None},
        }
        for trainable, config in (("projector", "align"), ("lora", "instruct"))
    ],
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A compared run of a tuned model, without judges."""
    folder = tmp_path_factory.mktemp("compared")
    base = make_run(folder / "base", "base", 0.1)
    tuned = make_run(folder / "tuned", "tuned", 0.7, ("true", "shuffled"), lineage=LINEAGE)
    for run in (base, tuned):
        write_evidence(run)
        score.run(score.Options(str(run)))
    compare.run(compare.Options([str(base), str(tuned)]))
    return tuned


@pytest.fixture
def tuned(compared, tmp_path):
    """A copy of the compared run, to be changed at will."""
    return Path(shutil.copytree(compared, tmp_path / "tuned"))


JUDGES = ("Qwen/Qwen2-72B-Instruct", "meta-llama/Llama-3.1-70B-Instruct")
OTHER_DATA = {"dataset": "org/heart", "dataset_revision": "e" * 40}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The card of a comparison with judges, three runs, another domain, training data, and people's ratings."""
    folder, runs = tmp_path_factory.mktemp("everything"), {}
    for name, model, quality, conditions, changes in (
        ("base", "base", 0.1, ("true",), {}),
        ("tuned", "tuned", 0.7, ("true", "blank"), {"lineage": LINEAGE}),
        ("short", "short", 0.4, ("true",), {}),
        ("base-heart", "base", 0.2, ("true",), OTHER_DATA),
        ("tuned-heart", "tuned", 0.3, ("true",), OTHER_DATA),
    ):
        teachers = {"teachers": {"Qwen/Qwen2-72B-Instruct@main": 48}}
        runs[name] = str(make_run(folder / name, model, quality, conditions, **teachers, **changes))
        write_evidence(folder / name)
        judge_run(folder / name, JUDGES[0])
        judge_run(folder / name, JUDGES[1], refused=("E3",), revision=None)
        score.run(score.Options(runs[name]))
    others = [runs["base-heart"], runs["tuned-heart"]]
    three = [runs[name] for name in ("base", "tuned", "short")]
    data = training_data(folder / "data", ["The lesion appears red."] * 12)
    compare.run(compare.Options(three, general=others, transfer=others, train_dataset=str(data)))
    (folder / "tuned" / "human.json").write_text(json.dumps(HUMAN))
    write_card(folder / "tuned")
    return folder / "tuned"


@pytest.fixture(scope="module")
def full_card(everything):
    return (everything / "README.md").read_text(encoding="utf-8")


HUMAN = {  # as evaluation/people/report.py writes it
    "packet": "0123456789abcdef",
    "n_raters": 2,
    "n_ratings": 219,
    "n_cannot_judge": 1,
    "systems": [],
    "deltas": [
        {
            "run": "tuned",
            "against": "base",
            "task": task,
            "judge": "human",
            "base": 2.125,
            "tuned": 6.5,
            "n": 50,
            "delta": 4.375,
            "ci_low": 3.5,
            "ci_high": 5.25,
            "p_value": 0.0004,
        }
        for task in ("all", "detail")
    ],
    "intra_rater": [{"rater": rater, "n": 20, "mean_abs_difference": 0.75, "kappa": 0.875} for rater in (1, "all")],
    "inter_rater": {"alpha": 0.625, "n": 100, "pairs": []},
    "judge_agreement": [
        {
            "judge": judge,
            "revision": None,
            "backend": "openai",
            "n": 90,
            "kappa": 0.5,
            "spearman": None,
            "mean_difference": 1.5,
        }
        for judge in JUDGES
    ],
}


def write_card(folder, **options):
    card.run(card.Options(str(folder), **options))
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_front_matter_is_what_the_hub_reads(tuned):
    data = ModelCard(write_card(tuned)).data
    assert data.base_model == "llava-hf/llava-1.5-13b-hf"
    assert data.datasets == ["org/figures"]
    assert (data.license, data.pipeline_tag, data.library_name) == ("llama2", "image-text-to-text", "transformers")
    scores = json.loads((tuned / "scores.json").read_text())["scores"]
    expected = {
        (row["metric"], None if row["task"] == "all" else row["task"]): row["value"]
        for row in scores
        if row["image_condition"] == "true" and row["metric"] in INDEXED
    }
    assert {(r.metric_type, r.dataset_config): r.metric_value for r in data.eval_results} == expected
    assert all(type(result.metric_value) is float for result in data.eval_results)
    assert {r.dataset_revision for r in data.eval_results} == {"f" * 40}
    assert len(expected) == 15


@pytest.mark.parametrize("tunes_tower", [True, False])
def test_a_tuned_vision_tower_is_said_with_its_rate(tuned, tunes_tower):
    manifest = json.loads((tuned / "manifest.json").read_text())
    if tunes_tower:
        last = manifest["lineage"]["phases"][-1]
        last["trainable"] = "full-vision"
        last["settings"]["vision_learning_rate"] = 2e-6
    (tuned / "manifest.json").write_text(json.dumps(manifest))
    text = " ".join(write_card(tuned).split())
    said = "**The vision tower was tuned, too**, on config `instruct` at a learning rate of 2e-06"
    assert (said in text) == tunes_tower
    assert ("LoRA on the language model, the projector, and the whole vision tower" in text) == tunes_tower
    assert ("The vision tower is frozen throughout." in text) != tunes_tower


def lose_answers(run, examples):
    """The answers to `examples` (numbers) with the true picture failed, and the run is scored again."""
    records = read_records(run)
    for record in records:
        if record["image_condition"] == "true" and int(record["example_id"][1:]) in examples:
            record |= {"prediction": None, "finish_reason": "error", "error": "picture too large"}
    write_records(run, records)
    score.run(score.Options(str(run)))


def test_missing_answers_are_said_for_whom_and_nothing_is_claimed(tmp_path):
    base, tuned = make_run(tmp_path / "base", "base", 0.1), make_run(tmp_path / "tuned", "tuned", 0.7)
    for run in (base, tuned):
        score.run(score.Options(str(run)))
    lose_answers(base, range(24))
    compare.run(compare.Options([str(base), str(tuned)]))
    text = write_card(tuned)
    assert (
        "> **Answers are missing:** 24 of 48 answers of the base model failed, none of the tuned model's 48. They have"
        in text
    )
    assert "better than the base model." not in text
    assert "Whether it is better than the base model cannot be told: 24 of 48 questions lack a score" in text
    lose_answers(tuned, [40])
    compare.run(compare.Options([str(base), str(tuned)]))
    assert "24 of 48 answers of the base model failed, 1 of 48 answers of the tuned model failed." in write_card(tuned)


def test_missing_answers_of_a_run_alone_stand_in_its_card_and_its_front_matter(tmp_path):
    run = make_run(tmp_path / "run", "tuned", 0.7, ("true", "shuffled"))
    score.run(score.Options(str(run)))
    assert "Answers are missing" not in write_card(run)
    lose_answers(run, range(24))
    text = write_card(run)
    assert "> **Answers are missing:** 24 of 48 answers of the model failed. They have no score" in text
    names = {result.metric_name for result in ModelCard(text).data.eval_results if result.dataset_config is None}
    assert "ROUGE-L F (24 of 48 answers without a score)" in names


def test_the_card_says_why_there_is_no_interval(tmp_path):
    for name, quality in (("base", 0.1), ("tuned", 0.7)):
        run = judge_run(make_run(tmp_path / name, name, quality), "org/one")
        for file in ("predictions.jsonl", "judgements.jsonl"):
            few = [row | {"article_id": f"A{int(row['example_id'][1:]) % 3}"} for row in read_records(run, file)]
            (run / file).write_text("".join(json.dumps(row) + "\n" for row in few))
        score.run(score.Options(str(run)))
    compare.run(compare.Options([str(tmp_path / "base"), str(tmp_path / "tuned")]))
    text = write_card(tmp_path / "tuned")
    assert "cannot be told: 3 articles, and an interval needs 5." in text
    assert text.count("\nNo interval for all rows: 3 articles, and an interval needs 5.\n") == 2  # both tables
    assert "org/one, no interval at equal length: 3 articles, and an interval needs 5." in text
    assert "fewer than 5 have none" in text
    assert "| – | – | 48 |" in text


def test_metrics_without_an_interval_are_named(tuned):
    text = write_card(tuned)
    constant = "Answers cut at the token limit, share; Answers that repeat themselves, share; Empty answers, share"
    assert f"\nNo interval for {constant}: it is the same in every article" in text


def test_options_name_what_the_run_cannot_know(tuned):
    text = write_card(tuned, repo_id="me/model", dataset_id="me/data", base_model="me/base", license="mit")
    data = ModelCard(text).data
    assert (data.base_model, data.datasets, data.license) == ("me/base", ["me/data"], "mit")
    assert 'from_pretrained("me/model", dtype="auto")' in text
    assert "--dataset me/data" in text


def test_every_number_of_the_table_is_the_comparisons(tuned):
    text = write_card(tuned)
    comparison = json.loads((tuned / "comparison.json").read_text())
    (row,) = [
        r for r in comparison["rows"] if (r["metric"], r["task"], r["image_condition"]) == ("rougeL", "all", "true")
    ]
    assert f"| ROUGE-L F | all | {row['base']:.3f} | {row['tuned']:.3f} | +{row['delta']:.3f} |" in text
    assert comparison["headline"] in text
    assert "better than the base model" in text
    assert "another article's picture | ROUGE-L F" in text
    assert "**Phase 2: LoRA on the language model, and the projector.**" in text
    assert "98 rows" in text


def section(text, heading):
    return text.split(f"### {heading}\n")[1].split("\n###")[0].split("\n## ")[0]


def test_the_card_says_what_each_judge_is_worth(everything, full_card):
    text = section(full_card, "The judges")
    qwen, llama = (next(line for line in text.splitlines() if line.startswith(f"| {judge} |")) for judge in JUDGES)
    assert "| `aaaaaaaaaaaa` | 96 ok | 9.000 (n 2) | 1.000 (n 2) | 0.000 (n 2) | +0.000 (n 2) | 0.000 (n 2) |" in qwen
    assert "| not pinned | 94 ok, 2 refused |" in llama
    assert f"{JUDGES[1]} is not pinned to a revision" in text
    assert "**Judge and teacher are of one family.** Qwen/" in text
    assert "of one family.** meta" not in text
    assert "all find the same sign" in text
    assert "Krippendorff's alpha" in text
    delta = json.loads((everything / "comparison.json").read_text())["judges_on_delta"]["judges"]
    mean = next(row for row in delta if row["judge"] == "mean")
    assert f"| mean | +{mean['delta']:.3f} |" in text
    assert f"| +{mean['effect_size']:.3f} |" in text


def test_a_judge_that_fails_its_controls_is_marked(everything, tmp_path):
    judged = Path(shutil.copytree(everything, tmp_path / "tuned"))
    records = read_records(judged, "judgements.jsonl")
    records = [r | {"score": 8} if (r["control"], r["judge"]) == ("shuffled", JUDGES[0]) else r for r in records]
    (judged / "judgements.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    score.run(score.Options(str(judged)))
    (row,) = [line for line in write_card(judged).splitlines() if line.startswith(f"| {JUDGES[0]} | openai")]
    assert "| 8.000 **fails** (n 2) |" in row
    assert row.count("fails") == 1


def test_what_people_say_stands_beside_the_judges(full_card):
    people = section(full_card, "What people say")
    assert "2 people gave 219 ratings" in people
    assert "| human | 2.125 | 6.500 | +4.375 | +3.500 to +5.250 | < 0.001 | 50 |" in people
    assert people.count("| human |") == 1  # the tasks are in human.json
    assert f"| {JUDGES[0]} | 0.500 | – | +1.500 | 90 |" in people
    assert "again: 0.750 points apart" in people
    assert "| human check | 2 raters, page `0123456789abcdef` |" in full_card
    assert "no human has rated" not in full_card
    assert "Not run" not in full_card.split("### Beside the paper")[0]


def test_each_breakdown_has_a_section(everything, full_card):
    text, comparison = full_card, json.loads((everything / "comparison.json").read_text())
    cells = comparison["hedge_by_correctness"]["tuned"]
    hedging = section(text, "Does it hedge where it is wrong?")
    counts = [cells[name] for name in ("hedged_correct", "hedged_wrong", "plain_correct", "plain_wrong")]
    assert f"| tuned | {' | '.join(map(str, counts))} | {counts[0] / (counts[0] + counts[2]):.2f} |" in hedging
    assert "from 6.0 points on (mean over the judges)" in hedging
    terms = section(text, "By how often the terms were seen in training")
    assert "12 training answers" in terms
    assert "| in more than 10 answers | ROUGE-L F |" in terms
    lost = next(row for row in comparison["forgetting"] if row["metric"] == "rougeL")
    shown = f"| `org/heart` (detail, reasoning) | ROUGE-L F | {lost['base']:.3f} | {lost['tuned']:.3f} |"
    assert shown in section(text, "What it forgot")
    transfer = section(text, "What carries over to other domains")
    assert shown in transfer
    assert transfer.index("`org/figures`") < transfer.index("`org/heart`")


def test_sections_without_data_are_not_there(tuned):
    text = write_card(tuned)
    for heading in (
        "The judges",
        "Beside the other runs",
        "What people say",
        "What it forgot",
        "What carries over",
        "By how often",
    ):
        assert f"### {heading}" not in text
    assert "Not run: judges; human check; scores by how often the terms were seen in training; forgetting" in text


def test_several_runs_are_drawn_side_by_side(everything, full_card):
    runs = section(full_card, "Beside the other runs")
    assert "(plots/length_quality.png)" in runs
    assert (everything / "plots" / "length_quality.png").exists()
    scores = json.loads((everything.parent / "short" / "scores.json").read_text())["scores"]
    value = next(r["value"] for r in scores if (r["metric"], r["task"]) == ("rougeL", "all"))
    assert f"| short | ROUGE-L F | {value:.3f} |" in runs
    assert runs.count("| base |") == 3


def test_plots_are_there_and_linked(tuned):
    text = write_card(tuned)
    linked = re.findall(r"!\[.*?\]\((plots/.*?)\)", text)
    assert {path.removeprefix("plots/") for path in linked} == {path.name for path in (tuned / "plots").iterdir()}
    assert len(linked) == 5
    assert all((tuned / path).read_bytes().startswith(b"\x89PNG") for path in linked)


def test_the_same_files_give_the_same_bytes(tuned):
    write_card(tuned)
    files = [tuned / "README.md", *sorted((tuned / "plots").iterdir())]
    before = [path.read_bytes() for path in files]
    write_card(tuned)
    assert before == [path.read_bytes() for path in files]
    assert str(tuned) not in (tuned / "README.md").read_text()


def test_a_plot_without_data_is_removed(tuned):
    write_card(tuned)
    assert (tuned / "plots" / "delta_by_task.png").exists()
    (tuned / "comparison.json").unlink()
    assert "plots/delta_by_task.png" not in write_card(tuned)
    assert not (tuned / "plots" / "delta_by_task.png").exists()


def test_a_run_alone_has_a_card(tmp_path):
    folder = make_run(tmp_path / "run", "base", 0.3)
    score.run(score.Options(str(folder)))
    text = write_card(folder)
    assert "has not been compared with a base model" in text
    assert "| ROUGE-L F | all |" in text
    assert "Not recorded: the checkpoint has no `lineage.json`" in text
    assert ModelCard(text).data.base_model is None
    assert "Not run: reliance on the picture" in text
    assert "judges; human check; scores by how often" in text


def test_a_served_model_is_said_to_be(tmp_path):
    unknown = dict.fromkeys(("revision", "chat_template_sha256", "device"))
    folder = judge_run(make_run(tmp_path / "run", "org/served", 0.3, backend="openai", **unknown), backend="local")
    score.run(score.Options(str(folder)))
    text = write_card(folder)
    assert "| model | `org/served`, revision not stated, asked through a server |" in text
    assert "--model org/served --dataset org/figures" in text
    assert "--base_url http" in text
    assert "--backend local" in text
    assert "| references written by | extractive: 48 |" in text
    assert "None" not in text.split("## Where the numbers")[1]


def test_examples_quote_only_what_the_licence_permits_and_cannot_break_out(tuned):
    records = read_records(tuned)
    for record in records:
        record |= {"prediction": "``` <script>alert(1)</script> ![x](http://x)\n# heading"}
        if record["license"] is None:
            record["question"] = "secret words"
    write_records(tuned, records)
    text = write_card(tuned)
    section = text.split("## Examples")[1].split("## Limits")[0]
    assert "secret words" not in text
    assert section.count("```") == 6
    assert section.count("```text") == 3
    outside = "".join(section.split("```")[0::2])
    assert "script" not in outside
    assert "\n# heading" not in section
    closed = "CC-BY-NC-ND-4.0"
    write_records(tuned, [record | {"license": closed, "licenses": [closed]} for record in records])
    assert "do not let their text be quoted" in write_card(tuned)


def test_synthetic_figures_are_said_to_be(tuned):
    evidence = [
        {"figure_id": f"F{i}", "caption": "c", "doi": f"{doi}/x"} for i, doi in enumerate(["10.5555", "10.1000"])
    ]
    assert "made-up" not in write_card(tuned)
    (tuned / "evidence.jsonl").write_text("".join(json.dumps(row) + "\n" for row in evidence))
    text = write_card(tuned)
    assert "50 % of the figures asked about come from made-up articles" in text
    assert "nothing about medicine" in text


def test_a_run_without_scores_is_one_clear_error(tmp_path):
    folder = make_run(tmp_path / "run", "base", 0.3)
    with pytest.raises(FileNotFoundError, match="scores.json is absent: run `ldrt score"):
        write_card(folder)
