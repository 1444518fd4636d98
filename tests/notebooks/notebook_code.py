"""Whether the code that a notebook builds is the code in `helpers`.

`differences(path, helpers)` lists the functions and classes that a notebook defines
at the top level of a cell otherwise than `helpers` does. Compared are the syntax
trees, so comments do not count; nor do docstrings, and methods may stand in another
order. The last definition of a name counts. A class may also be built up in stages:
`class Name(Name): ...` adds to it or replaces, and so does `Name.method = method`.
"""

import ast
import re
from collections.abc import Container
from pathlib import Path

import nbformat


def differences(path: Path, helpers: Path, twins: Container[str] = ()) -> list[str]:
    """Names that the notebook defines otherwise than the package in `helpers`.

    twins: names that stand for the same behaviour in another text; they are left out.
    """
    notebook = nbformat.read(path, as_version=4)
    cells = [_parse(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    statements = [statement for tree in cells for statement in tree.body]
    known: dict[str, dict[str, str]] = {}
    taught = [f for f in sorted(helpers.rglob("*.py")) if "workshop" not in f.parts]
    for file in taught:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        module = ".".join(file.relative_to(helpers.parent).with_suffix("").parts)
        for name, node in _definitions(tree.body).items():
            known.setdefault(name, {})[module] = _canonical(node)
    imported, handed_on = _imports(statements), _handed_on(helpers)
    problems = []
    for name, node in _definitions(statements).items():
        if name in twins:
            continue
        modules = known.get(name, {})
        source = imported.get(name)
        source = handed_on.get((source, name), source)
        if source in modules:  # the notebook says which one it means
            modules = {source: modules[source]}
        if modules and _canonical(node) not in modules.values():
            problems.append(f"{name} is not the one in {', '.join(modules)}")
    return problems


def _parse(source: str) -> ast.Module:
    """The syntax tree of a cell, without its lines of IPython magic."""
    return ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.M))


def _imports(statements: list[ast.stmt]) -> dict[str, str]:
    """Name -> module, for every `from helpers.module import name`."""
    return {
        alias.name: node.module
        for node in statements
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _handed_on(helpers: Path) -> dict[tuple[str | None, str], str]:
    """(package, name) -> module, for every name that the face of a package hands on."""
    found: dict[tuple[str | None, str], str] = {}
    for face in helpers.glob("*/__init__.py"):
        package = f"{helpers.name}.{face.parent.name}"
        for node in ast.parse(face.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.level:
                names = [alias.name for alias in node.names]
                found |= {(package, name): f"{package}.{node.module}" for name in names}
    return found


def _definitions(statements: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Name -> last definition, with the later stages of a class merged into it."""
    found: dict[str, ast.stmt] = {}
    for node in statements:
        match node:
            case ast.ClassDef(name=name, bases=[ast.Name(id=base)]) if (
                name == base and name in found
            ):
                for part in node.body:
                    _add(found[name], part)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found[node.name] = node
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=name), attr=method)],
                value=ast.Name(id=function),
            ) if method == function and {name, method} <= set(found):
                _add(found[name], found.pop(method))
    return found


def _add(node: ast.ClassDef, part: ast.stmt) -> None:
    """Put `part` into a class; a method of the same name gives way."""
    name = getattr(part, "name", None)
    same = [old for old in node.body if name and getattr(old, "name", None) == name]
    node.body = [old for old in node.body if old not in same] + [part]


def _canonical(node: ast.stmt) -> str:
    """A definition as text: no docstrings, and methods in alphabetical order."""
    for inner in ast.walk(node):
        if isinstance(getattr(inner, "body", None), list):
            inner.body = [part for part in inner.body if not _is_idle(part)]
            inner.body = inner.body or [ast.Pass()]
    if isinstance(node, ast.ClassDef):
        node.body.sort(key=lambda part: getattr(part, "name", ""))
    return ast.dump(node)


def _is_idle(node: ast.AST) -> bool:
    """True for `pass` and for a string by itself: a docstring."""
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
            return True
    return False
