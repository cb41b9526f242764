"""Questions as the model gets them, and its answers: batched, longest first, greedy, appended as they come."""

from dataclasses import dataclass
from pathlib import Path

import torch
from datasets import Dataset
from PIL import Image
from transformers import GenerationConfig, LlavaNextProcessor, PreTrainedModel, ProcessorMixin

from dataset_builder.jsonfiles import append_jsonl, read_jsonl
from dataset_builder.progress import progress
from evaluation.questions import BLANK_COLOUR, image_donors, image_size, open_image, question, reference

CAPTION_ONLY = "Caption of the figure: {caption}\n{question}"  # what image condition `none` asks


@dataclass
class Question:
    """One question as the model gets it; the picture stays in the dataset until its batch is due."""

    row: dict  # of the dataset, without the picture
    text: str  # the rendered prompt
    picture: int | None  # index of the row whose picture is shown; None: no picture
    length: int  # tokens, about


def ask(
    rows: Dataset, processor: ProcessorMixin, condition: str, evidence: dict[str, dict], seed: int
) -> list[Question]:
    """All rows as questions under one image condition, in the dataset's order.

    `evidence` (figure_id -> caption and context) gives the caption for condition `none`. Raises ValueError where the
    condition cannot be made: captions absent, too few articles to shuffle.
    """
    if condition == "none" and not evidence:
        raise ValueError("image condition none needs captions, and the dataset has no config `pairs`")
    pictures = image_donors(rows["article_id"], seed) if condition == "shuffled" else range(len(rows))
    asked = []
    for row, picture in zip(rows.remove_columns("images"), pictures, strict=True):
        if condition == "none":
            picture = None
        caption = None if picture is not None else evidence.get(row["figure_id"], {}).get("caption") or ""
        text = render(row, processor, caption)
        asked.append(Question(row, text, picture, _length(text, rows, picture, processor)))
    return asked


def render(row: dict, processor: ProcessorMixin, caption: str | None = None) -> str:
    """The prompt up to where the answer begins, with the picture before the text of the first user message, where TRL
    puts it in training; with a caption, the caption and no picture."""
    messages = [{"role": m["role"], "content": [{"type": "text", "text": m["content"]}]} for m in row["prompt"]]
    content = next(message["content"] for message in messages if message["role"] == "user")
    if caption is None:
        content.insert(0, {"type": "image"})
    else:
        content[0]["text"] = CAPTION_ONLY.format(caption=caption, question=content[0]["text"])
    return processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def missing(asked: list[Question], path: Path, condition: str) -> list[Question]:
    """The questions that have no answer in `path` yet, longest first: what does not fit in memory fails at once."""
    done = {
        record["example_id"]
        for record in read_jsonl(path)
        if record["image_condition"] == condition and record["prediction"] is not None
    }
    todo = [asked_one for asked_one in asked if asked_one.row["example_id"] not in done]
    return sorted(todo, key=lambda asked_one: (-asked_one.length, asked_one.row["example_id"]))


def answer(
    todo: list[Question],
    rows: Dataset,
    model: PreTrainedModel,
    processor: ProcessorMixin,
    path: Path,
    constants: dict,
    max_new_tokens: int,
    batch_size: int,
) -> int:
    """Answer the questions and append one record each to `path`, batch by batch; returns how many had no picture.

    `constants` goes into every record (model, revision, generation, image_condition). A question whose picture cannot
    be read gets a record with `prediction` None and `error`, and is asked again by the next run.
    """
    n_failed = 0
    with progress(len(todo), "answers", "generate") as bar:
        for start in range(0, len(todo), batch_size):
            batch = todo[start : start + batch_size]
            pictures, errors = _pictures(batch, rows, constants["image_condition"])
            readable = [i for i in range(len(batch)) if errors[i] is None]
            texts, images = [batch[i].text for i in readable], [pictures[i] for i in readable]
            answers = dict(zip(readable, _generate(texts, images, model, processor, max_new_tokens), strict=True))
            append_jsonl(path, [_record(q, rows, answers.get(i), errors[i], constants) for i, q in enumerate(batch)])
            n_failed += len(batch) - len(readable)
            bar.update(len(batch))
    return n_failed


