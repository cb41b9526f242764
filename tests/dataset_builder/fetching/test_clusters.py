"""The same articles through SLURM and Ray, which share the list and one rate."""

import os

import pytest

from dataset_builder.fetching.task import Addresses, Fetching
from tests.dataset_builder.extraction.test_executors import SLURM
from tests.dataset_builder.fetching.conftest import contents, fetch


def test_slurm_fetches_the_same(server, domain, tmp_path, monkeypatch, capsys):
    fetch(server, "--domain", domain, "--output", tmp_path / "here")
    monkeypatch.setenv("PATH", f"{SLURM}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    cluster = ("--executor", "slurm", "--tasks", "2", "--partition", "cpu", "--sbatch_args.account", "me")
    assert fetch(server, "--domain", "domain.yaml", "--output", "articles", *cluster) == 0
    assert "job 101 fetches in 2 tasks at 2000 requests a second together" in capsys.readouterr().out
    assert not (tmp_path / "failed").exists(), (tmp_path / "failed").read_text()
    assert "#SBATCH --account=me\n" in (tmp_path / "101.sh").read_text()
    assert contents(tmp_path / "articles") == contents(tmp_path / "here")


@pytest.mark.slow
def test_ray_fetches_the_same(server, domain, tmp_path):
    pytest.importorskip("ray")
    fetch(server, "--domain", domain, "--output", tmp_path / "here")
    assert (
        fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--executor", "ray", "--tasks", "2") == 0
    )
    assert contents(tmp_path / "articles") == contents(tmp_path / "here")


def test_tasks_share_the_rates():
    addresses = Addresses("http://bucket", "http://europepmc", "http://ncbi", "http://converter")
    task = Fetching(None, None, None, "europepmc", "me", False, False, False, 0, 16, 20.0, 1, 6, addresses, None)  # type: ignore[arg-type]
    assert task.manners(4).rates["bucket"] == 5
    assert task.manners(4).rates["europepmc"] * 4 == task.manners(1).rates["europepmc"]
