"""A folder of pictures and questions, and no article, is trained on: build -> instruct -> sft."""

import json

import ldrt
from recipes import sft
from tests.dataset_builder.readers.tables.folders import write_table
from tests.recipes.conftest import COLOURS, SIZES, options, picture, tensors

N_PICTURES = 12


def test_pictures_and_questions_are_trained_on(base, tmp_path):
    own, dataset, run = tmp_path / "own", tmp_path / "dataset", tmp_path / "run"
    (own / "img").mkdir(parents=True)
    rows = []
    for i in range(N_PICTURES):
        colour, side = sorted(COLOURS)[i % len(COLOURS)], ("left", "right")[i % 2]
        picture(colour, side, SIZES[i % len(SIZES)]).resize((200 + 20 * i, 160)).save(own / "img" / f"{i}.png")
        asked = {"question": "Where is the hot spot?", "answer": f"A {colour} hot spot is on the {side} side."}
        rows.append({"picture": f"img/{i}.png", "license": "CC0", **asked})
    write_table(own, rows)
    assert ldrt.main(["build", str(own), "--output", str(dataset), "--workers", "1", "--min_sharpness", "0"]) == 0
    assert ldrt.main(["instruct", str(dataset), "--teacher", "given"]) == 0
    assert sft.main(options(2, base, dataset, run, save_strategy="no")) == 0
    lineage = json.loads((run / "lineage.json").read_text(encoding="utf-8"))
    assert lineage["phases"][-1]["settings"]["max_steps"] == 2
    assert any(tensor.norm() > 0 for name, tensor in tensors(run).items() if "lora_B" in name)
