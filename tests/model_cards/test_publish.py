import json
import shutil

import pytest

from model_cards.publish import Options, run
from model_cards.staging.checkpoint import checkpoint_files
from model_cards.staging.hashes import file_sha256
from tests.trust.test_handovers import OBJECTS
from trust.weights.checkpoint_files import content_hash

CARD = """---
license: apache-2.0
pipeline_tag: image-text-to-text
---

# A tiny model

![scores](plots/scores.png)
"""
RUN, SCORED, COMPARED = (OBJECTS[f"cards: {name}.json"][1] for name in ("manifest", "scores", "comparison"))
ANSWER = {"question": "Q?", "reference": "R.", "prediction": "P.", "task": "detail", "image_condition": "true"}
ANSWER |= {"license": None}
SAME_LOGITS = """
import sys
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

def logits(source, revision=None):
    model = AutoModelForImageTextToText.from_pretrained(source, revision=revision)
    AutoProcessor.from_pretrained(source, revision=revision)
    ids = torch.tensor([[1, 2, 7, 7, 7, 7, 3]])  # 7 is the image token, 4 patches
    pixels = torch.arange(3 * 8 * 8, dtype=torch.float32).reshape(1, 3, 8, 8) / 192
    return model(input_ids=ids, pixel_values=pixels).logits  # (1, 7, 8)

assert torch.equal(logits(sys.argv[1]), logits(sys.argv[2], "v1"))
"""


@pytest.fixture(scope="session")
def checkpoint_template(tmp_path_factory):
    """A random LLaVA of a few thousand weights, with its processor, as `save_pretrained` leaves it."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )

    torch.manual_seed(0)
    layers = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = CLIPVisionConfig(**layers, image_size=8, patch_size=4, projection_dim=8)
    text = LlamaConfig(**layers, num_key_value_heads=2, vocab_size=8)
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=vision, text_config=text, image_token_index=7, vision_feature_layer=-1, image_seq_length=4
        )
    )
    words = ["<unk>", "<s>", "</s>", "dose", "curve", "is", "flat", "<image>"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>")
    pixels = CLIPImageProcessor(size={"shortest_edge": 8}, crop_size={"height": 8, "width": 8})
    processor = LlavaProcessor(pixels, fast, patch_size=4, chat_template="{{ messages[0]['content'] }}")
    folder = tmp_path_factory.mktemp("template") / "tuned"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    (folder / "lineage.json").write_text('{"base_model": "tiny", "phases": []}')
    for name in ("optimizer.pt", "training_args.bin", "rng_state.pth"):
        (folder / name).write_bytes(b"\x80\x04pickle")
    (folder / "checkpoint-1").mkdir()
    (folder / "checkpoint-1" / "model.safetensors").write_bytes(b"old")
    return folder


@pytest.fixture
def run_folder(tmp_path, checkpoint_template):
    """A run folder and, beside it, the checkpoint `tuned` that it evaluated."""
    checkpoint = shutil.copytree(checkpoint_template, tmp_path / "tuned")
    folder = tmp_path / "run"
    (folder / "plots").mkdir(parents=True)
    (folder / "plots" / "scores.png").write_bytes(b"\x89PNG")
    (folder / "README.md").write_text(CARD)
    (folder / "scores.json").write_text(json.dumps(SCORED))
    (folder / "comparison.json").write_text(json.dumps(COMPARED))
    manifest = RUN | {"model": str(checkpoint), "revision": content_hash(checkpoint)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    rows = [ANSWER | {"example_id": f"E{i}", "figure_id": f"PMC{i}/fig1"} for i in range(3)]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    licenses = ("CC-BY-4.0", "CC-BY-NC-4.0", None)
    evidence = [{"figure_id": f"PMC{i}/fig1", "license": name, "caption": "C"} for i, name in enumerate(licenses)]
    (folder / "evidence.jsonl").write_text("".join(json.dumps(row) + "\n" for row in evidence))
    (folder / "notes.txt").write_text("private")
    return folder


def dry(folder, **options):
    return run(Options(str(folder), "lab/model", dry_run=True, **options))


def test_what_is_sent(run_folder):
    sent = [line.strip() for line in dry(run_folder).split("would send to")[1].splitlines()[1:]]
    weights = {"config.json", "generation_config.json", "lineage.json", "model.safetensors"}
    processor = {"chat_template.jinja", "processor_config.json", "tokenizer.json", "tokenizer_config.json"}
    results = {f"results/{n}.json" for n in ("comparison", "hashes", "manifest", "scores")}
    results |= {f"results/{n}.jsonl" for n in ("evidence", "predictions")}
    assert set(sent) == weights | processor | results | {"README.md", "plots/scores.png"}
    for name in ("optimizer.pt", "rng_state.pth", "training_args.bin"):
        assert f"left out: {name}" in dry(run_folder)


def test_publish_then_load_from_a_clean_cache(hub, ldrt_client, run_client, run_folder):
    done = ldrt_client("publish", run_folder, "lab/model")
    assert done.status == 0, done.stderr
    assert "tag v1" in done.stdout
    repo = hub.repo("model", "lab/model")
    assert repo.private
    assert hub.titles("model", "lab/model") == ["Publish checkpoint, card and results", "initial commit"]
    assert not [path for path in repo.files_at("main") if path.endswith((".pt", ".bin", ".pth", ".txt"))]
    run_client("-c", SAME_LOGITS, run_folder.parent / "tuned", "lab/model", home="clean")

    again = ldrt_client("publish", run_folder, "lab/model")
    assert again.status == 0, again.stderr
    assert "nothing new" in again.stdout
    assert "tag v1" in again.stdout
    assert len(hub.titles("model", "lab/model")) == 2
    (run_folder / "scores.json").write_text(json.dumps(SCORED | {"new": 1}))
    (run_folder / "comparison.json").unlink()
    third = ldrt_client("publish", run_folder, "lab/model")
    assert "2 files sent, 1 deleted" in third.stdout  # with the hashes
    assert "tag v2" in third.stdout
    assert repo.tags["v1"] != repo.tags["v2"]


@pytest.mark.parametrize("column", ["figure_id", "image_figure_id"])
def test_answers_about_what_was_taken_down_are_refused(hub, ldrt_client, run_folder, column):
    """Also those for which its picture was shown in place of another's."""
    dataset = run_folder.parent / "figures"
    (dataset / "provenance").mkdir(parents=True)
    entry = {"day": "2026-01-01", "article_id": None, "figure_id": "PMC9/fig1", "figure_ids": ["PMC9/fig1"], "why": "w"}
    (dataset / "provenance" / "retracted.jsonl").write_text(json.dumps(entry) + "\n")
    (run_folder / "here.json").write_text(json.dumps({"format": 1, "dataset": str(dataset)}))
    with (run_folder / "predictions.jsonl").open("a") as file:
        row = ANSWER | {"example_id": "E9", "figure_id": "PMC8/fig1", column: "PMC9/fig1"}
        file.write(json.dumps(row) + "\n")
    done = ldrt_client("publish", run_folder, "lab/model")
    assert done.status == 1
    assert "has answers about PMC9/fig1, which was taken down: answer the dataset's questions anew" in done.stderr
    assert done.stderr.count("\n") == 1
    assert hub.log == []


