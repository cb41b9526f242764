"""Whether constraints.txt can be installed on every Python and platform that README promises.

    python .ci/check_constraints.py

Resolves setup.cfg, with the extras that are pinned, by `uv pip compile` from PyPI's metadata, for wheels only: a pin
that has none for a combination would need a compiler there. Exit status 1: a combination cannot be resolved, or needs a
package that is not pinned. Without a network it says that nothing was checked, with exit status 0.
"""

import configparser
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11.0", "3.12.0", "3.13.0", "3.14.0")
PLATFORMS = {"Linux x86-64": "linux", "Linux ARM": "aarch64-unknown-linux-gnu", "macOS 14 ARM": "macos"}
MACOS = "14.0"
EXTRAS = ("demo-judge", "dev", "docs", "ocr", "ray", "serving")
NO_WHEELS = ("deepspeed", "rouge-score")  # on PyPI as source only; pure Python until DeepSpeed's first start


def requirements() -> str:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = setup["options.extras_require"]
    return "\n".join(["uv", setup["options"]["install_requires"], *(extras[name] for name in EXTRAS)])


def resolve(python: str, platform: str) -> subprocess.CompletedProcess:
    command = [Path(sys.executable).with_name("uv"), "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate"]
    command += ["--python", sys.executable, "--python-version", python, "--python-platform", platform]
    command += ["--constraint", ROOT / "constraints.txt", "--only-binary", ":all:"]
    command += [word for package in NO_WHEELS for word in ("--no-binary", package)]
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": MACOS}
    return subprocess.run(
        command, env=environment, input=requirements(), check=False, capture_output=True, text=True, encoding="utf-8"
    )


def problem(resolved: subprocess.CompletedProcess, pins: set[str]) -> str | None:
    """What is wrong with a combination, if anything."""
    if resolved.returncode:
        return resolved.stderr.strip()
    unpinned = set(resolved.stdout.split()) - pins
    return f"not pinned in constraints.txt: {', '.join(sorted(unpinned))}" if unpinned else None


def main() -> int:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {line.split(";")[0].strip() for line in lines if not line.startswith("#")}
    combinations = list(product(PYTHONS, PLATFORMS))
    with ThreadPoolExecutor(2) as pool:
        resolved = list(pool.map(lambda pair: resolve(pair[0], PLATFORMS[pair[1]]), combinations))
    wrong, unreachable = 0, ""
    for (python, platform), one in zip(combinations, resolved, strict=True):
        if "Failed to fetch" in one.stderr:
            unreachable = one.stderr.strip()
        elif text := problem(one, pins):
            wrong += 1
            print(f"constraints.txt on Python {python}, {platform}: {text}", file=sys.stderr)
    if unreachable:
        print(f"constraints.txt was NOT CHECKED, which needs a network for PyPI: {unreachable}", file=sys.stderr)
    elif not wrong:
        print(f"constraints.txt resolves on Python {', '.join(PYTHONS)}, each on {', '.join(PLATFORMS)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
