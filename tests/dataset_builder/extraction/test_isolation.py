"""Isolation of files that hang, crash or eat memory."""

import sys

import pytest

from dataset_builder.extraction.isolation import Limits, read_isolated
from dataset_builder.extraction.records import is_written, read_record
from dataset_builder.extraction.units import Unit
from tests.dataset_builder.extraction import faulty_reader
from tests.dataset_builder.extraction.articles import make_units


def errors_of(units: list[Unit]) -> dict[str, str | None]:
    return {unit.source_file: read_record(unit.record)["error"] for unit in units}


def read_faulty(units: list[Unit], workers: int = 2, timeout_s: float = 300.0) -> None:
    """The default time-out is one that no file reaches on a busy machine, either."""
    read_isolated(iter(units), len(units), faulty_reader.read, Limits(workers, timeout_s, memory_gb=1.0))


def test_a_file_that_hangs_costs_one_record(tmp_path):
    units = make_units(tmp_path, ["fine-1", "sleep-1", "fine-2", "regex-1", "fine-3"])
    read_faulty(units, timeout_s=15)
    errors = errors_of(units)
    assert {name for name, error in errors.items() if error} == {"sleep-1", "regex-1"}
    assert errors["sleep-1"] == errors["regex-1"] == "took longer than 15 s (--timeout_s)"


def test_a_file_that_crashes_costs_one_record(tmp_path):
    bad = ["segfault-1", "abort-1"]
    units = make_units(tmp_path, [name for i in range(2) for name in (f"fine-{i}", f"fine-{i + 2}", bad[i])])
    read_faulty(units)
    errors = errors_of(units)
    assert {name for name, error in errors.items() if error} == set(bad)
    assert "exit code -11" in errors["segfault-1"]
    assert "exit code -6" in errors["abort-1"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_a_file_that_eats_memory_costs_one_record(tmp_path):
    bad = ["python-1", "small-1", "numpy-1", "pillow-1", "opencv-1", "malloc-1"]
    units = make_units(tmp_path, [*bad, "fine-1", "fine-2"])
    read_faulty(units)
    errors = errors_of(units)
    assert errors["fine-1"] is errors["fine-2"] is None
    for name in ("python-1", "small-1", "numpy-1", "pillow-1"):
        assert errors[name] == "needs more memory than --memory_gb allows"
    assert "exit code -11" in errors["malloc-1"]
    assert "Insufficient memory" in errors["opencv-1"]


def test_a_file_whose_record_cannot_be_written_costs_one_record(tmp_path):
    units = make_units(tmp_path, ["surrogate-1", "fine-1"])
    read_faulty(units)
    assert "surrogates not allowed" in errors_of(units)["surrogate-1"]
    assert errors_of(units)["fine-1"] is None


def test_a_stopped_job_blames_no_file(tmp_path):
    units = make_units(tmp_path, ["stopped-1", "fine-1"])
    with pytest.raises(RuntimeError, match="run the same command again"):
        read_faulty(units, workers=1)
    assert not is_written(units[0].record)