def _pictures(batch: list[Question], rows: Dataset, condition: str) -> tuple[list, list[str | None]]:
    """(picture or None, why it cannot be read or None) of each question."""
    pictures, errors = [], []
    for asked_one in batch:
        picture, error = None, None
        try:
            picture = open_image(rows[asked_one.picture]) if asked_one.picture is not None else None
        except OSError as problem:
            error = str(problem)
        if condition == "blank" and picture is not None:
            picture = Image.new("RGB", picture.size, BLANK_COLOUR)
        pictures.append(picture)
        errors.append(error)
    return pictures, errors


def _generate(
    texts: list[str], images: list, model: PreTrainedModel, processor: ProcessorMixin, max_new_tokens: int
) -> list[tuple[str, str, int]]:
    """(answer, "stop" or "length", number of new tokens) for each prompt; images are all there or all None."""
    if not texts:
        return []
    bos = processor.tokenizer.bos_token
    inputs = processor(
        text=texts,
        images=None if images[0] is None else images,
        padding=True,
        add_special_tokens=not (bos and texts[0].startswith(bos)),  # no second BOS after the template's own
        return_tensors="pt",
    ).to(model.device, model.dtype)
    stops = _stop_tokens(model, processor)
    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        eos_token_id=stops,
        pad_token_id=processor.tokenizer.pad_token_id,
    )
    try:
        with torch.inference_mode():
            output = model.generate(**inputs, generation_config=config)  # (batch, prompt + new tokens)
    except torch.OutOfMemoryError as error:
        raise RuntimeError(
            f"out of GPU memory with {len(texts)} questions at once: lower --batch_size and run again, answers are kept"
        ) from error
    return [_read(tokens, stops, processor) for tokens in output[:, inputs["input_ids"].shape[1] :].tolist()]


def _read(tokens: list[int], stops: list[int], processor: ProcessorMixin) -> tuple[str, str, int]:
    end = next((i for i, token in enumerate(tokens) if token in stops), None)
    text = processor.tokenizer.decode(tokens[:end], skip_special_tokens=True).strip()
    return (text, "length", len(tokens)) if end is None else (text, "stop", end + 1)


def _stop_tokens(model: PreTrainedModel, processor: ProcessorMixin) -> list[int]:
    configured = model.generation_config.eos_token_id
    configured = configured if isinstance(configured, list) else [configured]
    return sorted({token for token in [*configured, processor.tokenizer.eos_token_id] if token is not None})


def _record(
    asked_one: Question, rows: Dataset, answered: tuple[str, str, int] | None, error: str | None, constants: dict
) -> dict:
    row = asked_one.row
    text, finish_reason, new_tokens = answered or (None, "error", 0)
    shown = asked_one.picture if constants["image_condition"] != "blank" else None
    record = {key: row[key] for key in ("example_id", "figure_id", "article_id", "task", "license")}
    record |= {"question": question(row), "reference": reference(row), "prediction": text}
    record |= {"finish_reason": finish_reason, "new_tokens": new_tokens}
    record |= {**constants, "image_figure_id": rows[shown]["figure_id"] if shown is not None else None}
    return record if error is None else {**record, "error": error}


def _length(text: str, rows: Dataset, picture: int | None, processor: ProcessorMixin) -> int:
    """Tokens of the text and, for LLaVA-NeXT, of the picture (LLaVA gives every picture the same number)."""
    n_text = len(processor.tokenizer(text, add_special_tokens=False).input_ids)
    if picture is None or not isinstance(processor, LlavaNextProcessor):
        return n_text
    size = image_size(rows[picture])
    # No public method counts image tokens; vLLM relies on this one.
    return n_text + (processor._get_num_multimodal_tokens(image_sizes=[size]).num_image_tokens[0] if all(size) else 0)
