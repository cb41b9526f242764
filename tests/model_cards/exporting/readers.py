"""Readers of the exported formats, written from their specification, with nothing of the writer's.

LLaVA: https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md (a list of {id, image,
conversations: [{from: human | gpt, value}]}; the trainer opens image_folder/image and wants `<image>` in the first
human turn). ShareGPT: LLaMA-Factory's data/README.md (dataset_info.json names file and columns; `images` holds as many
paths as the turns hold `<image>`; human and gpt alternate). WebDataset: https://github.com/webdataset/webdataset (files
of a tar whose names agree up to the first dot of the last part are one sample, and stand together).
"""

import io
import json
import tarfile
from pathlib import Path

from PIL import Image


def _picture(path: Path) -> tuple:
    with Image.open(path) as image:
        image.load()
        return image.format, image.size, image.convert("RGB").tobytes()


def read_llava(file: Path, image_folder: Path) -> dict[str, dict]:
    """id -> {question, answer, picture}."""
    rows = json.loads(file.read_bytes())
    assert isinstance(rows, list)
    found = {}
    for row in rows:
        human, gpt = row["conversations"]
        assert (human["from"], gpt["from"]) == ("human", "gpt")
        assert human["value"].count("<image>") == 1
        assert "<image>" not in gpt["value"]
        assert row["id"] not in found
        question = human["value"].removeprefix("<image>").removeprefix("\n")
        found[row["id"]] = {
            "question": question,
            "answer": gpt["value"],
            "picture": _picture(image_folder / row["image"]),
        }
    return found


def read_sharegpt(folder: Path, name: str) -> list[dict]:
    """As LLaMA-Factory finds a dataset by its name: {question, answer, pictures}, in order."""
    about = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))[name]
    assert about["formatting"] == "sharegpt"
    found = []
    for row in json.loads((folder / about["file_name"]).read_bytes()):
        turns, paths = row[about["columns"]["messages"]], row[about["columns"]["images"]]
        assert [turn["from"] for turn in turns] == ["human", "gpt"] * (len(turns) // 2)
        assert sum(turn["value"].count("<image>") for turn in turns) == len(paths)
        question, answer = turns[0]["value"].replace("<image>", ""), turns[1]["value"]
        found.append({"question": question, "answer": answer, "pictures": [_picture(folder / path) for path in paths]})
    return found


def read_ranked_sharegpt(folder: Path, name: str) -> list[dict]:
    """As LLaMA-Factory finds a preference dataset by its name: {question, chosen, rejected, pictures}, in order."""
    about = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))[name]
    assert (about["formatting"], about["ranking"]) == ("sharegpt", True)
    found = []
    for row in json.loads((folder / about["file_name"]).read_bytes()):
        (human,), paths = row[about["columns"]["messages"]], row[about["columns"]["images"]]
        answers = {answer: row[about["columns"][answer]] for answer in ("chosen", "rejected")}
        assert [turn["from"] for turn in (human, *answers.values())] == ["human", "gpt", "gpt"]
        assert [turn["value"].count("<image>") for turn in (human, *answers.values())] == [len(paths), 0, 0]
        said = {answer: turn["value"] for answer, turn in answers.items()}
        pictures = [_picture(folder / path) for path in paths]
        found.append({"question": human["value"].replace("<image>", ""), **said, "pictures": pictures})
    return found


def read_webdataset(*tars: Path) -> list[dict]:
    """Samples in order: {"__key__", suffix: bytes}."""
    samples: list[dict] = []
    for path in tars:
        with tarfile.open(path) as tar:
            for member in tar:
                assert member.isreg()
                folder, _, last = member.name.rpartition("/")
                stem, _, suffix = last.partition(".")
                key = f"{folder}/{stem}".lstrip("/")
                if not samples or samples[-1]["__key__"] != key:
                    assert key not in {sample["__key__"] for sample in samples}
                    samples.append({"__key__": key})
                assert suffix not in samples[-1]
                samples[-1][suffix] = tar.extractfile(member).read()
    return samples


def picture_of(sample: dict) -> tuple:
    (suffix,) = {"jpg", "png"} & sample.keys()
    with Image.open(io.BytesIO(sample[suffix])) as image:
        assert image.format == {"jpg": "JPEG", "png": "PNG"}[suffix]
        return image.format, image.size, image.convert("RGB").tobytes()
