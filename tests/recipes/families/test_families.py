"""Every family: what is trained, what is not, what a batch is, and a tiny model of it through the whole chain."""

import io
import json

import pytest
import torch
from datasets import Dataset
from peft import get_peft_model
from PIL import Image
from transformers import AutoModelForImageTextToText
from trl import ModelConfig

from dataset_builder.schema import EXAMPLES
from evaluation import generate
from recipes import merge, sft
from recipes.families.family import Family, Limits
from recipes.families.find import find_family, released_config
from recipes.families.llava import LLAVA
from recipes.planning import dry_run
from recipes.planning.arithmetic import Shape
from recipes.training.examples import IGNORED, ExampleCollator
from recipes.training.model import (
    audit_trainable,
    check_end_of_answer,
    choose_templates,
    load_model,
    load_processor,
)
from recipes.training.options import parse
from recipes.training.trainer import lora_config
from recipes.watching.answers import answer, undisturbed
from recipes.watching.questions import draw
from tests.recipes.conftest import example, moved_share, options, tensors
from tests.recipes.families.conftest import NAMES
from trust.checkpoints import open_checkpoint
from trust.pictures.stored import as_stored

OTHERS = [name for name in NAMES if name not in ("llava", "llava_next", "qwen3_vl")]  # these have tests of their own
# Parameters of the released weights, as their pages on the Hub count them.
RELEASED = {
    "llava-hf/llava-onevision-qwen2-7b-ov-hf": 8_030_348_832,
    "OpenGVLab/InternVL3-8B-hf": 7_944_373_760,
    "Qwen/Qwen2.5-VL-7B-Instruct": 8_292_166_656,
    "Qwen/Qwen3-VL-8B-Instruct": 8_767_123_696,
    "HuggingFaceTB/SmolVLM-256M-Instruct": 256_484_928,
    "HuggingFaceTB/SmolVLM-500M-Instruct": 507_482_304,
    "google/medgemma-4b-it": 4_300_079_472,
}


def family_of(name: str) -> Family:
    return find_family(name, name)


NO_LIMITS = Limits()


def processor_of(folder, limits: Limits = NO_LIMITS):
    start = open_checkpoint(str(folder))
    config = AutoModelForImageTextToText.from_pretrained(folder).config
    return load_processor(start, config, None, limits)


def rows(count: int, **changes) -> list[dict]:
    examples = [example(number, "detail") | changes for number in range(count)]
    return list(as_stored(Dataset.from_list(examples, features=EXAMPLES)))


def png(width: int, height: int) -> dict:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 199)).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


@pytest.mark.parametrize("name", RELEASED)
def test_known_shapes_have_as_many_parameters_as_the_released_weights(name):
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(released_config(name))
    assert model.num_parameters() == RELEASED[name]


@pytest.mark.parametrize("name", NAMES)
def test_phase_2_trains_the_projector_and_the_language_models_linears_alone(bases, name):
    family = family_of(name)
    model = load_model(open_checkpoint(str(bases(name))), ModelConfig(), family, "lora")
    layers = model.config.text_config.num_hidden_layers
    adapted = get_peft_model(model, lora_config(ModelConfig(lora_r=2), family, model.config))
    names = [tensor["name"] for tensor in audit_trainable(adapted, family, "lora")["tensors"]]
    assert sum("lora_A" in tensor for tensor in names) == 7 * layers  # q k v o gate up down
    assert all(f".{family.language_model}.layers." in tensor for tensor in names if "lora_" in tensor)
    beside = {tensor.split("modules_to_save")[0] for tensor in names if "lora_" not in tensor}
    assert all(any(f".{path}." in start for path in family.projector) for start in beside)
    originals = [n for n, _ in adapted.named_parameters() if family.is_projector(n) and "original_module" in n]
    assert len(originals) == len(names) - 14 * layers  # every tensor of the projector has its trained copy


