"""A Space as `ldrt publish --space` sends it, taken from the Hub and started with nothing but its own files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.chromium import CHROMIUM, Browser
from tests.evaluation.trying.test_page import ask_here, drop, free_port, served, type_question, value
from tests.hub_server import client_env

pytest.importorskip("gradio", reason="the extra `app` is not installed")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")

QUESTION = "the dose of a lesion ?"
CARD = "---\nlicense: apache-2.0\npipeline_tag: image-text-to-text\n---\n\n# A tiny model\n"
DOWNLOAD = """
import sys
from huggingface_hub import snapshot_download
snapshot_download("lab/page", repo_type="space", local_dir=sys.argv[1])
"""


@needs_browser
def test_a_space_runs_from_what_was_sent(hub, ldrt_client, tiny_llava, dataset_folder, tmp_path, monkeypatch):
    sent = published(ldrt_client, "page", tiny_llava, dataset_folder, tmp_path)
    assert "Space without the base model" in sent
    environment = client_env(hub.url, tmp_path / "home", "hf_write")
    space = tmp_path / "space"
    del environment["PYTHONPATH"]
    subprocess.run([sys.executable, "-c", DOWNLOAD, space], env=environment, check=True, capture_output=True)
    shutil.rmtree(space / ".cache", ignore_errors=True)
    port = free_port()
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.chdir(space)
    environment |= {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}
    with served([sys.executable, "app.py"], port, tmp_path, **environment) as address, Browser(1280, 1100) as browser:
        browser.visit(address)
        browser.wait_for("!!document.querySelector('#ask')")
        assert browser.run("document.querySelectorAll('tbody tr').length") == 6
        path = tmp_path / "figure.png"
        Image.effect_noise((60, 40), 90).convert("RGB").save(path)
        drop(browser, path)
        type_question(browser, QUESTION)
        browser.click("#ask")
        browser.wait_for("document.querySelector('#answer-0 textarea').value !== ''")
        assert value(browser, "answer-0") == ask_here(tiny_llava, path, QUESTION)
        if "LDRT_SCREENSHOTS" in os.environ:
            browser.screenshot(Path(os.environ["LDRT_SCREENSHOTS"]) / "space.png")


def published(ldrt_client, name, model, dataset_folder, tmp_path):
    """What `ldrt publish` says of a run over the dataset as it is on the Hub."""
    for words in (
        ["push", dataset_folder, "lab/figures", "--policy", "all"],
        ["generate", "--model", model, "--dataset", "lab/figures", "--output", tmp_path / name, "--max_new_tokens", 8],
    ):
        done = ldrt_client(*words)
        assert done.status == 0, done.stderr
    (tmp_path / name / "README.md").write_text(CARD)
    done = ldrt_client("publish", tmp_path / name, f"lab/{name}", "--checkpoint", model, "--space", f"lab/{name}")
    assert done.status == 0, done.stderr
    return done.stdout
