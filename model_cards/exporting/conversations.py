"""A conversation about pictures as other trainers write it: LLaVA's JSON, and ShareGPT's.

LLaVA: https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md
ShareGPT with pictures: https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md, which ms-swift reads, too
(https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html). Both put `<image>` where a picture goes;
further keys are passed over, and say here where a row comes from.
"""

from collections.abc import Mapping
from itertools import cycle
from typing import Any

from model_cards.exporting.rows import about, messages_of

PLACEHOLDER = "<image>"
_SPEAKERS = {"user": "human", "assistant": "gpt"}


class NotExported(ValueError):
    """A row that the format cannot hold, and why."""


def llava(row: Mapping[str, Any], images: list[str]) -> dict[str, Any]:
    """One item of LLaVA's JSON; `images` are paths from its folder. Raises `NotExported` for several pictures."""
    if len(images) != 1:
        raise NotExported(f"it has {len(images)} pictures, and LLaVA's form takes one")
    turns = _turns(row)
    turns[0]["value"] = f"{PLACEHOLDER}\n{turns[0]['value']}".rstrip()  # LLaVA's own data have the line break
    return {"id": row["example_id"], "image": images[0], "conversations": turns, **about(row)}


def sharegpt(row: Mapping[str, Any], images: list[str]) -> dict[str, Any]:
    """One item of ShareGPT's JSON; `images` are paths from its folder."""
    turns = _turns(row)
    turns[0]["value"] = PLACEHOLDER * len(images) + turns[0]["value"]
    return {"conversations": turns, "images": images, **about(row)}


def llama_factory_info(files: list[str]) -> dict[str, Any]:
    """LLaMA-Factory's dataset_info.json: the name by which `--dataset` finds each file, and what is in it."""
    columns = {"messages": "conversations", "images": "images"}
    return {
        name.removesuffix(".json").replace("-", "_"): {
            "file_name": name,
            "formatting": "sharegpt",
            "columns": columns,
        }
        for name in files
    }


def _turns(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """[{"from": "human", "value": …}, {"from": "gpt", "value": …}, …]. Raises `NotExported` for other turns."""
    messages = messages_of(row)
    in_turn = all(m["role"] == role for m, role in zip(messages, cycle(_SPEAKERS), strict=False))
    if not messages or len(messages) % 2 or not in_turn:
        raise NotExported("its turns are not a user's and an assistant's in alternation")
    return [{"from": _SPEAKERS[m["role"]], "value": m["content"]} for m in messages]
