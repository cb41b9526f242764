"""Messages of a row: what is no conversation, and which words of one are trained."""

import pytest
from datasets import Dataset
from transformers import AutoProcessor

from dataset_builder.schema import EXAMPLES
from recipes.families.llava import LLAVA
from recipes.project_files import read_template
from recipes.training.conversations import fault_of_messages, render
from recipes.training.examples import IGNORED, ExampleCollator
from tests.recipes.conftest import example
from trust.pictures.stored import as_stored

PLAIN = "recipes/templates/plain.jinja"


@pytest.fixture(scope="module")
def processor(base):
    return AutoProcessor.from_pretrained(base)


def messages(*turns):
    """ "user: what?" -> {"role": "user", "content": "what?"}; "user" alone has the content None."""
    parts = [turn.partition(": ") for turn in turns]
    return [{"role": role, "content": content if colon else None} for role, colon, content in parts]


def row(prompt, completion, **changes):
    changes = {"prompt": messages(*prompt), "completion": messages(*completion), **changes}
    return as_stored(Dataset.from_list([example(0, "detail") | changes], features=EXAMPLES))[0]


ASKED, ANSWERED = ["user: What is it?"], ["assistant: A map."]
ANOTHER_ROLE = "with a message of another role than system, user, assistant"
FAULTS = [
    (ASKED, ["assistant"], "with an empty answer"),
    (ASKED, ["assistant: "], "with an empty answer"),
    (ASKED, ["assistant:  \n\t\u3000\u200b\x00"], "with an empty answer"),
    (ASKED, [], "with an empty answer"),
    (ASKED, ["assistant: A map.", "user: And?", "assistant: "], "with an empty answer"),
    ([*ASKED, "assistant", "user: And?"], ANSWERED, "with an empty answer"),
    ([], ANSWERED, "with an empty question"),
    (["user"], ANSWERED, "with an empty question"),
    (["user:  "], ANSWERED, "with an empty question"),
    ([*ASKED, "assistant: A map.", "user: "], ANSWERED, "with an empty question"),
    (["system", *ASKED], ANSWERED, "with an empty message"),
    (["system:  ", *ASKED], ANSWERED, "with an empty message"),
    (["tool: x"], ANSWERED, ANOTHER_ROLE),
    (ASKED, ["gpt: A map."], ANOTHER_ROLE),
    (["human: What is it?"], ANSWERED, ANOTHER_ROLE),
    ([*ASKED, "Assistant: A map.", "user: And?"], ANSWERED, ANOTHER_ROLE),
    (["developer: Be brief.", *ASKED], ANSWERED, ANOTHER_ROLE),
    (ASKED, ["user: A map."], "with a completion that does not begin and end with the assistant"),
    (ASKED, ["assistant: A map.", "user: And?"], "with a completion that does not begin and end with the assistant"),
    (ASKED, ["system: Be brief.", *ANSWERED], "with a system prompt that is not the first message"),
    ([*ASKED, "system: Be brief."], ANSWERED, "with a system prompt that is not the first message"),
    (["assistant: Hello."], ANSWERED, "with questions and answers that do not take turns"),
    (["system: Be brief."], ANSWERED, "with questions and answers that do not take turns"),
    ([*ASKED, "user: Please."], ANSWERED, "with questions and answers that do not take turns"),
    (ASKED, [*ANSWERED, *ANSWERED], "with questions and answers that do not take turns"),
]


@pytest.mark.parametrize(("prompt", "completion", "fault"), FAULTS)
def test_what_is_no_conversation_is_named(prompt, completion, fault):
    assert fault_of_messages(row(prompt, completion), silent_question=False) == fault


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        (ASKED, ANSWERED),
        (["system: Be brief.", *ASKED], ANSWERED),
        ([*ASKED, *ANSWERED, "user: And?"], ANSWERED),
        (ASKED, [*ANSWERED, "user: And?", "assistant: No."]),
        (["user: ?"], ["assistant: -"]),
        (ASKED, ["assistant: 日本語 µGy 🩻"]),
    ],
)
def test_conversations_pass(prompt, completion):
    assert fault_of_messages(row(prompt, completion), silent_question=False) is None


