"""A row's messages: what is wrong with them, and their text with the stretches of it that are trained.

A row is TRL's vision prompt/completion form: `prompt` is what the model sees, `completion` what it shall say. Either
may hold several messages: the assistant's words of the completion are trained, those of the prompt on request.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from transformers import ProcessorMixin
from trl.data_utils import prepare_multimodal_messages

from trust.text import cleaned, cleaner_of

ROLES = ("system", "user", "assistant")
EMPTY_ANSWER, EMPTY_QUESTION, EMPTY_MESSAGE = "with an empty answer", "with an empty question", "with an empty message"


class Rendered(NamedTuple):
    """The text of a row, with one image token a picture, and which of it is trained."""

    text: str
    trained: list[tuple[int, int]]  # (first, end) of each stretch, in characters before the END of the text: (9, 0)


def fault_of_messages(row: Mapping[str, Any], silent_question: bool) -> str | None:
    """Why nothing can be trained on a row's messages, or None; the words go behind "a row …".

    `silent_question`: a picture alone may ask, as in projector alignment.
    """
    prompt, completion = row["prompt"] or [], row["completion"] or []
    for message in (*prompt, *completion):
        if fault := _fault_of_message(message):
            return fault
    if not completion or any(_is_blank(message) for message in completion):
        return EMPTY_ANSWER
    if not prompt:
        return EMPTY_QUESTION
    return _fault_of_turns(prompt, completion) or _fault_of_blanks(row, silent_question)


def _fault_of_message(message: Any) -> str | None:
    if message is None:
        return EMPTY_MESSAGE
    if not isinstance(message, Mapping):
        return "whose prompt or completion is no list of messages with role and content"
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        return f"with a message of another role than {', '.join(ROLES)}"
    if content is None:
        return {"assistant": EMPTY_ANSWER, "user": EMPTY_QUESTION}.get(role, EMPTY_MESSAGE)
    return None if isinstance(content, str) else "with a message that is no text"


def _fault_of_turns(prompt: list[dict], completion: list[dict]) -> str | None:
    """Questions and answers take turns; an answer begins and ends the completion."""
    spoken = [message["role"] for message in (*prompt, *completion)]
    if "system" in spoken[1:]:
        return "with a system prompt that is not the first message"
    turns = spoken[1:] if spoken[0] == "system" else spoken
    expected = [ROLES[1 + number % 2] for number in range(len(turns))]
    if completion[0]["role"] != "assistant" or completion[-1]["role"] != "assistant":
        return "with a completion that does not begin and end with the assistant"
    return None if turns == expected else "with questions and answers that do not take turns"


def _fault_of_blanks(row: Mapping[str, Any], silent_question: bool) -> str | None:
    blank = [number for number, message in enumerate(row["prompt"]) if _is_blank(message)]
    may_be_blank = [0] if silent_question and row["images"] else []
    if not blank or (blank == may_be_blank and row["prompt"][0]["role"] == "user"):
        return None
    return EMPTY_QUESTION if row["prompt"][blank[-1]]["role"] == "user" else EMPTY_MESSAGE


def _is_blank(message: Mapping[str, Any]) -> bool:
    """Whether there is nothing to see: white space, and marks that no reader prints."""
    return not any(letter.isprintable() and not letter.isspace() for letter in message["content"])


def render(row: Mapping[str, Any], processor: ProcessorMixin, template: str | None, earlier: bool = False) -> Rendered:
    """The text of a row's conversation by the chat template (None: the processor's), and what of it is trained.

    What the row's own text has of special tokens is written as ordinary text (`trust/text.py`). `earlier`: answers
    that stand in the prompt are trained, too. Raises ValueError where the template writes the beginning of a
    conversation in another way than the whole one.
    """
    clean = cleaner_of(processor, template).clean
    prompt, completion = cleaned(row["prompt"], clean), cleaned(row["completion"], clean)
    messages = prepare_multimodal_messages(prompt + completion, images=row["images"])
    text = processor.apply_chat_template(messages, chat_template=template, tokenize=False)

    def place(until: int, asks: bool) -> int:
        """Where the first messages end, the words that ask for an answer included; in characters before the end."""
        head = processor.apply_chat_template(
            messages[:until], chat_template=template, tokenize=False, add_generation_prompt=asks
        )
        if not text.startswith(head):
            raise ValueError(f"the chat template renders a prompt its own conversation does not start with: {head!r}")
        return len(text) - len(head)

    answers = [number for number, message in enumerate(messages) if message["role"] == "assistant"]
    wanted = [number for number in answers if earlier or number >= len(prompt)]
    last = len(messages) - 1
    trained = [(place(number, True), 0 if number == last else place(number + 1, False)) for number in wanted]
    return Rendered(text, trained)


def has_special_tokens(row: Mapping[str, Any], processor: ProcessorMixin, template: str | None) -> bool:
    """Whether the row's own text has what this processor, or the template, takes for a special token."""
    clean = cleaner_of(processor, template).clean
    return any(cleaned(row[column], clean) != row[column] for column in ("prompt", "completion"))
