"""Where the project's own files are: recipes, launch configs, templates, scripts. Every stage of recipes/ asks here.

A file that is not there is an error that names it, never None and never an empty list.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
LAUNCH_CONFIGS = "accelerate_configs"


def find_file(path: str) -> Path:
    """A path as given, or below the project's folder where the command runs elsewhere.

    Raises FileNotFoundError when it is neither.
    """
    return Path(path) if Path(path).is_file() else project_file(path)


def project_file(path: str) -> Path:
    """The project's own file of that path, whatever the working folder holds. Raises FileNotFoundError."""
    found = ROOT / path
    if not found.is_file():
        raise FileNotFoundError(f"no file {path}")
    return found


def launch_configs() -> list[Path]:
    """Every launch config that the project ships, by name. Raises FileNotFoundError when their folder is not there."""
    found = sorted((ROOT / LAUNCH_CONFIGS).glob("*.yaml"))
    if not found:
        raise FileNotFoundError(f"no launch configs in {ROOT / LAUNCH_CONFIGS}: the project's files are incomplete")
    return found


def name_in_project(path: Path) -> str:
    """A file's path within the project where it is one of its own, else its name alone."""
    path, root = path.resolve(), ROOT.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def read_template(path: str | None) -> str | None:
    """A chat template's text; None for none. Raises FileNotFoundError."""
    return None if path is None else find_file(path).read_text(encoding="utf-8")