def test_a_lost_answer_to_the_commit(hub, ldrt_client, run_folder):
    hub.fail("POST .*/commit/main", drop="after")
    done = ldrt_client("publish", run_folder, "lab/model", "--tag", "paper")
    assert done.status == 0, done.stderr
    assert len(hub.titles("model", "lab/model")) == 2
    assert list(hub.repo("model", "lab/model").tags) == ["paper"]


def test_a_tag_that_fails_leaves_the_commit_and_says_how_to_tag(hub, ldrt_client, run_folder):
    hub.fail("POST .*/tag/", times=9, status=403)
    done = ldrt_client("publish", run_folder, "lab/model")
    assert done.status == 1
    repo = hub.repo("model", "lab/model")
    sha = repo.branches["main"]
    assert f"commit {sha} is in place at" in done.stderr
    assert f"its tag is not: run this again, or `hf repos tag create lab/model NAME --revision {sha}`" in done.stderr
    hub.faults.clear()
    assert "nothing new" in ldrt_client("publish", run_folder, "lab/model").stdout
    assert repo.tags == {"v1": sha}


def test_every_quotation_for_everybody_is_asked_to_be_said_twice(run_folder):
    with pytest.raises(ValueError, match="add --i_may_publish_all"):
        dry(run_folder, policy="all", private=False)
    assert "would send" in dry(run_folder, policy="all", private=False, i_may_publish_all=True)


