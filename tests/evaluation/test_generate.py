import json
import shutil

import pytest
from datasets import Dataset, Features, Value, load_dataset
from datasets import Image as ImageFeature
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ldrt
from dataset_builder.files.jsonfiles import append_jsonl, read_jsonl
from evaluation.answering.questions import image_donors
from evaluation.generate import Options, run
from trust.errors import UsageError

CONDITIONS = ("true", "blank", "shuffled", "none")


def generate(model, dataset, output, **options):
    defaults = {"max_new_tokens": 8, "batch_size": 16, "device": "cpu"}
    run(Options(str(model), str(output), str(dataset), **{**defaults, **options}))
    return {(r["image_condition"], r["example_id"]): r for r in read_jsonl(output / "predictions.jsonl")}


@pytest.fixture(scope="module")
def answered(tiny_llava, dataset_folder, tmp_path_factory):
    """A finished run of tiny-llava: (folder, its records)."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, generate(tiny_llava, dataset_folder, folder)


@pytest.mark.parametrize("kind", ["tiny_llava", "tiny_llava_next"])
def test_batch_size_does_not_change_the_answers(kind, dataset_folder, tmp_path, request):
    model = shutil.copytree(request.getfixturevalue(kind), tmp_path / "model")
    stops = {"eos_token_id": [2, *range(20, 26)]}  # so many that the answers of one batch end at different places
    (model / "generation_config.json").write_text(json.dumps(stops))
    for condition in CONDITIONS:
        options = {"image_condition": condition, "max_new_tokens": 24}
        alone = generate(model, dataset_folder, tmp_path / "alone", batch_size=1, **options)
        together = generate(model, dataset_folder, tmp_path / "together", batch_size=16, **options)
    assert alone == together
    assert len(alone) == 4 * 16
    assert {record["finish_reason"] for record in alone.values()} == {"stop", "length"}
    assert len({record["new_tokens"] for record in alone.values()}) > 3
    assert all((r["new_tokens"] == 24) >= (r["finish_reason"] == "length") for r in alone.values())


def test_every_field_of_the_contract_is_recorded(answered, tiny_llava):
    folder, records = answered
    record = records["true", "A1/fig0/detail"]
    assert record["question"] == "the dose of a lesion : the curve : the curve ?"
    assert record["reference"] == "the detail curve may appear 2 Gy"
    assert (record["figure_id"], record["article_id"], record["task"]) == ("A1/fig0", "A1", "detail")
    assert record["finish_reason"] in ("stop", "length")
    assert record["model"] == "tiny-llava"
    greedy = {"do_sample": False, "num_beams": 1}
    assert record["generation"] == {"max_new_tokens": 8, "length_hint": None, **greedy, "dtype": "float32"}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["revision"].startswith("sha256:")
    assert manifest["dataset_revision"].startswith("sha256:")
    assert manifest["image_conditions"] == {"true": {"items": 16, "disarmed": 0, "options": {"max_new_tokens": 8}}}
    assert manifest["data_licenses"] == {"CC-BY-4.0": 8, "not stated": 8}
    assert manifest["teachers"] == {"extractive": 16}
    assert str(tiny_llava.parent) not in (folder / "manifest.json").read_text()
    assert len(list(read_jsonl(folder / "evidence.jsonl"))) == 8


@pytest.mark.parametrize("cut_bytes", [1, 37, 400])
def test_an_interrupted_run_continues(answered, tiny_llava, dataset_folder, tmp_path, cut_bytes):
    folder, records = answered
    resumed = tmp_path / "run"
    shutil.copytree(folder, resumed)
    content = (folder / "predictions.jsonl").read_bytes()
    (resumed / "predictions.jsonl").write_bytes(content[:-cut_bytes])
    assert generate(tiny_llava, dataset_folder, resumed) == records
    assert len(list(read_jsonl(resumed / "predictions.jsonl"))) == len(records)


def test_a_finished_run_is_not_touched(answered, tiny_llava, dataset_folder):
    folder, _ = answered
    before = (folder / "predictions.jsonl").read_bytes()
    generate(tiny_llava, dataset_folder, folder)
    assert (folder / "predictions.jsonl").read_bytes() == before


def test_a_run_folder_of_other_settings_is_refused(answered, tiny_llava, tiny_llava_next, dataset_folder):
    folder, _ = answered
    with pytest.raises(ValueError, match="was made with generation .*'max_new_tokens': 8.* give another --output"):
        generate(tiny_llava, dataset_folder, folder, max_new_tokens=9)
    with pytest.raises(ValueError, match="was made with revision"):
        generate(tiny_llava_next, dataset_folder, folder)


def test_image_conditions_add_to_one_run(tiny_llava, dataset_folder, tmp_path):
    for condition in CONDITIONS:
        records = generate(tiny_llava, dataset_folder, tmp_path, image_condition=condition, limit=3)
    assert len(records) == 4 * 2 * 3
    shown = {key: record["image_figure_id"] for key, record in records.items()}
    assert shown["true", "A1/fig0/detail"] == "A1/fig0"
    assert shown["blank", "A1/fig0/detail"] is None
    assert shown["none", "A1/fig0/detail"] is None
    assert shown["shuffled", "A1/fig0/detail"].split("/")[0] != "A1"
    answers = {
        c: [r["prediction"] for (k, _), r in sorted(records.items()) if k == c] for c in ("true", "blank", "none")
    }
    assert answers["true"] != answers["blank"]
    assert answers["true"] != answers["none"]


@given(st.lists(st.integers(0, 8), min_size=2, max_size=40), st.integers(0, 3))
def test_shuffled_pictures_come_from_another_article_and_each_is_used_once(articles, seed):
    ids = [f"A{number}" for number in articles]
    if 2 * max(map(ids.count, ids)) > len(ids):
        with pytest.raises(ValueError, match="more than half"):
            image_donors(ids, seed)
        return
    donors = image_donors(ids, seed)
    assert sorted(donors) == list(range(len(ids)))
    assert all(ids[donor] != ids[i] for i, donor in enumerate(donors))
    assert donors == image_donors(ids, seed)


def test_an_adapter_is_loaded_on_its_base(answered, tiny_llava, dataset_folder, tmp_path):
    adapter, merged = _lora(tiny_llava, tmp_path)
    of_adapter = generate(adapter, dataset_folder, tmp_path / "a")
    of_merged = generate(merged, dataset_folder, tmp_path / "m")
    texts = [
        [records[key]["prediction"] for key in sorted(records)] for records in (of_adapter, of_merged, answered[1])
    ]
    assert texts[0] == texts[1] != texts[2]
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    base = json.loads((answered[0] / "manifest.json").read_text())
    assert manifest["adapter_of"] == {"model": "tiny-llava", "revision": base["revision"]}
    assert manifest["lineage"]["base_model"] == "tiny-llava"


def _lora(base, folder):
    """(adapter with a trained projector, the same weights merged), with large random weights."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText, AutoProcessor

    config = LoraConfig(
        r=4, target_modules=r".*layers\.\d\.self_attn\.[qv]_proj", modules_to_save=["multi_modal_projector"]
    )
    torch.manual_seed(0)
    model = get_peft_model(AutoModelForImageTextToText.from_pretrained(base), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name or "modules_to_save" in name:
                parameter.normal_(std=0.3)
    model.save_pretrained(folder / "adapter")
    (folder / "adapter" / "lineage.json").write_text(
        '{"base_model": "tiny-llava", "base_revision": null, "phases": []}'
    )
    model.merge_and_unload().save_pretrained(folder / "merged")
    AutoProcessor.from_pretrained(base).save_pretrained(folder / "merged")
    return folder / "adapter", folder / "merged"


def test_answers_end_at_the_stop_token(tiny_llava):
    from transformers import AutoProcessor

    from evaluation.answering.answers import Answer
    from evaluation.answering.local import read

    processor = AutoProcessor.from_pretrained(tiny_llava)
    dose, stop, padding = processor.tokenizer.convert_tokens_to_ids(["dose", "</s>", "<pad>"])
    assert read([dose, stop, padding], [stop], processor) == Answer("dose", "stop", 2)
    assert read([dose, dose], [stop], processor) == Answer("dose dose", "length", 2)
    assert read([stop, dose], [stop], processor) == Answer("", "stop", 1)


def test_the_prompt_is_the_one_of_training(tiny_llava, dataset_folder):
    from transformers import AutoProcessor
    from trl.data_utils import prepare_multimodal_messages

    from evaluation.answering.answers import to_messages
    from evaluation.answering.local import render

    processor = AutoProcessor.from_pretrained(tiny_llava)
    row = {"prompt": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "what dose?"}]}
    messages = prepare_multimodal_messages(row["prompt"], images=[object()])
    assert render(to_messages(row["prompt"]), processor) == processor.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True
    )