@pytest.mark.parametrize("name", NAMES)
def test_the_tower_keeps_no_graph_and_the_projector_does(bases, name):
    family, folder = family_of(name), bases(name)
    model = load_model(open_checkpoint(str(folder)), ModelConfig(), family, "projector").train()
    model.gradient_checkpointing_enable()
    model.enable_input_require_grads()
    batch = ExampleCollator(processor_of(folder), family)(rows(2))
    model(**batch).loss.backward()
    with_gradient = {n for n, parameter in model.named_parameters() if parameter.grad is not None}
    assert with_gradient == {n for n, _ in model.named_parameters() if family.is_projector(n)}
    audit_trainable(model, family, "projector")


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_and_its_end_are_trained_in_rows_of_any_pictures(bases, name):
    """Rows with one picture, with two of other shapes, and with none, in one batch."""
    family, processor = family_of(name), processor_of(bases(name))
    mixed = rows(3)
    mixed[1]["images"] = as_stored(Dataset.from_list([example(1, "detail") | {"images": [png(90, 40), png(33, 120)]}]))[
        0
    ]["images"]
    mixed[2]["images"] = []
    batch = ExampleCollator(processor, family)(mixed)
    for row, labels in zip(mixed, batch["labels"], strict=True):
        text = processor.tokenizer.decode(labels[labels != IGNORED])
        assert text.strip().startswith(row["completion"][0]["content"])
        assert processor.tokenizer.eos_token in text
    model = AutoModelForImageTextToText.from_pretrained(bases(name))
    assert torch.isfinite(model(**batch).loss)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_without_pictures_has_the_loss_of_its_text(bases, name):
    """A blank picture takes part so that no process waits for another; no trained token sees it."""
    family, processor = family_of(name), processor_of(bases(name))
    model = AutoModelForImageTextToText.from_pretrained(bases(name)).eval()
    texts = rows(2, images=[])
    loss = model(**ExampleCollator(processor, family)(texts)).loss
    conversations = [row["prompt"] + row["completion"] for row in texts]
    written = [processor.apply_chat_template(c, tokenize=False) for c in conversations]
    plain = processor.tokenizer(
        written, padding=True, padding_side="right", add_special_tokens=False, return_tensors="pt"
    )
    labels = ExampleCollator(processor, family)(texts)["labels"][:, : plain["input_ids"].shape[1]]
    inputs = {key: plain[key] for key in ("input_ids", "attention_mask")}
    if name == "gemma3":
        inputs["token_type_ids"] = torch.zeros_like(inputs["input_ids"])
    assert torch.allclose(loss, model(**inputs, labels=labels).loss, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_picture_of_a_plan_is_what_the_processor_makes_of_a_large_one(bases, name):
    """By the limits that the tiny checkpoint is loaded with: no picture has more image tokens than the plan says."""
    limits = {"qwen2_5_vl": Limits(max_image_tokens=16), "qwen3_vl": Limits(max_image_tokens=16)}.get(
        name, Limits() if name in ("llava", "gemma3") else Limits(max_grid_tiles=4)
    )
    family, folder = family_of(name), bases(name)
    start = open_checkpoint(str(folder))
    config = AutoModelForImageTextToText.from_pretrained(folder).config
    processor = load_processor(start, config, None, limits)
    most = 0
    for width, height in ((700, 700), (700, 350), (200, 700)):
        (row,) = rows(1)
        row["images"] = as_stored(Dataset.from_list([example(0, "detail") | {"images": [png(width, height)]}]))[0][
            "images"
        ]
        ids = ExampleCollator(processor, family)([row])["input_ids"][0]
        image_token = getattr(config, "image_token_id", None) or config.image_token_index
        most = max(most, int((ids == image_token).sum()))
    work = family.picture_work(config, limits)
    assert 0.5 * work.image_tokens <= most <= 1.15 * work.image_tokens  # line breaks between the tiles' rows beside it
    assert work.tower_tokens_in_all >= work.image_tokens


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("llava", Limits(max_image_tokens=99)),
        ("qwen3_vl", Limits(max_grid_tiles=4)),
        ("gemma3", Limits(max_grid_tiles=4)),
        ("internvl", Limits(max_image_tokens=99)),
    ],
)
def test_a_limit_that_the_family_cannot_keep_is_refused(bases, name, limits):
    with pytest.raises(ValueError, match="this family of models .*; leave it out"):
        processor_of(bases(name), limits)


