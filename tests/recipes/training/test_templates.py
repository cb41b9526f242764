"""The chat templates, token by token against LLaVA's own prompt code written out again."""

import pytest
from transformers import AutoProcessor, LlamaTokenizer

from recipes.project_files import read_template

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
VICUNA, PLAIN = "recipes/templates/vicuna_v1.jinja", "recipes/templates/plain.jinja"


def conv_vicuna_v1(turns: list[tuple[str, str | None]]) -> str:
    """LLaVA's `conv_vicuna_v1.get_prompt()`: separator style TWO, sep " ", sep2 "</s>" (llava/conversation.py)."""
    prompt = SYSTEM + " "
    for question, answer in turns:
        prompt += f"USER: {question} "
        prompt += "ASSISTANT:" if answer is None else f"ASSISTANT: {answer}</s>"
    return prompt


def tokenizer_image_token(prompt: str, tokenizer, image_token_id: int) -> list[int]:
    """LLaVA's function of that name (llava/mm_utils.py): each piece apart, BOS once."""
    chunks = [tokenizer(chunk).input_ids for chunk in prompt.split("<image>")]
    ids = [tokenizer.bos_token_id]
    for i, chunk in enumerate(chunks):
        ids += ([image_token_id] if i else []) + chunk[1:]
    return ids


@pytest.fixture(scope="module")
def processor(base):
    return AutoProcessor.from_pretrained(base)


@pytest.fixture(scope="module")
def original(base):
    """The same vocabulary tokenised as LLaVA's code does: a word-start mark at the head of every piece of text."""
    return LlamaTokenizer.from_pretrained(base, legacy=True)


def messages(turns):
    rows = []
    for i, (question, answer) in enumerate(turns):
        content = [{"type": "image"}] * (i == 0) + [{"type": "text", "text": question}]
        rows.append({"role": "user", "content": content})
        if answer is not None:
            rows.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
    return rows


def our_ids(processor, turns, template=VICUNA, **kwargs):
    text = processor.apply_chat_template(messages(turns), chat_template=read_template(template), **kwargs)
    return processor.tokenizer(text, add_special_tokens=False).input_ids


@pytest.mark.parametrize(
    "turns",
    [
        [("What does this figure show?", "The map shows a red hot spot.")],
        [("What does this figure show?", "A map."), ("Where is it hot?", "On the left side, at 0.5 Gy.")],
        [("Was zeigt das Bild? — µGy", "Zwei Kurven;  steigend.\nUnd fallend.")],
    ],
)
def test_vicuna_v1_is_token_exact(processor, original, turns):
    first, *rest = turns
    expected = conv_vicuna_v1([("<image>\n" + first[0], first[1]), *rest])
    ids = our_ids(processor, turns)
    assert ids == tokenizer_image_token(expected, original, processor.image_token_id)
    assert ids[0] == processor.tokenizer.bos_token_id
    assert ids[-1] == processor.tokenizer.eos_token_id
    assert ids.count(processor.tokenizer.bos_token_id) == 1


def test_the_prompt_for_generation_is_the_beginning_of_the_training_text(processor, original):
    turns = [("What does this figure show?", "The map shows a red hot spot.")]
    prompt = our_ids(processor, [(turns[0][0], None)], add_generation_prompt=True)
    whole = our_ids(processor, turns)
    assert whole[: len(prompt)] == prompt
    assert prompt == tokenizer_image_token(
        conv_vicuna_v1([("<image>\n" + turns[0][0], None)]), original, processor.image_token_id
    )


def test_plain_is_token_exact(processor, original):
    caption = "The map shows a red hot spot on the left side."
    expected = tokenizer_image_token(f"<image>{caption}\n", original, processor.image_token_id)
    assert our_ids(processor, [("", caption)], PLAIN) == expected


def test_a_system_prompt_of_ones_own_replaces_the_default(processor):
    rows = [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "Why?"}]
    text = processor.apply_chat_template(rows, chat_template=read_template(VICUNA), add_generation_prompt=True)
    assert text == "<s> Answer in one word. USER: Why? ASSISTANT:"


def test_an_unknown_role_is_refused(processor):
    rows = [{"role": "tool", "content": "42"}]
    with pytest.raises(Exception, match="roles system"):
        processor.apply_chat_template(rows, chat_template=read_template(VICUNA))