def test_an_unreadable_picture_stops_nothing(tiny_llava, dataset_folder, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(dataset_folder, broken)
    parquet = broken / "detail" / "test-00000-of-00001.parquet"
    rows = load_dataset("parquet", data_files=str(parquet), split="train")
    stored = [{"bytes": b"\x89PNG\r\n\x1a\nnot a picture", "path": None}]
    rows.map(lambda row, i: {"images": stored} if i == 1 else row, with_indices=True).to_parquet(parquet)
    records = generate(tiny_llava, broken, tmp_path / "run", batch_size=4)
    assert records["true", "A0/fig1/detail"]["prediction"] is None
    assert records["true", "A0/fig1/detail"]["finish_reason"] == "error"
    assert sum(record["prediction"] is not None for record in records.values()) == 15


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tasks": ["detials"]}, ValueError, "no config 'detials', did you mean detail.*pairs.*reasoning"),
        ({"tasks": ["detail", "pairs"]}, UsageError, "config pairs: no questions to ask, its columns lack images, pro"),
        ({"split": "tset"}, UsageError, r"no split 'tset', did you mean test\?; it has test"),
        ({"dataset": "no/such/folder"}, FileNotFoundError, "no such dataset folder"),
        ({"model": "no/such/folder"}, ValueError, "there is no folder no/such/folder"),
        ({"revision": "0" * 40}, ValueError, "is a folder, which has no commits: leave out --revision"),
        ({"dataset_revision": "0" * 40}, ValueError, "leave out --dataset_revision"),
        ({"device": "cuda:99"}, UsageError, "device cuda:99: torch finds . CUDA GPUs"),
    ],
)
def test_wrong_input_is_one_clear_error(options, error, message, tiny_llava, dataset_folder, tmp_path):
    options = {"model": str(tiny_llava), "dataset": str(dataset_folder), "output": str(tmp_path / "run"), **options}
    with pytest.raises(error, match=message):
        run(Options(**options))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--question_column questoin", "no column 'questoin', did you mean question?; it has image, question, answer"),
        ("--question_column image", "the column 'image' holds pictures: name one that holds text"),
        ("--question_column question --split tset", "no split 'tset', did you mean test?; it has test"),
        ("--question_column question --tasks other", ": no config 'other'; it has default"),
        ("--tasks detail", ": no config 'detail', did you mean default?; it has default"),
    ],
)
def test_a_wrong_name_in_a_dataset_of_others_is_wrong_usage(words, message, tmp_path, capsys):
    rows = {"image": [Image.new("RGB", (9, 9))], "question": ["What?"], "answer": ["That."]}
    features = Features({"image": ImageFeature(), "question": Value("string"), "answer": Value("string")})
    Dataset.from_dict(rows, features).to_parquet(tmp_path / "test.parquet")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    given = ["--model", str(tmp_path / "model"), "--dataset", str(tmp_path), "--output", str(tmp_path / "run")]
    assert ldrt.main(["generate", *given, *words.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert message in line
    assert not (tmp_path / "run").exists()


def test_a_model_of_another_kind_is_refused(tiny_llava, dataset_folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny_llava, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config["text_config"], "model_type": "llama"}))
    with pytest.raises(ValueError, match="'llama' model: expected one that answers a picture"):
        generate(other, dataset_folder, tmp_path / "run")


