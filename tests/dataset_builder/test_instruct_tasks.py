"""What `ldrt instruct` asks an LLM: kinds, several examples, panels, pictures, languages, prompts, curated context."""

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

import ldrt
from dataset_builder.schema import SPLITS
from dataset_builder.teaching.wording import GENERAL, PROMPTS
from tests.dataset_builder.llm_server import completion, serve
from trust.pictures.opener import open_picture


def rows(dataset: Path, config: str, split: str = "*") -> list[dict]:
    paths = sorted((dataset / config).glob(f"{split}-*.parquet"))
    return [row for path in paths for row in parquet.read_table(path).to_pylist()]


def text_of(request: dict) -> str:
    content = request["messages"][0]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def kind_of(request: dict) -> str:
    """The name of the kind of question that is asked for."""
    texts = {text: name for task in ("detail", "reasoning") for name, text in GENERAL.kinds(task).items()}
    (kind,) = [name for text, name in texts.items() if f"What to ask for: {text}" in text_of(request)]
    return kind


def evidence_of(request: dict) -> list[str]:
    return text_of(request).split("<<<EVIDENCE\n")[1].split("\nEVIDENCE>>>")[0].splitlines()


def answering(request: dict, tail: str = "") -> dict:
    """Quotes the first sentence of the evidence; its question has the kind that was asked for, and a trace of all."""
    first = evidence_of(request)[0]
    place, _, quoted = first.removeprefix("[").partition("] ")
    trace = "".join(letter for letter in hashlib.sha256(str(evidence_of(request)).encode()).hexdigest() if letter > "9")
    said = {"question": f"What of the {kind_of(request)} do we see, {trace}?", "answer": json.loads(quoted) + tail}
    evidence = [{"source": place.split()[0], "sentence": int(place.split()[1])}]
    return completion(json.dumps(said | {"evidence": evidence, "visually_answerable": True}))


def varied(request: dict) -> dict:
    """As `answering`, each kind in words of its own, so that none is a copy."""
    kinds = GENERAL.kinds("detail") | GENERAL.kinds("reasoning")
    return answering(request, f" {kinds[kind_of(request)]}".replace("null", ""))


def teach(dataset: Path, url: str, *words: str) -> int:
    return ldrt.main(["instruct", str(dataset), "--teacher", "openai", "--base_url", url, "--model", "m", *words])


@pytest.fixture
def copy_of(sample_dataset, tmp_path):
    return lambda name: Path(shutil.copytree(sample_dataset, tmp_path / name))


def test_each_example_of_a_figure_asks_for_another_kind_and_the_first_stays(sample_dataset):
    with serve(varied) as (url, seen):
        assert teach(sample_dataset, url) == 0
        first = {row["example_id"]: row for row in rows(sample_dataset, "detail")}
        n_first = len(seen)
        assert teach(sample_dataset, url, "--examples_per_figure", "3") == 0
        n_pairs = len(rows(sample_dataset, "pairs"))
        assert (n_first, len(seen)) == (2 * n_pairs, 3 * 2 * n_pairs)  # the first questions are not asked again
    made = rows(sample_dataset, "detail")
    by_id = {row["example_id"]: row for row in made}
    assert len(by_id) == len(made)
    assert {name: by_id[name] for name in first if name in by_id} == first
    endings = {name.rpartition("/")[2] for name in by_id}
    assert endings == {"detail", "detail-2", "detail-3"}
    for row in made:
        assert row["kind"] in row["prompt"][0]["content"]
    assert {row["kind"] for row in first.values()} == set(GENERAL.kinds("detail"))  # not always the same one first
    of_figure: dict[str, list] = {}
    for row in made:
        of_figure.setdefault(row["figure_id"], []).append(row["kind"])
    assert all(len(set(kinds)) == len(kinds) for kinds in of_figure.values())
    assert max(map(len, of_figure.values())) > 1


def test_panels_are_figures_with_their_part_of_the_picture(sample_dataset):
    with serve(answering) as (url, seen):
        assert teach(sample_dataset, url) == 0
        n_whole = len(seen)
        whole = {row["example_id"] for row in rows(sample_dataset, "align")}
        pairs = {row["figure_id"]: row for row in rows(sample_dataset, "pairs")}
        assert teach(sample_dataset, url, "--panels", "true", "--see_picture", "true") == 0
    with_caption = [panel for row in pairs.values() for panel in row["panels"] if panel["caption"]]
    assert with_caption
    assert len(seen) == n_whole + 2 * (len(pairs) + len(with_caption))
    of_panels = [row for row in rows(sample_dataset, "align") if row["panel"]]
    assert {row["example_id"] for row in rows(sample_dataset, "align")} > whole
    assert of_panels
    for row in of_panels:
        pair = pairs[row["figure_id"]]
        (panel,) = [panel for panel in pair["panels"] if panel["label"] == row["panel"]]
        assert row["example_id"] == f"{row['figure_id']}/{panel['label']}/align"
        assert row["completion"][0]["content"] == panel["caption"]
        box = [round(side) for side in panel["bbox"]]
        part = open_picture(row["images"][0]["bytes"])
        assert part.tobytes() == open_picture(pair["image"]["bytes"]).crop(box).convert(part.mode).tobytes()
        assert not row["context_of"]
    assert rows(sample_dataset, "pairs") == list(pairs.values())
    assert any(row["panel"] for row in rows(sample_dataset, "detail"))


