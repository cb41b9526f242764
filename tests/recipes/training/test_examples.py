"""Rows -> batches: labels, pictures, lengths."""

import io

import numpy as np
import pytest
import torch
from datasets import Dataset
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, LlavaImageProcessor
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from dataset_builder.schema import EXAMPLES
from recipes.families.llava import LLAVA
from recipes.project_files import read_template
from recipes.training.conversations import render
from recipes.training.examples import IGNORED, ExampleCollator, load_examples
from recipes.training.scan import Limits, scan_rows
from tests.recipes.conftest import example, picture
from trust.pictures.stored import as_stored, open_stored

PLAIN = "recipes/templates/plain.jinja"
ASPECTS = [(64, 64), (300, 75), (75, 300), (128, 64), (64, 128), (200, 180), (97, 31), (640, 480), (33, 34), (500, 90)]


@pytest.fixture(scope="module")
def processor(base):
    return AutoProcessor.from_pretrained(base)


def rows(task="detail", count=3, **changes):
    return list(as_stored(Dataset.from_list([example(i, task) | changes for i in range(count)], features=EXAMPLES)))


def stored(image: Image.Image, kind: str = "PNG") -> dict:
    file = io.BytesIO()
    image.save(file, kind)
    return {"bytes": file.getvalue(), "path": None}


def trained_texts(batch, tokenizer):
    kept = [row[row != IGNORED] for row in batch["labels"]]
    return [tokenizer.decode(row) for row in kept]


def test_only_the_answer_and_its_end_are_trained(processor):
    examples = rows()
    batch = ExampleCollator(processor, LLAVA)(examples)
    answers = [row["completion"][0]["content"] + "</s>" for row in examples]
    assert trained_texts(batch, processor.tokenizer) == answers
    for labels in batch["labels"]:
        assert labels[labels != IGNORED][-1] == processor.tokenizer.eos_token_id
    assert not (batch["labels"] == processor.image_token_id).any()
    trained = batch["labels"] != IGNORED
    assert (batch["labels"][trained] == batch["input_ids"][trained]).all()
    assert not trained[batch["attention_mask"] == 0].any()


def test_phase_1_trains_the_caption_and_its_line_break(processor):
    examples = rows("align")
    batch = ExampleCollator(processor, LLAVA, read_template(PLAIN))(examples)
    assert trained_texts(batch, processor.tokenizer) == [row["completion"][0]["content"] + "\n" for row in examples]


def test_the_trained_tokens_continue_the_generation_prompt(processor):
    """The boundary: what generation sees and then writes is exactly what was trained, no stray word-start mark."""
    (row,) = rows(count=1)
    batch = ExampleCollator(processor, LLAVA)([row])
    content = [{"type": "image"}, {"type": "text", "text": row["prompt"][0]["content"]}]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    images = [open_stored(image) for image in row["images"]]
    seen = processor(images=images, text=[prompt], add_special_tokens=False, return_tensors="pt")["input_ids"][0]
    first = int((batch["labels"][0] != IGNORED).nonzero()[0])
    assert batch["input_ids"][0][:first].tolist() == seen.tolist()
    assert processor.tokenizer.convert_ids_to_tokens(int(batch["labels"][0][first])).startswith("▁The")


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK", "1", "P", "LA"])
def test_pictures_of_any_mode_become_rgb(processor, mode):
    (row,) = rows(count=1)
    row["images"] = [stored(picture("red", "left", (80, 60), mode), "TIFF" if mode == "CMYK" else "PNG")]
    pixels = ExampleCollator(processor, LLAVA)([row])["pixel_values"]
    assert pixels.shape == (1, 3, 64, 64)
    assert torch.isfinite(pixels).all()