def test_image_conditions_on_the_command_line_are_words(tmp_path):
    (tmp_path / "run.yaml").write_text("image_condition: none\nmodel: m\ndataset: d\noutput: o\n")
    assert ldrt.parse(Options, ["--config", str(tmp_path / "run.yaml")], "x").image_condition == "none"
    for word in ("true", "none"):
        argv = ["--model", "m", "--dataset", "d", "--output", "o", "--image_condition", word]
        assert ldrt.parse(Options, argv, "x").image_condition == word


def test_jsonl_keeps_whole_lines_only(tmp_path):
    path = tmp_path / "records.jsonl"
    append_jsonl(path, [{"a": "é" * 50_000}, {"a": 2}])
    whole = path.read_bytes()
    for torn in (whole[:-2], whole[:-3]):
        path.write_bytes(torn)
        assert len(list(read_jsonl(path))) == 1
        append_jsonl(path, [{"a": 3}])
        assert [len(str(record["a"])) for record in read_jsonl(path)] == [50_000, 1]
    path.write_bytes(whole[:-1])  # whole, but for the line's end that an editor leaves out
    assert len(list(read_jsonl(path))) == 2
    append_jsonl(path, [{"a": 3}])
    assert [len(str(record["a"])) for record in read_jsonl(path)] == [50_000, 1, 1]
    path.write_text('{"a": 1}\nbroken\n{"a": 2}\n')
    with pytest.raises(ValueError, match="line 2: not JSON"):
        list(read_jsonl(path))


