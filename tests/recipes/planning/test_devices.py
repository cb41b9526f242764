"""GPUs by the names that people give them."""

import pytest

from recipes.planning.devices import GPUS, choose_device


@pytest.mark.parametrize(
    ("name", "known", "taken_for"),
    [
        ("A100", "A100-80G", "A100"),
        ("a100-40gb", "A100-40G", None),
        ("NVIDIA A100 80GB", "A100-80G", None),
        ("v100", "V100-32G", "v100"),
        ("rtx 5090", "RTX5090", None),
        ("mi300x", "MI300X", None),
        ("l4", "L4", None),
        ("L40s", "L40S", None),
        ("b200", "B200", None),
    ],
)
def test_a_gpu_is_found_however_it_is_spelt(name, known, taken_for):
    device = choose_device(name, on_cpu=False, memory_gib=None, tflops=None, link_gb_s=None)
    assert device.name == known
    assert device.taken_for == taken_for
    assert device.memory_gib == GPUS[known].memory_gib


def test_what_is_given_stands_in_place_of_the_table():
    device = choose_device("T4", on_cpu=False, memory_gib=14.5, tflops=20.0, link_gb_s=None)
    assert (device.memory_gib, device.tflops, device.has_bf16) == (14.5, 20.0, False)


@pytest.mark.parametrize("name", ["A10", "H2000", "", "RTX"])
def test_a_gpu_that_is_not_known_is_refused_with_those_that_are(name):
    with pytest.raises(ValueError, match=r"no GPU .* in the table are A40, .*T4: name the nearest"):
        choose_device(name, on_cpu=False, memory_gib=None, tflops=None, link_gb_s=None)