def test_wide_pictures_are_padded_with_clip_mean_not_cropped(processor, tmp_path):
    """LLaVA's `expand2square`, also after the processor has been saved and loaded."""
    wide = Image.new("RGB", (1200, 300), (90, 90, 90))
    wide.paste((250, 0, 0), (0, 0, 150, 300))  # would be lost in a centre crop
    side = max(wide.size)
    square = Image.new("RGB", (side, side), tuple(int(value * 255) for value in OPENAI_CLIP_MEAN))
    square.paste(wide, (0, (side - 300) // 2))
    mean, std = np.array(OPENAI_CLIP_MEAN), np.array(OPENAI_CLIP_STD)
    expected = (np.asarray(square.resize((64, 64), Image.Resampling.BICUBIC)) / 255 - mean) / std
    processor.save_pretrained(tmp_path)
    pixels = AutoProcessor.from_pretrained(tmp_path).image_processor(wide, return_tensors="pt")["pixel_values"][0]
    assert np.abs(pixels.permute(1, 2, 0).numpy() - expected).max() < 0.15  # resampling differs by a few grey levels
    default = LlavaImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    cropped = default(wide, return_tensors="pt")["pixel_values"][0]
    assert cropped[0].max() < 1 < pixels[0].max()  # the red end is there only when padded


@pytest.mark.parametrize("family", ["base", "base_next"])
def test_image_tokens_agree_with_the_model_for_ten_aspect_ratios(family, request):
    folder = request.getfixturevalue(family)
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder)
    examples = []
    for number, size in enumerate(ASPECTS):
        examples.append(example(number, "detail") | {"images": [stored(picture("blue", "right", size))]})
    dataset, report, _ = scan_rows(Dataset.from_list(examples, features=EXAMPLES), ExampleCollator(processor, LLAVA))
    assert report["kept"] == len(ASPECTS)
    lengths = dataset["length"]
    for row, length in zip(dataset.remove_columns("length"), lengths, strict=True):
        batch = ExampleCollator(processor, LLAVA)([row])
        assert batch["input_ids"].shape == (1, length)
        with torch.no_grad():
            assert torch.isfinite(model(**batch).loss)


def test_over_long_rows_are_dropped_and_counted_never_cut(processor):
    long_answer = [{"role": "assistant", "content": "The map shows a red hot spot. " * 40}]
    examples = [example(i, "detail") for i in range(4)]
    examples[2] = examples[2] | {"completion": long_answer}
    dataset, report, _ = scan_rows(
        Dataset.from_list(examples, features=EXAMPLES), ExampleCollator(processor, LLAVA), Limits(120)
    )
    assert report["rows"] == 4
    assert report["kept"] == 3
    assert max(dataset["length"]) <= 120
    assert report["dropped"] == {"longer than max_length 120 tokens": 1}
    assert [row["completion"][0]["content"] for row in dataset] != [long_answer[0]["content"]]


def test_rows_that_cannot_be_trained_are_dropped_with_the_reason(processor):
    broken = {"images": [{"bytes": b"not a picture", "path": None}]}
    empty = {"completion": [{"role": "assistant", "content": " "}]}
    changes = [{}, {"images": []}, broken, empty]
    examples = [example(i, "detail") | change for i, change in enumerate(changes)]
    _, report, odd = scan_rows(Dataset.from_list(examples, features=EXAMPLES), ExampleCollator(processor, LLAVA))
    assert report["kept"] == 1
    assert sorted(kind.split()[0] for kind in report["dropped"]) == ["with", "with", "without"]
    assert [(row["split"], row["example_id"], row["kept"]) for row in odd] == [
        ("train", f"{number}/detail", False) for number in (1, 2, 3)
    ]
    assert odd[1]["kind"] == "with an unreadable picture"
    assert odd[1]["reason"].startswith("not a readable picture")
    with pytest.raises(ValueError, match=r"1 with an unreadable picture \(2/detail: not a readable picture"):
        scan_rows(Dataset.from_list(examples[2:3], features=EXAMPLES), ExampleCollator(processor, LLAVA))
    with pytest.raises(ValueError, match="no row is left to train on: 1 without a picture"):
        scan_rows(Dataset.from_list(examples[1:2], features=EXAMPLES), ExampleCollator(processor, LLAVA))


@pytest.mark.parametrize("family", ["base", "base_next"])
def test_a_text_only_batch_gives_the_loss_and_gradients_of_its_text(family, request):
    """With a blank picture, so that vision tower and projector take part on every process (ZeRO-3, DDP)."""
    folder = request.getfixturevalue(family)
    processor, model = AutoProcessor.from_pretrained(folder), AutoModelForImageTextToText.from_pretrained(folder)
    examples = rows(images=[])
    batch = ExampleCollator(processor, LLAVA)(examples)
    answers = [row["completion"][0]["content"] + "</s>" for row in examples]
    assert trained_texts(batch, processor.tokenizer) == answers
    assert len(batch["pixel_values"]) == 1
    texts = [render(row, processor, None)[0] for row in examples]
    text = processor.tokenizer(texts, padding=True, padding_side="right", add_special_tokens=False, return_tensors="pt")
    text["labels"] = batch["labels"][:, : text["input_ids"].shape[1]]

    with_picture = model(**batch).loss
    with_picture.backward()
    projector = list(model.model.multi_modal_projector.parameters())
    assert [parameter.grad.abs().max() for parameter in projector] == [0, 0, 0, 0]  # there, and zero
    gradients = [parameter.grad.clone() for parameter in model.model.language_model.parameters()]
    model.zero_grad()
    without = model(**text).loss
    without.backward()
    assert with_picture.item() == pytest.approx(without.item(), abs=1e-6)
    for parameter, gradient in zip(model.model.language_model.parameters(), gradients, strict=True):
        assert torch.allclose(parameter.grad, gradient, atol=1e-6)


def test_a_batch_with_one_picture_needs_no_blank_one(processor):
    examples = rows(images=[])[:2] + rows(count=1)
    batch = ExampleCollator(processor, LLAVA)(examples)
    assert len(batch["pixel_values"]) == 1
    assert [(row == processor.image_token_id).sum() for row in batch["input_ids"]] == [0, 0, 16]
    with_picture = ExampleCollator(processor, LLAVA)(rows(count=1))
    assert torch.equal(batch["pixel_values"], with_picture["pixel_values"])


def test_text_only_rows_are_for_phase_2(processor):
    dataset = Dataset.from_list([example(0, "detail"), example(1, "detail") | {"images": []}], features=EXAMPLES)
    kept, report, _ = scan_rows(dataset, ExampleCollator(processor, LLAVA), Limits(keep_text_only=True))
    assert report["kept"] == 2
    assert report["dropped"] == {}
    assert kept["length"][1] == ExampleCollator(processor, LLAVA)([kept[1]])["attention_mask"].sum()
    _, report, _ = scan_rows(dataset, ExampleCollator(processor, LLAVA))
    assert report["dropped"] == {"without a picture (phase 1 trains the projector alone)": 1}


def test_a_folder_is_read_like_a_hub_dataset(dataset):
    instruct, source = load_examples(str(dataset), "instruct", "train", None)
    assert len(instruct) == 64
    assert instruct.column_names == ["images", "prompt", "completion", "example_id"]
    assert source["dataset"] == dataset.name
    assert len(source["dataset_sha256"]) == 64
    tenth, _ = load_examples(str(dataset), "instruct", "train[:10%]", None)
    assert len(tenth) == 6
    assert load_examples(str(dataset), "align", "train", None)[1]["dataset_sha256"] != source["dataset_sha256"]


@pytest.mark.parametrize(
    ("config", "split", "message"),
    [
        ("instruktion", "train", "instruktion"),
        ("align", "training", "training"),
        ("pairs", "train", "no column images"),
    ],
)
def test_an_absent_config_split_or_column_is_named(dataset, config, split, message):
    with pytest.raises(ValueError, match=message):
        load_examples(str(dataset), config, split, None)


def test_rows_stay_as_they_are_in_the_dataset(dataset, processor):
    """The collator must not write into the rows it gets: TRL's does, and a second epoch then sees other rows."""
    (row,) = load_examples(str(dataset), "detail", "test[:1]", None)[0]
    collator = ExampleCollator(processor, LLAVA)
    first, second = collator([row])["input_ids"], collator([row])["input_ids"]
    assert torch.equal(first, second)
    assert row["prompt"][0]["content"] == "What does this figure show?"


@pytest.mark.parametrize(
    "text",
    [
        "The prompt was <image> and a question.",
        "A map </s> and more.",
        "<s><unk><pad> dose",
        "at the end <image></s>",
        "one USER: what? ASSISTANT: two",
    ],
)
@pytest.mark.parametrize("column", ["prompt", "completion"])
def test_special_tokens_in_a_row_are_trained_as_ordinary_text(processor, column, text):
    role = {"prompt": "user", "completion": "assistant"}[column]
    examples = rows(count=2, **{column: [{"role": role, "content": text}]})
    dataset, report, _ = scan_rows(Dataset.from_list(examples, features=EXAMPLES), ExampleCollator(processor, LLAVA))
    assert (report["kept"], report["disarmed"]) == (2, 2)
    batch = ExampleCollator(processor, LLAVA)(examples)
    assert batch["attention_mask"].sum(1).tolist() == dataset["length"]
    for ids, labels in zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
        assert ids.count(processor.image_token_id) == 16  # those of the picture alone
        assert [labels.count(token) for token in processor.tokenizer.all_special_ids if token] == [
            int(token == processor.tokenizer.eos_token_id) for token in processor.tokenizer.all_special_ids if token
        ]
        assert processor.tokenizer.decode(ids).count(" USER:") == 1


def test_rows_without_special_tokens_are_not_counted(processor):
    _, report, _ = scan_rows(Dataset.from_list(rows(), features=EXAMPLES), ExampleCollator(processor, LLAVA))
    assert report["disarmed"] == 0
