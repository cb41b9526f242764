"""What a model in training answers: greedy, in batches, and nothing of the training is changed by it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from transformers import GenerationConfig, PreTrainedModel, ProcessorMixin
from typing_extensions import TypedDict

from evaluation.answering.checkpoints import stop_tokens
from evaluation.metrics.length_ratio.length_ratio_core import length_ratio
from evaluation.metrics.rouge.rouge_core import rouge
from recipes.training.processes import of_each, place
from recipes.watching.questions import Watched

MOST_NEW_TOKENS = 256  # of an answer: an evaluation must not take longer than the training between two of them
LONGER = 2  # times the longest reference, at most, where that is less


class Sample(TypedDict):
    """A question with what was answered at one step: a line of samples.jsonl. Scores are between 0 and 1."""

    step: int
    example_id: str
    question: str
    reference: str
    answer: str
    rougeL: float
    length_ratio: float | None  # words of the answer to words of the reference; None for a reference without words
    shuffled_from: str | None  # example_id of the picture that was shown instead
    answer_shuffled: str | None
    rougeL_shuffled: float | None


@contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Inside, the model is in evaluation; afterwards it and all sources of random numbers are as they were."""
    modes = [(module, module.training) for module in model.modules()]
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    of_python, of_numpy = random.getstate(), np.random.get_state()  # Trainer draws from these
    try:
        with torch.random.fork_rng(devices), torch.no_grad():
            model.eval()
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
        for module, training in modes:
            module.training = training


def answer(
    model: PreTrainedModel, processor: ProcessorMixin, watched: list[Watched], batch_size: int, step: int
) -> list[Sample]:
    """The answers of all questions, on every process; each answers its share, and all of them take part to the end.

    `batch_size` questions at once. ZeRO-3 and FSDP gather weights for each token, which needs every process: one that
    has no question left answers its first one again.
    """
    rank, processes = place()
    shows = [(number, False) for number in range(len(watched))]
    shows += [(number, True) for number, question in enumerate(watched) if question.others is not None]
    own = shows[rank::processes] or shows[:1]
    most_batches = -(-len(shows[::processes]) // batch_size)
    most_tokens = _most_tokens(watched, processor)
    answered: dict[tuple[int, bool], str] = {}
    for first in range(0, most_batches * batch_size, batch_size):
        batch = own[first : first + batch_size] or own[:1]
        asked = [(watched[number], shuffled) for number, shuffled in batch]
        answered |= dict(zip(batch, _generate(model, processor, asked, most_tokens), strict=True))
    told = {show: text for part in of_each(answered) for show, text in part.items()}
    return [
        _sample(question, step, told[number, False], told.get((number, True)))
        for number, question in enumerate(watched)
    ]


def _most_tokens(watched: list[Watched], processor: ProcessorMixin) -> int:
    longest = max(len(processor.tokenizer(question.reference).input_ids) for question in watched)
    return min(MOST_NEW_TOKENS, LONGER * longest)


def _generate(
    model: PreTrainedModel, processor: ProcessorMixin, asked: list[tuple[Watched, bool]], most_tokens: int
) -> list[str]:
    """Answers of one batch; `asked`: each question, and whether it gets another one's picture."""
    batch = processor(
        images=[(question.others or []) if shuffled else question.pictures for question, shuffled in asked],
        text=[question.prompt for question, _ in asked],
        text_kwargs={"padding": True, "padding_side": "left", "add_special_tokens": False},  # the template writes them
        return_tensors="pt",
    )
    stops = stop_tokens(model, processor)
    config = GenerationConfig(
        max_new_tokens=most_tokens,
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        use_cache=True,
        eos_token_id=stops,
        pad_token_id=processor.tokenizer.pad_token_id,
    )
    together = torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1
    output = model.generate(  # (batch, prompt + new tokens)
        **batch.to(model.device, model.dtype), generation_config=config, synced_gpus=together
    )
    new = output[:, batch["input_ids"].shape[1] :].tolist()
    return [_read(tokens, stops, processor, question) for tokens, (question, _) in zip(new, asked, strict=True)]


def _read(tokens: list[int], stops: list[int], processor: ProcessorMixin, question: Watched) -> str:
    """Up to the first stop token, or to the words that the template ends answers with (a line break in phase 1)."""
    end = next((place for place, token in enumerate(tokens) if token in stops), None)
    text = processor.tokenizer.decode(tokens[:end], skip_special_tokens=True)
    if question.ending:
        text = text.lstrip().partition(question.ending)[0]
    return text.strip()


# --- scores


def _sample(question: Watched, step: int, text: str, shuffled: str | None) -> Sample:
    return {
        "step": step,
        "example_id": question.name,
        "question": question.question,
        "reference": question.reference,
        "answer": text,
        "rougeL": _rouge_l(text, question.reference),
        "length_ratio": length_ratio(text, question.reference),
        "shuffled_from": question.others_of,
        "answer_shuffled": shuffled,
        "rougeL_shuffled": None if shuffled is None else _rouge_l(shuffled, question.reference),
    }


def _rouge_l(text: str, reference: str) -> float:
    return rouge(text, reference)["rougeL"].fmeasure


def scores(samples: list[Sample]) -> dict[str, float]:
    """Means over the questions, by the names they are logged by; a mean of nothing is left out.

    `eval_answer_picture_gap` is ROUGE-L with the true picture less that with another one's, over the questions that
    got both: near 0 where the model answers without looking.
    """
    gaps = [sample["rougeL"] - sample["rougeL_shuffled"] for sample in samples if sample["rougeL_shuffled"] is not None]
    ratios = [sample["length_ratio"] for sample in samples if sample["length_ratio"] is not None]
    values = {
        "eval_answer_rougeL": [sample["rougeL"] for sample in samples],
        "eval_answer_length_ratio": ratios,
        "eval_answer_picture_gap": gaps,
    }
    return {name: round(sum(of) / len(of), 4) for name, of in values.items() if of}
