"""The fields of a dataclass, read from its source: importing TRL's options takes torch, and seconds.

    fields_of("trl", "SFTConfig")["learning_rate"] -> Kind(float)

Base classes are followed by the import statements that stand at the top of a module, also below an `if`.
"""

import ast
import functools
import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import annotated_types

from dataset_builder.files.values import Bound, Kind

_PLAIN = {"str": str, "int": int, "float": float, "bool": bool}

Fields = dict[str, Kind | None]  # name -> what it takes; None: not told here


def fields_of(module: str, name: str) -> Fields:
    """The fields of the dataclass `name` that a module has or imports, those of its base classes first.

    Raises LookupError where the source has no such class.
    """
    module, found = _find_class(module, name)
    fields: Fields = {}
    for base in found.bases:
        fields |= fields_of(module, ast.unparse(base))
    for statement in found.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            fields[statement.target.id] = _kind_of_field(statement, module)
    return fields


# ---- modules


def _find_class(module: str, name: str) -> tuple[str, ast.ClassDef]:
    """A class, and the module that defines it."""
    for statement in _top(_tree(module).body):
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return module, statement
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if name == (alias.asname or alias.name):
                    return _find_class(_imported(statement, module), alias.name)
    raise LookupError(f"the source of {module} has no class {name}")


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those below an `if` included."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            yield from _top([*statement.body, *statement.orelse])


def _imported(statement: ast.ImportFrom, module: str) -> str:
    """The module after `from`."""
    package = module if _file(module).name == "__init__.py" else module.rpartition(".")[0]
    return importlib.util.resolve_name("." * statement.level + (statement.module or ""), package)


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text(encoding="utf-8"))


def _file(module: str) -> Path:
    """Raises LookupError."""
    package, *inner = module.split(".")
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, *inner)
        for file in (path / "__init__.py", path.parent / f"{path.name}.py"):
            if file.is_file():
                return file
    raise LookupError(f"no source of the module {module}")


# ---- what a field takes


def _kind_of_field(statement: ast.AnnAssign, module: str) -> Kind | None:
    kind = _kind(statement.annotation, module)
    choices = _choices(statement.value)
    return replace(kind, choices=choices) if kind and choices else kind


def _choices(value: ast.expr | None) -> tuple[str, ...]:
    """Of `field(metadata={"choices": ["a", "b"]})`; () for none, and for others than text."""
    for node in ast.walk(value) if value else ():
        if isinstance(node, ast.Dict):
            for key, said in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "choices" and isinstance(said, ast.List):
                    return _texts(said.elts)
    return ()


def _texts(nodes: list[ast.expr]) -> tuple[str, ...]:
    return tuple(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _kind(node: ast.expr, module: str) -> Kind | None:
    """The kind of an annotation; None where it is none that is known here, or may be several."""
    if isinstance(node, ast.BinOp):
        return _kind_of_union(node, module)
    if isinstance(node, ast.Subscript):
        return _kind_of_generic(node, module)
    if isinstance(node, ast.Name):
        return Kind(_PLAIN[node.id]) if node.id in _PLAIN else _kind_of_enum(node.id, module)
    return None


def _kind_of_union(node: ast.BinOp, module: str) -> Kind | None:
    """`X | None` may be null; `Enum | str` is one of the enumeration's values, as Transformers reads it."""
    members = {ast.unparse(member): member for member in _members(node)}
    is_optional = members.pop("None", None) is not None
    kinds = [_kind(member, module) for member in members.values()]
    if len(kinds) == 2 and "str" in members:
        kinds = [kind for kind in kinds if kind is not None and kind.choices]
    if len(kinds) != 1 or kinds[0] is None:
        return None
    return replace(kinds[0], is_optional=is_optional)


def _members(node: ast.expr) -> list[ast.expr]:
    return [*_members(node.left), *_members(node.right)] if isinstance(node, ast.BinOp) else [node]


def _kind_of_generic(node: ast.Subscript, module: str) -> Kind | None:
    """Of list[X], Literal["a", "b"] and Annotated[X, Ge(1)]."""
    name, inner = ast.unparse(node.value), node.slice
    first, *others = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        choices = _texts([first, *others])
        return Kind(str, choices=choices) if len(choices) == len(others) + 1 else None
    kind = _kind(first, module)
    if kind is None or name not in ("list", "Annotated"):
        return None
    return Kind(list, items=kind) if name == "list" else replace(kind, bounds=tuple(map(_bound, others)))


def _bound(node: ast.expr) -> Bound:
    """Of `Ge(1)`."""
    assert isinstance(node, ast.Call)
    return getattr(annotated_types, ast.unparse(node.func))(ast.literal_eval(node.args[0]))


def _kind_of_enum(name: str, module: str) -> Kind | None:
    """One of the values of an enumeration of texts; None for any other class."""
    try:
        _, found = _find_class(module, name)
    except LookupError:
        return None
    if not any(ast.unparse(base).endswith("Enum") for base in found.bases):
        return None
    return Kind(str, choices=_texts([line.value for line in found.body if isinstance(line, ast.Assign)]))
