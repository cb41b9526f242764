"""A conversation about pictures as other trainers write it: LLaVA's JSON, and ShareGPT's.

LLaVA: https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md
ShareGPT with pictures: https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md, which ms-swift reads, too
(https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html). Both put `<image>` where a picture goes;
further keys are passed over, and say here where a row comes from. Of two answers to choose from ShareGPT's has each
beside the question.
"""

from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any

from model_cards.exporting.rows import PREFERENCE, NotExported, about, messages_of, pictures_of
from trust.pictures.stored import StoredPicture

PLACEHOLDER = "<image>"
_SPEAKERS = {"user": "human", "assistant": "gpt"}

Turn = dict[str, str]  # {"from": who speaks, "value": what is said}
Write = Callable[[list[StoredPicture | None]], list[str]]  # writes pictures, all or none; their paths from the export


def llava(row: Mapping[str, Any], write: Write) -> dict[str, Any]:
    """One item of LLaVA's JSON. Raises `NotExported` for several pictures."""
    turns, pictures = _conversation(row), pictures_of(row)
    if len(pictures) != 1:
        raise NotExported(f"it has {len(pictures)} pictures, and LLaVA's form takes one")
    turns[0]["value"] = f"{PLACEHOLDER}\n{turns[0]['value']}".rstrip()  # LLaVA's own data have the line break
    (image,) = write(pictures)
    return {"id": row["example_id"], "image": image, "conversations": turns, **about(row)}


def sharegpt(row: Mapping[str, Any], write: Write) -> dict[str, Any]:
    """One item of ShareGPT's JSON; of a row of `preference` the question, and the answers `chosen` and `rejected`."""
    answers = {}
    if "chosen" in row:
        turns = _turns(messages_of(row, "prompt"), is_answered=False)
        answers = {column: _one_turn(row, column) for column in ("chosen", "rejected")}
    else:
        turns = _conversation(row)
    images = write(pictures_of(row))
    turns[0]["value"] = PLACEHOLDER * len(images) + turns[0]["value"]
    return {"conversations": turns, **answers, "images": images, **about(row)}


def llama_factory_info(files: list[str]) -> dict[str, Any]:
    """LLaMA-Factory's dataset_info.json: the name by which `--dataset` finds each file, and what is in it."""
    return {name.removesuffix(".json").replace("-", "_"): _info(name) for name in files}


def _info(name: str) -> dict[str, Any]:
    columns = {"messages": "conversations", "images": "images"}
    info: dict[str, Any] = {"file_name": name, "formatting": "sharegpt", "columns": columns}
    if name.startswith(PREFERENCE):
        columns |= {"chosen": "chosen", "rejected": "rejected"}
        info["ranking"] = True
    return info


def _conversation(row: Mapping[str, Any]) -> list[Turn]:
    """Question and answer. Raises `NotExported` for other turns."""
    return _turns([*messages_of(row, "prompt"), *messages_of(row, "completion")], is_answered=True)


def _one_turn(row: Mapping[str, Any], column: str) -> Turn:
    messages = messages_of(row, column)
    if [m["role"] for m in messages] != ["assistant"]:
        raise NotExported(f"its {column} is not one message of an assistant")
    return {"from": "gpt", "value": messages[0]["content"]}


def _turns(messages: list[dict[str, str]], is_answered: bool) -> list[Turn]:
    """[{"from": "human", "value": …}, {"from": "gpt", "value": …}, …], the last one an answer or a question."""
    in_turn = all(m["role"] == role for m, role in zip(messages, cycle(_SPEAKERS), strict=False))
    if (len(messages) % 2 == 0) != is_answered or not in_turn:
        raise NotExported("its turns are not a user's and an assistant's in alternation")
    return [{"from": _SPEAKERS[m["role"]], "value": m["content"]} for m in messages]