def test_lists_that_are_null_are_empty():
    whole = row(ASKED, ANSWERED)
    assert fault_of_messages(whole | {"prompt": None}, False) == "with an empty question"
    assert fault_of_messages(whole | {"completion": None}, False) == "with an empty answer"
    assert fault_of_messages(whole | {"completion": [None]}, False) == "with an empty message"
    no_list = "whose prompt or completion is no list of messages with role and content"
    assert fault_of_messages(whole | {"prompt": "What is it?"}, False) == no_list  # TRL's form for plain text
    assert fault_of_messages(whole | {"completion": ["A map."]}, False) == no_list
    assert fault_of_messages(whole | {"completion": [{"content": "A map."}]}, False) == ANOTHER_ROLE
    parts = [{"role": "user", "content": [{"type": "text", "text": "a"}]}]
    assert fault_of_messages(whole | {"prompt": parts}, False) == "with a message that is no text"


def test_a_picture_alone_may_ask_for_its_caption_where_the_phase_says_so():
    silent = row(["user: "], ANSWERED)
    assert fault_of_messages(silent, silent_question=True) is None
    assert fault_of_messages(silent, silent_question=False) == "with an empty question"
    assert fault_of_messages(silent | {"images": []}, silent_question=True) == "with an empty question"
    later = row([*ASKED, *ANSWERED, "user: "], ANSWERED)
    assert fault_of_messages(later, silent_question=True) == "with an empty question"


# --- what is trained


def trained(processor, a_row, template=None, earlier=False) -> list[str]:
    """The stretches of the row's tokens that are trained, as text."""
    batch = ExampleCollator(processor, LLAVA, template, earlier)([a_row])
    stretches, open_ = [], False
    for label in batch["labels"][0].tolist():
        if label != IGNORED:
            stretches = stretches if open_ else [*stretches, []]
            stretches[-1].append(label)
        open_ = label != IGNORED
    return [processor.tokenizer.decode(ids) for ids in stretches]


TALK = [*ASKED, "assistant: A dose map.", "user: Where is it red?"]


def test_of_several_messages_the_assistants_words_are_trained(processor):
    a_row = row(ASKED, ["assistant: A dose map.", "user: Where is it red?", "assistant: On the left side."])
    assert trained(processor, a_row) == ["A dose map.</s>", "On the left side.</s>"]


def test_earlier_answers_are_trained_on_request(processor):
    a_row = row(["system: Be brief.", *TALK], ["assistant: On the left side."])
    assert trained(processor, a_row) == ["On the left side.</s>"]
    assert trained(processor, a_row, earlier=True) == ["A dose map.</s>", "On the left side.</s>"]


@pytest.mark.parametrize("images", [0, 1, 3])
def test_pictures_before_the_answers_do_not_move_what_is_trained(processor, images):
    (picture,) = row(ASKED, ANSWERED)["images"]
    a_row = row(TALK, ["assistant: On the left side.", "user: Why?", "assistant: The dose is high."])
    a_row["images"] = [picture] * images
    expected = ["A dose map.</s>", "On the left side.</s>", "The dose is high.</s>"]
    assert trained(processor, a_row, earlier=True) == expected
    assert trained(processor, a_row) == expected[1:]


def test_rows_of_one_batch_keep_their_own_stretches(processor):
    rows = [row(TALK, ["assistant: On the left side."]), row(ASKED, ["assistant: A."])]
    batch = ExampleCollator(processor, LLAVA, None, True)(rows)
    for number, a_row in enumerate(rows):
        alone = ExampleCollator(processor, LLAVA, None, True)([a_row])
        length = alone["labels"].shape[1]
        assert batch["labels"][number, :length].tolist() == alone["labels"][0].tolist()
        assert set(batch["labels"][number, length:].tolist()) <= {IGNORED}


def test_the_template_of_alignment_trains_captions_of_several_turns(processor):
    a_row = row(["user: "], ["assistant: A dose map.", "user: And", "assistant: A knee."])
    assert trained(processor, a_row, read_template(PLAIN)) == ["A dose map.\n", "A knee.\n"]


def test_a_template_that_rewrites_the_beginning_is_refused(processor):
    """As templates do that leave out the thoughts of earlier turns: labels by place would be wrong."""
    template = "{% for m in messages %}{{ loop.length }}{{ m.role }}{{ m.content }}{% endfor %}"
    with pytest.raises(ValueError, match="does not start with"):
        render(row(ASKED, ANSWERED, images=[]), processor, template)