def test_an_adapter_that_was_not_merged_into_the_checkpoint_is_refused(hub, ldrt_client, run_folder, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    weights = shutil.copy(run_folder.parent / "tuned" / "model.safetensors", adapter / "adapter_model.safetensors")
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    path = run_folder / "manifest.json"
    for sha256, status in (("b" * 64, 1), (file_sha256(weights), 0)):
        lineage = {"base_model": "b", "phases": [], "merge": {"dtype": "auto", "adapter_sha256": sha256}}
        path.write_text(json.dumps(json.loads(path.read_text()) | {"lineage": lineage}))
        done = ldrt_client("publish", run_folder, "lab/model", "--adapter", adapter)
        assert done.status == status, done.stderr
        assert ("is not the adapter that was merged into the evaluated checkpoint" in done.stderr) is (status == 1)


def test_an_adapter_goes_into_its_own_folder(hub, ldrt_client, run_folder, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    shutil.copy(run_folder.parent / "tuned" / "model.safetensors", adapter / "adapter_model.safetensors")
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    done = ldrt_client("publish", run_folder, "lab/model", "--adapter", adapter)
    assert done.status == 0, done.stderr
    files = hub.repo("model", "lab/model").files_at("main")
    assert {"adapter/adapter_config.json", "adapter/adapter_model.safetensors", "model.safetensors"} <= set(files)


@pytest.mark.parametrize(("policy", "quoted"), [("commercial", 1), ("noncommercial", 2), ("all", 3)])
def test_predictions_quote_only_what_the_policy_permits(hub, ldrt_client, run_folder, policy, quoted):
    done = ldrt_client("publish", run_folder, "lab/model", "--policy", policy)
    assert done.status == 0, done.stderr
    file = hub.repo("model", "lab/model").files_at("main")["results/predictions.jsonl"]
    rows = [json.loads(line) for line in hub.store.content_path(file).read_text().splitlines()]
    assert [row["prediction"] for row in rows] == ["P."] * 3
    assert [row["reference"] for row in rows] == ["R."] * quoted + [None] * (3 - quoted)
    assert (f"{3 - quoted} predictions go without question and reference" in done.stdout) == (quoted < 3)


def test_what_was_measured_goes_without_the_words_of_rows_that_may_not_be_quoted(hub, ldrt_client, run_folder):
    """E1 may not be quoted under `commercial`, and a control of any row may show the judge its text."""
    said = [{"judge": "j", "status": "ok", "score": 5.0, "reply": "SECRET"}]
    place = {"image_condition": "true"}
    files = {
        "per_item_scores.jsonl": [place | {"example_id": f"E{i}", "scores": {}, "said": said} for i in (0, 1)],
        "judgements.jsonl": [
            place | {"example_id": name, "control": control, "score": 5.0, "reply": reply}
            for name, control, reply in (("E0", None, "fine"), ("E0", "shuffled", "SECRET"), ("E1", None, "SECRET"))
        ],
    }
    files["per_item_scores.jsonl"][0]["said"] = [said[0] | {"reply": "fine"}]
    for name, rows in files.items():
        (run_folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert ldrt_client("publish", run_folder, "lab/model").status == 0
    sent = hub.repo("model", "lab/model").files_at("main")
    texts = {name: hub.store.content_path(sent[f"results/{name}"]).read_text() for name in [*files, "evidence.jsonl"]}
    for name in files:
        assert "SECRET" not in texts[name]
        assert "fine" in texts[name]
        assert texts[name].count('"score": 5.0') == len(files[name])
    captions = [json.loads(line)["caption"] for line in texts["evidence.jsonl"].splitlines()]
    assert captions == ["C", None, None]


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda r, c: (r / "README.md").unlink(), FileNotFoundError, "run `ldrt card` for it first"),
        (lambda r, c: (r / "manifest.json").unlink(), FileNotFoundError, "run `ldrt generate`"),
        (lambda r, c: shutil.rmtree(c), FileNotFoundError, "give the checkpoint's folder as --checkpoint"),
        (lambda r, c: (c / "model.safetensors").unlink(), ValueError, "only pickles .*never opened or published"),
        (lambda r, c: (c / "config.json").unlink(), FileNotFoundError, "no config.json or adapter_config.json"),
        (lambda r, c: cut(c / "model.safetensors"), ValueError, "cannot be read as safetensors"),
        (lambda r, c: empty_tensor(c / "model.safetensors"), ValueError, "lm_head.weight is empty; gather"),
        (lambda r, c: index(c), ValueError, "names model-00002.safetensors, which is absent"),
        (lambda r, c: (c / "config.json").write_text("{}"), ValueError, "is not the checkpoint that the run evaluated"),
    ],
)
def test_what_is_refused_before_anything_is_sent(run_folder, spoil, error, message):
    spoil(run_folder, run_folder.parent / "tuned")
    with pytest.raises(error, match=message):
        dry(run_folder)


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def empty_tensor(path):
    import numpy
    from safetensors.numpy import save_file

    save_file({"a": numpy.ones(2), "lm_head.weight": numpy.ones((0, 4))}, path)


def index(checkpoint):
    content = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(content))


def test_subfolders_of_the_trainer_stay(checkpoint_template):
    assert "model.safetensors" in checkpoint_files(checkpoint_template)
    assert not [name for name in checkpoint_files(checkpoint_template) if "checkpoint-1" in name]


@pytest.mark.parametrize("license", ["apache-2.0", None])
def test_a_card_without_a_licence_is_told(hub, ldrt_client, run_folder, license):
    card = run_folder / "README.md"
    if license is None:
        card.write_text(card.read_text().replace("license: apache-2.0\n", ""))
    done = ldrt_client("publish", run_folder, "lab/model", "--dry_run", "true")
    assert done.status == 0, done.stderr
    assert ("names no licence" in done.stdout) == (license is None)