def test_a_template_that_ends_no_answer_is_refused(bases):
    """As those of the llava-hf checkpoints: a model tuned with it never learns to stop."""
    processor = processor_of(bases("qwen3_vl"))
    check_end_of_answer(processor, {"<|im_end|>"}, "some/model")
    processor.chat_template = processor.chat_template.replace("{{- '<|im_end|>\\n' -}}", "{{- '\\n' -}}")
    with pytest.raises(ValueError, match=r"some/model: its chat template does not end an answer with <\|im_end\|>"):
        check_end_of_answer(processor, {"<|im_end|>"}, "some/model")
    processor.chat_template = None
    with pytest.raises(ValueError, match="has no chat template: give chat_template_path"):
        check_end_of_answer(processor, {"<|im_end|>"}, "some/model")


def test_llava_gets_its_templates_where_the_recipe_names_none(bases):
    recipe, args, _ = parse(options(1, bases("llava"), "dataset", "output"))
    choose_templates(recipe, args, LLAVA)
    assert args.chat_template_path == "recipes/templates/vicuna_v1.jinja"
    assert recipe.train_template_path == "recipes/templates/plain.jinja"
    recipe, args, _ = parse(options(2, bases("llava"), "dataset", "output"))
    choose_templates(recipe, args, LLAVA)
    assert recipe.train_template_path is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("most_parameters", [0, 1e9])
def test_the_plans_cut_model_computes(bases, monkeypatch, name, most_parameters):
    """Two layers a tower, with tiny and with true widths: the numbers of the configuration fit together."""
    monkeypatch.setattr(dry_run, "CPU_PARAMETERS", most_parameters)
    family, folder = family_of(name), bases(name)
    whole = AutoModelForImageTextToText.from_pretrained(folder).config
    config, widths = dry_run.cut_config(Shape(family, whole, "projector", adapter=None))
    assert widths == ("true" if most_parameters else "tiny")
    assert config.text_config.num_hidden_layers == getattr(config.vision_config, family.vision_layers) == 2
    model = AutoModelForImageTextToText.from_config(config)
    batch = ExampleCollator(processor_of(folder), family)(rows(1))
    assert torch.isfinite(model(**batch).loss)


@pytest.mark.parametrize("name", NAMES)
def test_answers_while_training_are_the_same_alone_and_in_a_batch(bases, name):
    """Questions and pictures of other lengths pad each other on the left: an answer must not notice."""
    family, processor = family_of(name), processor_of(bases(name))
    mixed = as_stored(Dataset.from_list([example(n, "detail" if n % 2 else "reasoning") for n in range(4)]))
    watched = draw(mixed, 4, ExampleCollator(processor, family))
    model = AutoModelForImageTextToText.from_pretrained(bases(name)).eval()
    with undisturbed(model):
        together, alone = (answer(model, processor, watched, size, step=1) for size in (8, 1))
    assert together == alone
    assert any(sample["answer"] for sample in together)


def run_chain(base, dataset, folder) -> None:
    """Both phases, merge and answers, as a user runs them."""
    first, second, merged = folder / "phase1", folder / "phase2", folder / "merged"
    changes = {"max_steps": 2, "save_strategy": "steps", "save_steps": 1}
    assert sft.main(options(1, base, dataset, first, **changes)) == 0
    before, after = tensors(base), tensors(first)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert sft.main(options(2, first, dataset, second, **changes)) == 0
    merge.run(merge.Options(adapter=str(second), output=str(merged)))
    check = json.loads((merged / "merge.json").read_text())
    assert check["error_std"] < 1e-5 < check["change_std"]
    whole = tensors(merged)
    assert set(whole) == set(before)  # the names that the family's own repositories have
    generate.run(
        generate.Options(
            model=str(merged), dataset=str(dataset), output=str(folder / "run"), max_new_tokens=4, batch_size=2
        )
    )
    answers = [json.loads(line) for line in (folder / "run" / "predictions.jsonl").read_text().splitlines()]
    assert len(answers) == 8
    assert not any(answer.get("error") for answer in answers)
    projector = [name for name in before if family_of(base.name).is_projector(name)]
    assert any(moved_share(before[name], whole[name]) > 0.9 for name in projector)


def test_a_tiny_model_goes_through_the_chain(bases, dataset, tmp_path):
    run_chain(bases("qwen3_vl"), dataset, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_a_tiny_model_of_every_family_goes_through_the_chain(bases, dataset, tmp_path, name):
    run_chain(bases(name), dataset, tmp_path)
