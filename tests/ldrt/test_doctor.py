"""What `ldrt doctor` says: of this machine, and of pretended ones by programs that answer as theirs do."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ldrt
from ldrt import machine

SMI = """#!/bin/sh
case "$*" in
*query*) echo "NVIDIA H100 80GB HBM3, 81559 MiB, 570.86" ; echo "NVIDIA H100 80GB HBM3, 81559 MiB, 570.86" ;;
*) echo "| NVIDIA-SMI 570.86   Driver Version: 570.86   CUDA Version: CUDA_HERE |" ;;
esac
"""


def doctor(*words: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ldrt", "doctor", *words]
    settings = os.environ | {"HF_HUB_OFFLINE": "1"} | environment
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=False)


def test_this_machine_is_fit_and_the_findings_are_json():
    done = doctor("--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert {"Python", "ldrt-vlm", "GPU", "memory", "disk here", "Hub token", "extra ocr", "Chromium"} <= set(found)
    assert found["Python"]["state"] == "fine"
    for extra in machine.EXTRAS:
        finding = found[f"extra {extra}"]
        assert (finding["state"] == "missing") == (finding["command"] is not None)


def test_a_token_is_never_printed(tmp_path):
    token = "hf_" + "a" * 34
    done = doctor(HF_TOKEN=token)
    assert "there; not asked whether it is valid (offline)" in done.stdout
    assert token not in done.stdout + done.stderr
    gone = doctor(HF_TOKEN="", HF_HOME=str(tmp_path))
    assert "get it: hf auth login" in gone.stdout


@pytest.mark.parametrize(
    ("newest", "built", "said"),
    [
        ("12.8", "13.0", "which runs CUDA 12.8; torch is built for 13.0"),
        ("13.0", None, "but torch is built without CUDA"),
        ("13.2", "13.0", "torch for CUDA 13.0 does not see it"),  # a card that is only pretended
    ],
)
def test_driver_and_build_of_torch_are_held_against_each_other(tmp_path, monkeypatch, newest, built, said):
    program = tmp_path / "nvidia-smi"
    program.write_text(SMI.replace("CUDA_HERE", newest))
    program.chmod(0o755)
    torch = tmp_path / "torch"
    torch.mkdir()
    (torch / "__init__.py").write_text("class cuda:\n    is_available = staticmethod(lambda: False)\n")
    (torch / "version.py").write_text(f"__version__ = '2.12.1'\ncuda: Optional[str] = {built!r}\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        machine.importlib.util,
        "find_spec",
        lambda name: machine.importlib.util.spec_from_file_location(name, torch / "__init__.py"),
    )
    found = machine._gpu(machine._nvidia())
    assert found.state == "missing"
    assert "2 × NVIDIA H100 80GB HBM3 (81559 MiB), driver 570.86" in found.said
    assert said in found.said
    assert found.command


def test_what_every_run_needs_and_is_not_there_is_status_1(monkeypatch, capsys):
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "5.0" if name == "transformers" else real(name))
    assert ldrt.main(["doctor", "--offline"]) == 1
    said = capsys.readouterr()
    assert "transformers ==" in said.out
    assert "get it: pip install 'transformers==" in said.out
    assert said.err == "ldrt doctor: not ready: ldrt-vlm\n"


def test_a_checkout_that_is_not_installed_is_not_ready(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    (found,) = machine._packages()
    assert found.state == "needed"
    assert found.command


def test_every_extra_that_is_named_is_one():
    import configparser

    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    assert set(machine.EXTRAS) | {"dev", "docs"} == set(setup["options.extras_require"])