def with_words(dataset_folder, folder, word):
    """The dataset with `word` in every question of `detail` and every caption."""
    from datasets import Dataset

    shutil.copytree(dataset_folder, folder)
    path = folder / "detail" / "test-00000-of-00001.parquet"
    rows = Dataset.from_parquet(str(path))
    asked = [[{"role": "user", "content": f"what dose {word} ?"}] for _ in range(len(rows))]
    rows.remove_columns("prompt").add_column("prompt", asked).to_parquet(path)
    path = folder / "pairs" / "test-00000-of-00001.parquet"
    rows = Dataset.from_parquet(str(path))
    rows.remove_columns("caption").add_column("caption", [f"a {word} b"] * len(rows)).to_parquet(path)
    return folder


@pytest.mark.parametrize("word", ["<image>", "</s>", "<pad> <s>"])
@pytest.mark.parametrize("kind", ["tiny_llava", "tiny_llava_next"])
def test_special_tokens_in_questions_and_captions_stop_nothing(kind, word, dataset_folder, tmp_path, request):
    folder = with_words(dataset_folder, tmp_path / "data", word)
    for condition, n in (("true", 8), ("none", 16)):
        options = {"image_condition": condition, "max_new_tokens": 2}
        records = generate(request.getfixturevalue(kind), folder, tmp_path / "run", **options)
        manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
        assert manifest["image_conditions"][condition]["disarmed"] == n
    assert all(record["prediction"] is not None for record in records.values())
    assert records["true", "A1/fig0/detail"]["question"] == f"what dose {word} ?"


def test_a_chat_template_that_never_ends_is_one_clear_line(tiny_llava, dataset_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("trust.templates.CPU_S", 1)
    model = shutil.copytree(tiny_llava, tmp_path / "model")
    bomb = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    (model / "chat_template.jinja").write_text(bomb)
    words = ["--model", str(model), "--dataset", str(dataset_folder), "--output", str(tmp_path / "run")]
    assert ldrt.main(["generate", *words, "--device", "cpu"]) == 1
    *_, said = capsys.readouterr().err.splitlines()
    assert "its chat template has not come to an end" in said
