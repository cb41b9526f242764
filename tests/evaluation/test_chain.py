"""generate → score → compare → card on tiny checkpoints, by the console command; the card's snippet runs."""

import json
import re

import ldrt
from dataset_builder.files.jsonfiles import read_jsonl
from evaluation.answering.questions import open_image


def ldrt_does(*words):
    assert ldrt.main(list(map(str, words))) == 0


def test_the_chain_from_checkpoint_to_card(tiny_llava, tiny_llava_next, dataset_folder, tmp_path, capsys, monkeypatch):
    base, tuned = tmp_path / "base", tmp_path / "tuned"
    for model, run in ((tiny_llava, base), (tiny_llava_next, tuned)):
        for condition in ("true", "shuffled"):
            options = ["--max_new_tokens", 6, "--device", "cpu", "--image_condition", condition]
            ldrt_does("generate", "--model", model, "--dataset", dataset_folder, "--output", run, *options)
        ldrt_does("score", run)
    ldrt_does("compare", base, tuned)
    ldrt_does("card", tuned, "--repo_id", tiny_llava_next)
    assert "difference" in (tuned / "README.md").read_text()
    assert json.loads((tuned / "comparison.json").read_text())["n_items"] == 16
    assert "llava-next" in capsys.readouterr().out

    first = next(read_jsonl(dataset_rows(dataset_folder, tmp_path)))
    monkeypatch.chdir(tmp_path)
    (snippet,) = re.findall(r"```python\n(.*?)```", (tuned / "README.md").read_text(), re.S)
    exec(snippet.replace("Describe this figure in detail.", first["question"]), {})
    answers = {r["example_id"]: r for r in read_jsonl(tuned / "predictions.jsonl") if r["image_condition"] == "true"}
    assert capsys.readouterr().out.strip().split("\n")[-1].strip() == answers[first["example_id"]]["prediction"]


def dataset_rows(dataset_folder, folder):
    """Write the first figure to figure.png, as the snippet expects it, and its question to a file."""
    from datasets import Image, List, load_dataset

    rows = load_dataset("parquet", data_files=str(dataset_folder / "detail" / "*.parquet"), split="train")
    row = rows.cast_column("images", List(Image(decode=False)))[0]
    open_image(row).save(folder / "figure.png")
    path = folder / "first.jsonl"
    path.write_text(json.dumps({"example_id": row["example_id"], "question": row["prompt"][0]["content"]}) + "\n")
    return path
