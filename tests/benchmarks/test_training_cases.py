"""The training benchmarks measure what they say, on tiny dimensions."""

import pytest

from tests.benchmarks.bench_training_gpu import cases, measure_all, report
from tests.benchmarks.training_cases import SIZES, Case, make_processor, make_rows, measure
from trust.pictures.stored import open_stored


def test_rows_have_576_image_and_300_text_tokens():
    processor = make_processor(SIZES["13b"])
    row = make_rows(SIZES["13b"], processor)[0]
    picture = open_stored(row["images"][0])
    assert picture.size == (336, 336)
    tokens = processor(
        images=[picture], text="<image>" + row["completion"][0]["content"], add_special_tokens=False
    ).input_ids[0]
    assert tokens.count(processor.image_token_id) == 576
    assert 200 < len(tokens) - 576 < 300


@pytest.mark.parametrize("phase", [1, 2])
@pytest.mark.parametrize("trainer", ["ours", "stock"])
def test_both_trainers_train_and_are_timed(trainer, phase):
    case = Case(trainer, phase, shape="tiny", batch=2, steps=2, checkpointing=phase == 2, device="cpu", workers=0)
    row = measure(case)
    assert row["samples_per_s"] > 0
    assert row["tflop_per_s"] > 0
    assert row["peak_gib"] is None


def test_the_script_for_a_gpu_measures_a_case_in_a_process_of_its_own():
    first = Case("ours", 1, shape="tiny", batch=2, steps=1, device="cpu", workers=0)
    chosen = cases(first, [2], ["ours", "stock"])
    assert [(case.trainer, case.checkpointing, case.dtype) for case in chosen] == [
        ("ours", True, "bfloat16"),
        ("ours", False, "bfloat16"),
        ("stock", True, "float32"),
        ("stock", True, "bfloat16"),
    ]
    (row,) = measure_all(chosen[1:2])
    name = "tiny, phase 2, ours, no checkpointing, sdpa, bfloat16, batch 2"
    assert [what for what, _ in report(row)] == [f"{name}, samples/s", f"{name}, TFLOP/s"]