def test_a_teacher_that_sees_gets_the_rows_own_bytes(sample_dataset):
    pictures = {row["image"]["bytes"] for row in rows(sample_dataset, "pairs")}
    with serve(answering) as (url, seen):
        assert teach(sample_dataset, url, "--see_picture", "true") == 0
        n_asked = len(seen)
        assert teach(sample_dataset, url, "--see_picture", "true") == 0
        assert len(seen) == n_asked  # the ledger knows requests with pictures
    assert {part["type"] for part in seen[0]["messages"][0]["content"]} == {"text", "image_url"}
    urls = {request["messages"][0]["content"][0]["image_url"]["url"] for request in seen}
    assert {base64.b64decode(url.partition(",")[2]) for url in urls} == pictures
    assert all("You get the figure itself" in text_of(request) for request in seen)
    for sent in urls:
        kind = sent.partition(";")[0].removeprefix("data:image/")
        assert open_picture(base64.b64decode(sent.partition(",")[2])).size
        assert kind == ("png" if base64.b64decode(sent.partition(",")[2])[1:4] == b"PNG" else "jpeg")


def test_a_row_that_names_a_file_in_place_of_its_picture_is_not_followed(sample_dataset, capsys, tmp_path):
    (path,) = (sample_dataset / "pairs").glob("train-*.parquet")
    table = parquet.read_table(path)
    image = [{"bytes": None, "path": "/etc/hostname"} for _ in range(len(table))]
    import pyarrow

    field = table.schema.field("image")
    parquet.write_table(table.set_column(0, field, pyarrow.array(image, type=field.type)), path)
    with serve(answering) as (url, seen):
        assert teach(sample_dataset, url, "--see_picture", "true") == 1
    assert seen == []
    assert "files and addresses that a dataset names are not opened" in capsys.readouterr().err


def test_answers_in_english_are_asked_for_and_held_to_it(sample_dataset):
    german = (
        "Die Schwellung der linken Pfote nahm nach der Bestrahlung deutlich ab, während sie in der Kontrollgruppe über "
        "den ganzen Zeitraum hinweg unverändert blieb und keine Besserung zeigte."
    )

    def teacher(request: dict) -> dict:
        reply = json.loads(answering(request)["choices"][0]["message"]["content"])
        is_detail = "detailed description" in text_of(request)
        return completion(json.dumps(reply | ({"answer": german} if is_detail else {})))

    before = rows(sample_dataset, "detail")
    with serve(teacher) as (url, seen):
        assert teach(sample_dataset, url, "--answer_language", "en") == 0
    assert all("Write question and answer in English" in text_of(request) for request in seen)
    assert rows(sample_dataset, "detail") == before  # all new ones were rejected
    stage = json.loads((sample_dataset / "provenance" / "manifest.json").read_text())["stages"]["instruct"]
    assert stage["rejected"]["language"] == sum("detailed description" in text_of(request) for request in seen)
    assert stage["options"]["answer_language"] == "en"


def test_a_folder_of_prompts_replaces_file_by_file_and_the_hash_covers_what_was_used(sample_dataset, tmp_path):
    folder = tmp_path / "prompts"
    folder.mkdir()
    example = {"caption": "A red star.", "context": ["It burns."], "question": "Why?", "answer": "It burns."}
    example |= {"evidence": [{"source": "context", "sentence": 0}]}
    (folder / "detail.examples.jsonl").write_text(json.dumps(example) + "\n")
    with serve(answering) as (url, seen):
        assert teach(sample_dataset, url) == 0
        n_first = len(seen)
        before = rows(sample_dataset, "detail")[0]["prompt_sha256"]
        assert teach(sample_dataset, url, "--prompts", str(folder)) == 0
    assert len(seen) == n_first + n_first // 2  # reasoning is as it was
    assert all('[context 0] "It burns."\nEXAMPLE>>>\n{"question": "Why?"' in text_of(r) for r in seen[n_first:])
    files = [PROMPTS / "detail.md", PROMPTS / "detail.kinds.yaml", folder / "detail.examples.jsonl"]
    expected = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    assert {row["prompt_sha256"] for row in rows(sample_dataset, "detail")} == {expected} != {before}


