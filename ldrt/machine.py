"""What a machine has for this project, found without importing anything heavy into this process."""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "ldrt-vlm"
FINE, MISSING, NEEDED = "fine", "missing", "needed"  # needed: by every run, so that nothing goes without
PYTHONS = ((3, 11), (3, 15))  # from, below
CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"  # in a checkout; a wheel has none
_WAIT_S = 60  # for another program's answer: torch takes its time on a cold disk
_MIN_FREE_GB, _MIN_MEMORY_GB = 2.0, 4.0  # for the demo: its files; one reader of articles (`ldrt build --memory_gb`)
# What each extra of setup.cfg is for; those that are not here are for developers.
EXTRAS = {
    "app": "the page of `ldrt app`",
    "ocr": "text in pictures of scanned articles",
    "gpu": "flash attention, 4-bit weights and fused kernels in training",
    "smolvlm": "SmolVLM models",
    "trackers": "curves of a training run: tensorboard, trackio, wandb",
    "ray": "`--executor ray`",
    "serving": "`transformers serve`",
    "demo-judge": "a small judge on the CPU",
}
_COMPILED = ("flash_attn", "bitsandbytes", "deepspeed")  # built for one torch and CUDA: they may be there and not load


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: str  # FINE, MISSING or NEEDED
    said: str
    command: str | None = None  # that gets what is missing


def findings(offline: bool = False) -> list[Finding]:
    """Everything; `offline`: the Hub is not asked."""
    gpu = _nvidia()
    return [
        _python(),
        *_packages(),
        _gpu(gpu),
        *_compiled(has_gpu=gpu is not None),
        _memory(),
        *_disks(),
        _token(offline),
        *_extras(),
        _chromium(),
    ]


def _python() -> Finding:
    version = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if PYTHONS[0] <= sys.version_info < PYTHONS[1]:
        return Finding("Python", FINE, version)
    return Finding("Python", NEEDED, f"{version}; 3.11 to 3.14 are supported", "uv venv --python 3.12")


# ---- packages


def _requirements(extra: str | None = None) -> list:
    """What the installed package requires, or one of its extras does. Raises PackageNotFoundError."""
    from packaging.requirements import Requirement

    given = map(Requirement, importlib.metadata.requires(PACKAGE) or [])
    if extra is None:
        return [one for one in given if one.marker is None or one.marker.evaluate({"extra": ""})]
    return [one for one in given if one.marker and one.marker.evaluate({"extra": extra}) and "extra" in str(one.marker)]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages() -> Iterator[Finding]:
    """Whether what is required is there, in the versions that are required, and in those that are tested."""
    if _version(PACKAGE) is None:
        yield Finding(PACKAGE, NEEDED, "not installed in this Python", "pip install -c constraints.txt -e .")
        return
    required = _requirements()
    wrong = [f"{one.name} {one.specifier}, not {_version(one.name) or 'there'}" for one in required if not _is_met(one)]
    if wrong:
        command = "pip install " + " ".join(_shell_word(one) for one in required if not _is_met(one))
        yield Finding(PACKAGE, NEEDED, "; ".join(wrong), command)
    else:
        yield Finding(PACKAGE, FINE, f"{_version(PACKAGE)}, with all {len(required)} packages that it requires")
    yield from _tested()


def _shell_word(requirement: object) -> str:
    """A requirement as a shell takes it."""
    return f"'{str(requirement).partition(';')[0].strip()}'"


