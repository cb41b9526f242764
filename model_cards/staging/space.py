"""A Space with the page of `ldrt app`: its code, what it shows, and what it needs, with nothing of this machine."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from trust.markup import front_matter, literal, markdown_environment
from trust.places import COMMIT

GRADIO = "6.31.0"  # the one that the page is tested with, as in templates/requirements.txt.jinja
PYTHON = "3.12"  # of the Space
PROJECT = Path(__file__).parents[2]
SOURCES = (  # of the project, what evaluation/trying/page.py imports
    *("dataset_builder/__init__.py", "dataset_builder/files"),
    *("evaluation/__init__.py", "evaluation/run_folder.py", "evaluation/answering", "evaluation/trying"),
    *("evaluation/metrics/rouge", "trust"),
)
MANAGED = ("README.md", "LICENSE", "app.py", "requirements.txt", "dataset_builder/**", "evaluation/**", "trust/**")
_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


@dataclass(frozen=True)
class Shown:
    """What the page asks, all of it on the Hub: fields of `Tried` in evaluation/trying/page.py."""

    model: str
    revision: str | None = None  # None: not published yet
    base: str | None = None
    base_revision: str | None = None
    dataset: str | None = None
    dataset_revision: str | None = None
    max_new_tokens: int = 256


def shown_of(manifest: Mapping, repo_id: str, revision: str | None = None) -> Shown:
    """What a run's manifest says of base model and dataset, as far as they are on the Hub at a commit.

    A folder of whoever made the run is nothing that a Space could read, and is left out.
    """
    lineage, adapter_of = manifest["lineage"] or {}, manifest["adapter_of"] or {}
    base, base_revision = _on_hub(lineage.get("base_model"), lineage.get("base_revision"))
    if base is None:
        base, base_revision = _on_hub(adapter_of.get("model"), adapter_of.get("revision"))
    dataset, dataset_revision = _on_hub(manifest["dataset"], manifest["dataset_revision"])
    if manifest.get("benchmark"):  # has other columns
        dataset = dataset_revision = None
    longest = manifest["generation"].get("max_new_tokens", Shown.max_new_tokens)
    return Shown(repo_id, revision, base, base_revision, dataset, dataset_revision, int(longest))


def _on_hub(name: str | None, revision: str | None) -> tuple[str | None, str | None]:
    if name and _HUB_ID.fullmatch(name) and revision and COMMIT.fullmatch(revision):
        return name, revision
    return None, None


def space_files(shown: Shown, folder: Path) -> dict[str, Path]:
    """Path in the Space -> local file; those that are no part of the project are written to `folder`."""
    made = {"README.md": space_card(shown), "app.py": _app(shown), "requirements.txt": _requirements()}
    made["LICENSE"] = _license()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return _sources() | {name: folder / name for name in made}


def _sources() -> dict[str, Path]:
    """The project's own files that go along: Python and nothing else."""
    paths = [PROJECT / source for source in SOURCES]
    files = [file for path in paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return {file.relative_to(PROJECT).as_posix(): file for file in files}


def _license() -> str:
    """The project's own, of which a part goes along; beside the code in a checkout, else in the package's metadata."""
    path = PROJECT / "LICENSE"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return next(file for file in metadata.files("ldrt-vlm") or [] if file.name == "LICENSE").read_text()


def space_card(shown: Shown) -> str:
    """The Space's README.md: the YAML block by which the Hub starts it, and what it is."""
    title = f"Ask {shown.model.split('/')[-1]} about a figure"
    front = {
        "title": title,
        "sdk": "gradio",
        "sdk_version": GRADIO,
        "python_version": PYTHON,
        "app_file": "app.py",
        "pinned": False,
        "license": "apache-2.0",
        "short_description": "For research only, not for patients",
        "models": [name for name in (shown.model, shown.base) if name],
        **({"datasets": [shown.dataset]} if shown.dataset else {}),
    }
    template = _templates().get_template("space.md.jinja")
    return template.render(front=front_matter(front), title=title, settings=asdict(shown))


def _app(shown: Shown) -> str:
    settings = {name: value for name, value in asdict(shown).items() if value is not None}
    return _templates().get_template("app.py.jinja").render(settings=settings)


def _requirements() -> str:
    return _templates().get_template("requirements.txt.jinja").render()


def _templates() -> Environment:
    made = markdown_environment(Path(__file__).parent / "templates")
    made.filters["python"] = _python
    return made


def _python(value: str | int) -> Markup:
    """A value as Python writes it."""
    return Markup(str(value)) if isinstance(value, int) else literal(value)
