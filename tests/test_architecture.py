"""The rules of the house (docs/architecture.md): imports go down only, no circle, no huge file or folder.

Every import counts, those inside functions and under TYPE_CHECKING too.
"""

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the ground up: what stands in a line may import what stands in the lines above it, and its own room.
FLOORS = [
    "trust.errors",
    "trust.places",
    "trust.files",
    "trust.handovers trust.ids trust.licenses trust.markup trust.pictures",
    "trust.command_words trust.prompts trust.templates trust.text",
    "trust.dataset_files trust.weights",
    "trust.checkpoints",
    "dataset_builder.files",
    "dataset_builder.benchmarks dataset_builder.cluster dataset_builder.domain",
    "dataset_builder.schema dataset_builder.text",
    "dataset_builder.articles dataset_builder.ldrt dataset_builder.llm dataset_builder.manifest dataset_builder.sample",
    "dataset_builder.retracted",
    "dataset_builder.fetching dataset_builder.readers",
    "dataset_builder.extraction",
    "dataset_builder.assembly dataset_builder.screening dataset_builder.teaching",
    "dataset_builder.retracting",
    "dataset_builder.rehydrating",
    "dataset_builder.fetch dataset_builder.build dataset_builder.instruct "
    "dataset_builder.rehydrate dataset_builder.retract dataset_builder.screen",
    "evaluation.metrics",
    "evaluation.run_folder",
    "evaluation.judgements",
    "evaluation.scoring",
    "evaluation.answering",
    "evaluation.judging",
    "evaluation.preferring",
    "evaluation.comparing",
    "evaluation.people evaluation.trying",
    "evaluation.generate evaluation.judge evaluation.score evaluation.compare evaluation.human evaluation.prefer "
    "evaluation.ask evaluation.app",
    "verification.differences verification.report verification.repository verification.rows",
    "verification.card verification.eval_results verification.hashes verification.json_files verification.pictures",
    "verification.dataset verification.models",
    "verification.verify",
    "recipes.project_files recipes.small_llm",
    "recipes.launching",
    "recipes.families",
    "recipes.training",
    "recipes.methods",
    "recipes.merging recipes.planning recipes.sweeping recipes.watching",
    "recipes.phase",
    "recipes.sft recipes.dpo recipes.train recipes.plan recipes.merge recipes.sweep recipes.demo recipes.tiny-llava",
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}
GROUND = "benchmarks files ldrt llm manifest sample schema text"  # rooms that evaluation and recipes may use
MAY_IMPORT = {
    "trust": ["trust"],
    "dataset_builder": ["dataset_builder", "trust"],
    "evaluation": ["evaluation", "trust", *(f"dataset_builder.{room}" for room in GROUND.split())],
    "recipes": ["recipes", "evaluation", "trust", *(f"dataset_builder.{room}" for room in GROUND.split())],
    "model_cards": ["model_cards", "trust"],
    "verification": [
        *("verification", "evaluation", "model_cards", "trust", "dataset_builder.assembly"),
        *(f"dataset_builder.{room}" for room in GROUND.split()),
    ],
    "ldrt": ["ldrt", "dataset_builder.files", "model_cards", "trust"],
}
COMMANDS = {
    *(f"dataset_builder.{name}" for name in ("fetch", "build", "instruct", "rehydrate", "retract", "screen")),
    *(f"evaluation.{name}" for name in ("generate", "judge", "score", "compare", "human", "prefer", "ask", "app")),
    *(f"recipes.{name}" for name in ("sft", "dpo", "train", "plan", "merge", "sweep", "demo")),
    *(f"model_cards.{name}" for name in ("card", "push", "publish", "export")),
    *("verification.verify", "ldrt.completion", "ldrt.doctor"),
}
MAX_LINES, MAX_FILES = 450, 13


def modules() -> dict[str, Path]:
    """Name -> file of every module of the project, scripts in folders with a hyphen included."""
    found = {}
    for package in MAY_IMPORT:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = path
    return found


def imports(path: Path, known: set[str]) -> set[str]:
    """The project's modules that a file names in an import statement."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, path)
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                found.add(whole if whole in known else module)
    return found & known


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    """The module after `from`; metrics, which `evaluate` copies, name their own folder by a dot."""
    above = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
    return ".".join([*above, *filter(None, [node.module])])


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def within(module: str, rooms: list[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in rooms)


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    files = modules()
    return {name: imports(path, set(files)) - {name} for name, path in files.items()}


def test_a_package_imports_only_what_it_may(graph):
    wrong = [
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if not within(other, MAY_IMPORT[name.split(".")[0]])
    ]
    assert not wrong


def test_imports_go_down(graph):
    wrong = []
    for name, others in graph.items():
        for other in others:
            floors = FLOOR.get(room(name)), FLOOR.get(room(other))
            if None not in floors and room(name) != room(other) and floors[0] <= floors[1]:
                wrong.append(f"{name} imports {other}")
    assert not wrong


def test_every_room_has_its_floor(graph):
    rooms = {room(name) for name in graph if "." in name and not name.startswith(("ldrt.", "model_cards."))}
    assert rooms == set(FLOOR)


def test_no_module_is_in_a_circle(graph):
    left = dict(graph)
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    assert not left  # whatever imports only what is gone is gone, too: what stays is in a circle, or above one


def test_nobody_imports_a_command(graph):
    """But the sweep and the demo run commands as processes, by name."""
    wrong = [f"{name} imports {other}" for name, others in graph.items() for other in others & COMMANDS]
    assert not wrong


def test_a_command_holds_options_and_run_and_no_room_takes_them(graph):
    for name in COMMANDS:
        tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
        public = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        public = {word for word in public if not word.startswith("_")}
        assert public <= {"Options", "run", "main"}, name


def test_files_and_folders_stay_small():
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [path for path in map(Path, listed.split()) if path.parts[0] in MAY_IMPORT]
    lines = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in files}
    assert not {path: count for path, count in lines.items() if count > MAX_LINES}
    folders = Counter(str(path.parent) for path in files if path.name != "__init__.py")
    assert not {folder: count for folder, count in folders.items() if count > MAX_FILES}


OPENS = {"Image.open", "PILImage.open", "cv2.imread", "cv2.imdecode", "ImageFile.Parser", "imageio.imread"}


def test_only_the_opener_opens_pictures():
    """By Pillow or OpenCV; and `datasets` decodes none, which takes any format, path and address (rule 5)."""
    wrong = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in OPENS and name != "trust.pictures.opener":
                wrong.append(f"{name} calls {ast.unparse(node)}")
            if isinstance(node, ast.ImportFrom) and node.module == "PIL.Image" and name != "trust.pictures.opener":
                wrong.append(f"{name} imports from PIL.Image")
    assert not wrong