def _is_met(requirement) -> bool:
    version = _version(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _tested() -> Iterator[Finding]:
    """Which installed packages are not of the versions that the tests run with."""
    if not CONSTRAINTS.is_file():
        return
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", CONSTRAINTS.read_text(encoding="utf-8"), re.M)
    others = [
        f"{name} {_version(name)} for {pin}"
        for name, pin in pins
        if (_version(name) or pin).partition("+")[0] != pin.partition("+")[0]
    ]
    if others:
        said = f"{len(others)} packages are not as tested: {', '.join(others)}"
        yield Finding("constraints.txt", MISSING, said, "pip install -c constraints.txt -e .")
    else:
        yield Finding("constraints.txt", FINE, "all packages are of the versions that are tested")


def _extras() -> Iterator[Finding]:
    if _version(PACKAGE) is None:
        return
    for extra, use in EXTRAS.items():
        absent = [one.name for one in _requirements(extra) if _version(one.name) is None]
        if absent:
            command = _command_of(extra)
            yield Finding(f"extra {extra}", MISSING, f"for {use}: no {', '.join(absent)}", command)
        else:
            yield Finding(f"extra {extra}", FINE, f"for {use}")


def _command_of(extra: str) -> str:
    """What installs an extra, from the checkout where it is one."""
    is_checkout = CONSTRAINTS.is_file()
    return f"pip install -e '{CONSTRAINTS.parent}[{extra}]'" if is_checkout else f"pip install '{PACKAGE}[{extra}]'"


# ---- GPU


@dataclass(frozen=True)
class _Nvidia:
    names: list[str]  # with their memory
    driver: str
    cuda: tuple[int, int]  # the newest that the driver runs


def _ask(*command: str) -> str | None:
    """What a program prints; None where there is none, or it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _nvidia() -> _Nvidia | None:
    listed = _ask("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    if not listed:
        return None
    rows = [line.split(", ") for line in listed.strip().splitlines()]
    found = re.search(r"CUDA Version:\s*(\d+)\.(\d+)", _ask("nvidia-smi") or "")
    cuda = (int(found[1]), int(found[2])) if found else (0, 0)
    return _Nvidia([f"{row[0]} ({row[1]})" for row in rows], rows[0][-1], cuda)


def _torch_cuda() -> str | None:
    """The CUDA that torch is built for, read from its files; None: for none."""
    spec = importlib.util.find_spec("torch")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    text = (folder / "version.py").read_text(encoding="utf-8") if folder else ""
    found = re.search(r"^cuda\b.*?=\s*'([\d.]+)'", text, re.M)
    return found[1] if found else None


def _gpu(gpu: _Nvidia | None) -> Finding:
    built = _torch_cuda()
    if gpu is None:
        return Finding("GPU", MISSING, f"no NVIDIA GPU answers (torch is built for CUDA {built}): all runs on the CPU")
    said = f"{len(gpu.names)} × {gpu.names[0]}, driver {gpu.driver}"
    if built is None:
        return Finding(
            "GPU", MISSING, f"{said}, but torch is built without CUDA", "pip install --force-reinstall torch"
        )
    newest = f"{gpu.cuda[0]}.{gpu.cuda[1]}"
    if gpu.cuda[0] and int(built.split(".")[0]) > gpu.cuda[0]:
        command = f"pip install torch --index-url https://download.pytorch.org/whl/cu{gpu.cuda[0]}{gpu.cuda[1]}"
        return Finding("GPU", MISSING, f"{said}, which runs CUDA {newest}; torch is built for {built}", command)
    seen = _ask(sys.executable, "-c", "import torch; print(torch.cuda.is_available())")
    if (seen or "").strip() != "True":
        return Finding("GPU", MISSING, f"{said}; torch for CUDA {built} does not see it", "nvidia-smi")
    return Finding("GPU", FINE, f"{said}; torch for CUDA {built}, the driver runs {newest}")


def _compiled(has_gpu: bool) -> Iterator[Finding]:
    """Whether what was compiled for one torch loads with the one that is here."""
    for module in _COMPILED:
        package = module.replace("_", "-")
        version = _version(package)
        if version is None:
            if has_gpu:
                yield Finding(package, MISSING, "not installed", _command_of("gpu"))
            continue
        if not has_gpu and module != "deepspeed":
            yield Finding(package, FINE, f"{version}; without a GPU it is not used")
            continue
        if _ask(sys.executable, "-c", f"import {module}") is None:
            command = f"pip install --force-reinstall --no-build-isolation {package}"
            yield Finding(package, MISSING, f"{version} does not load with the torch that is here", command)
        else:
            yield Finding(package, FINE, f"{version}, loads")


# ---- memory, disks, token, programs


def _memory() -> Finding:
    import psutil

    free, total = psutil.virtual_memory().available / 1e9, psutil.virtual_memory().total / 1e9
    said = f"{free:.1f} GB free of {total:.1f} GB, {os.cpu_count()} cores"
    if free < _MIN_MEMORY_GB:
        said += f"; a reader of articles may take {_MIN_MEMORY_GB:g} GB: see `ldrt build --workers`, `--memory_gb`"
        return Finding("memory", MISSING, said)
    return Finding("memory", FINE, said)


def _disks() -> Iterator[Finding]:
    """Free space where one works, where models are kept, and for temporary files."""
    import tempfile

    cache = os.environ.get("HF_HOME", os.path.expanduser("~/.cache/huggingface"))
    for what, folder in (
        ("disk here", "."),
        ("disk of models", cache),
        ("disk of temporary files", tempfile.gettempdir()),
    ):
        there = next(path for path in [Path(folder).absolute(), *Path(folder).absolute().parents] if path.exists())
        free = shutil.disk_usage(there).free / 1e9
        said = f"{free:.1f} GB free in {folder}"
        is_little = free < _MIN_FREE_GB
        yield Finding(what, NEEDED if is_little and what == "disk here" else MISSING if is_little else FINE, said)


def _token(offline: bool) -> Finding:
    from huggingface_hub import get_token

    if get_token() is None:
        return Finding("Hub token", MISSING, "none; needed to publish and for gated models", "hf auth login")
    if offline or os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on"):
        return Finding("Hub token", FINE, "there; not asked whether it is valid (offline)")
    return _asked_token()


def _asked_token() -> Finding:
    import httpx
    from huggingface_hub import whoami
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Finding("Hub token", FINE, f"valid, of {whoami()['name']}")
    except HfHubHTTPError:
        return Finding("Hub token", MISSING, "there, but the Hub does not accept it", "hf auth login")
    except (httpx.TransportError, OSError):
        return Finding("Hub token", FINE, "there; the Hub cannot be reached to ask whether it is valid")


def _chromium() -> Finding:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        return Finding("Chromium", FINE, f"{found}, for the tests of pages")
    return Finding("Chromium", MISSING, "for the tests of pages alone", "apt-get install chromium")