def test_ablations_change_training_rows_alone(sample_dataset, tmp_path, copy_of):
    pairs = rows(sample_dataset, "pairs", "train")
    chosen = next(row["figure_id"] for row in pairs if row["context"] and row["caption"])
    held_out = rows(sample_dataset, "pairs", "test")[0]["figure_id"]
    curated = tmp_path / "curated.jsonl"
    lines = [
        {"figure_id": chosen, "context": ["The curator saw a spiral."]},
        {"figure_id": held_out, "context": ["No."]},
    ]
    curated.write_text("\n".join(map(json.dumps, lines)))
    arms = {"own": [], "none": ["--context", "none"], "shuffled": ["--context", "shuffled"]}
    arms["curated"] = ["--context_file", str(curated)]
    with serve(answering) as (url, seen):
        for name, words in arms.items():
            assert teach(copy_of(name), url, *words) == 0
    assert sum('[context 0] "The curator saw a spiral."' in text_of(request) for request in seen) == 2
    assert not any('[context 0] "No."' in text_of(request) for request in seen)  # held-out figures keep their own
    made = {name: tmp_path / name for name in arms}
    for split in SPLITS[1:]:
        for config in ("align", "detail", "reasoning"):
            contents = [
                [path.read_bytes() for path in sorted((folder / config).glob(f"{split}-*"))] for folder in made.values()
            ]
            assert contents[0]
            assert all(content == contents[0] for content in contents)
    training = {
        name: {row["figure_id"]: row for row in rows(folder, "detail", "train")} for name, folder in made.items()
    }
    assert training["curated"][chosen]["prompt"] != training["own"][chosen]["prompt"]
    assert training["curated"][chosen]["context_of"] == chosen
    del training["curated"][chosen]
    assert all(row == training["own"].get(figure_id, row) for figure_id, row in training["curated"].items())
    assert training["none"] != training["own"] != training["shuffled"]


LINE = '{"figure_id": "a", "context": []}\n'
REFUSED = {
    "prompts without a prompt": (["--prompts", "{folder}"], "none of detail.md"),
    "no evidence": (["--prompts", "{folder}"], "has no {{ evidence }}", ("detail.md", "Describe it.")),
    "examples that the prompt leaves out": (
        ["--prompts", "{folder}"],
        "detail.examples.jsonl beside it has no effect",
        ("detail.md", "{{ evidence }}"),
        ("detail.examples.jsonl", "{}"),
    ),
    "more than there are kinds": (["--examples_per_figure", "9"], "5 kinds of question"),
    "a prompt of one's own without kinds": (
        ["--prompts", "{folder}", "--examples_per_figure", "2"],
        "1 kinds of question",
        ("detail.md", "{{ evidence }}"),
    ),
    "no example at all": (["--examples_per_figure", "0"], "at least 1"),
    "kinds that are a list": (["--prompts", "{folder}"], "name: what to ask for", ("detail.kinds.yaml", "- one")),
    "a broken example": (["--prompts", "{folder}"], "line 2: no example", ("detail.examples.jsonl", "\n{}\n")),
    "a template that is none": (["--prompts", "{folder}"], "detail.md", ("detail.md", "{{ evidence }}{% if %}")),
    "an unknown variable": (["--prompts", "{folder}"], "detail.md", ("detail.md", "{{ evidence }}{{ captoin }}")),
    "two contexts": (["--context_file", "{folder}/c", "--context", "none"], "choose one", ("c", LINE)),
    "a figure that is not there": (["--context_file", "{folder}/c"], "not in the dataset; first 'a'", ("c", LINE)),
    "a figure named twice": (["--context_file", "{folder}/c"], "line 2: a has a line", ("c", LINE * 2)),
    "no list of sentences": (
        ["--context_file", "{folder}/c"],
        "line 1: is not",
        ("c", '{"figure_id": "a", "context": "b"}'),
    ),
    "no JSON": (["--context_file", "{folder}/c"], "line 1: is not", ("c", "figure_id,context")),
    "no context file": (["--context_file", "{folder}/c"], "no file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_is_one_line_and_costs_nothing(sample_dataset, tmp_path, capsys, case):
    words, reason, *files = REFUSED[case]
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in files:
        (folder / name).write_text(text)
    with serve(answering) as (url, seen):
        assert teach(sample_dataset, url, *(word.replace("{folder}", str(folder)) for word in words)) in (1, 2)
    assert seen == []
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ldrt")]
    assert reason in line


@pytest.mark.parametrize(
    "words",
    [
        *(["--examples_per_figure", "2"], ["--see_picture", "true"], ["--answer_language", "en"], ["--prompts", "."]),
        *(["--model", "m"], ["--base_url", "http://localhost:1"], ["--request", '{"n": 1}'], ["--batch"]),
        ["--max_cost", "1", "--price_in", "1"],
    ],
)
def test_the_extractive_teacher_refuses_what_only_an_llm_can_do(sample_dataset, capsys, words):
    assert ldrt.main(["instruct", str(sample_dataset), *words]) in (1, 2)
    assert f"{words[0]}: only for --teacher openai" in capsys.readouterr().err


def test_the_extractive_teacher_takes_panels(sample_dataset):
    assert ldrt.main(["instruct", str(sample_dataset), "--panels", "true"]) == 0
    of_panels = [row for row in rows(sample_dataset, "detail") if row["panel"]]
    assert all({e["source"] for e in row["evidence"]} == {"caption"} for row in of_panels)
    assert any(row["panel"] for row in rows(sample_dataset, "align"))
