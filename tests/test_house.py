"""The house: rooms on floors, no circle, a face for each package, doors for notebooks.

Vocabulary: a *room* is a package or a file right in `helpers/`, a *face* is the
`__init__.py` of a package. An *arrow* goes from who imports to what is imported, at the
top of a file or within a function. The *floor* of a room is one above the highest that
it imports. A *door* is a module that a notebook imports from.
"""

import ast
import importlib
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
HELPERS = ROOT / "helpers"
PACKAGES = sorted(face.parent.name for face in HELPERS.glob("*/__init__.py"))


def files(folder):
    return [f for f in sorted(folder.rglob("*.py")) if "__pycache__" not in f.parts]


def module_of(file, root=ROOT):
    """The dotted name of a file; of a face, that of its package."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(text, module="", is_face=False):
    """(module, name) of everything that is imported from helpers; name may be "".

    A module that is imported by a call with its name counts as well.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (
                (a.name, "") for a in node.names if a.name.startswith("helpers")
            )
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                above = module.split(".")[: None if is_face else -1]
                above = above[: len(above) - node.level + 1]
                source = ".".join([*above, *filter(None, [source])])
            if source.partition(".")[0] == "helpers":
                yield from ((source, a.name) for a in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            named = [a.value for a in node.args if isinstance(a, ast.Constant)]
            yield from ((str(n), "") for n in named if str(n).startswith("helpers"))


def arrows(helpers=HELPERS):
    """File -> files that it imports, all by their dotted names."""
    there = {module_of(f, helpers.parent): f for f in files(helpers)}
    found = {}
    for module, file in there.items():
        text, is_face = file.read_text(encoding="utf-8"), file.stem == "__init__"
        pairs = imports(text, module, is_face)
        found[module] = {
            f"{source}.{name}" if f"{source}.{name}" in there else source
            for source, name in pairs
        } - {module, "helpers"}
    return found


def room_of(module):
    return module.split(".")[1] if "." in module else module


def between_rooms(found):
    """Room -> rooms that it imports."""
    rooms = {room_of(module): set() for module in found if module != "helpers"}
    for module, others in found.items():
        if module != "helpers":
            rooms[room_of(module)] |= {room_of(x) for x in others} - {room_of(module)}
    return rooms


def floors(rooms):
    """Room -> its floor, from 1. Raises ValueError with the chain for a circle."""
    try:
        order = [*TopologicalSorter(rooms).static_order()]
    except CycleError as error:
        raise ValueError("a circle: " + " <- ".join(error.args[1])) from error
    found = {}
    for room in order:
        found[room] = 1 + max((found[other] for other in rooms[room]), default=0)
    return found


ARROWS = arrows()


def test_the_rooms_are_these_and_nothing_else():
    there = {f.name for f in HELPERS.iterdir() if f.name != "__pycache__"}
    files = ("plots", "settings", "wire", "__init__", "__main__")
    wanted = {*PACKAGES, *(f"{name}.py" for name in files)}
    assert there == wanted | {"README.md"}
    assert [
        *("abacus", "env", "evaluation", "exercises", "learning", "llm", "problems"),
        *("rewards", "search", "stats", "workshop"),
    ] == PACKAGES


def test_files_have_no_circle():
    floors(ARROWS)
    assert ARROWS["helpers"] == set()  # whatever is imported runs it first


def table():
    """Room -> (floor, rooms that it imports), as helpers/README.md says."""
    text = (HELPERS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)/?` .*\|([^|]*)\|$", text, re.M)
    return {
        room: (int(floor), {*re.findall(r"`(\w+)`", named)})
        for floor, room, named in rows
    }


def test_the_floor_plan_is_the_one_that_readme_shows():
    rooms = between_rooms(ARROWS)
    found = floors(rooms)
    assert table() == {room: (found[room], rooms[room]) for room in rooms}


def test_readme_lists_a_room_after_all_that_it_imports():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.split("```\nhelpers/\n")[1].split("```")[0]
    rooms = re.findall(r"^  (\w+)", tree, flags=re.M)
    for room, (_, imported) in table().items():
        assert all(rooms.index(x) < rooms.index(room) for x in imported), room


def test_a_circle_would_be_found_even_within_a_function(tmp_path):
    helpers = tmp_path / "helpers"
    for room, text in {"a": "from helpers.b import x", "b": "from .c import x"}.items():
        (helpers / room).mkdir(parents=True)
        (helpers / room / "__init__.py").write_text(text + "\n", encoding="utf-8")
    later = "def x():\n    from helpers.a import y\n"
    (helpers / "b" / "c.py").write_text(later, encoding="utf-8")
    for found in (arrows(helpers), between_rooms(arrows(helpers))):
        with pytest.raises(ValueError, match=r"a circle: \S+( <- \S+){2,}$"):
            floors(found)


def test_no_file_is_long_and_most_are_short():
    sizes = {
        module_of(f): len(f.read_text(encoding="utf-8").splitlines())
        for f in files(HELPERS)
    }
    assert {module: n for module, n in sizes.items() if n > 300} == {}
    assert sum(n < 200 for n in sizes.values()) > len(sizes) / 2


# Faces


@pytest.mark.parametrize("name", PACKAGES)
def test_a_face_has_a_vocabulary_and_names_what_it_hands_on(name):
    face = importlib.import_module(f"helpers.{name}")
    text = (HELPERS / name / "__init__.py").read_text(encoding="utf-8")
    assert "Vocabulary" in face.__doc__
    handed = [imported for _, imported in imports(text, f"helpers.{name}", True)]
    if handed:
        assert sorted(handed) == sorted(face.__all__)
    else:  # its modules are what it has
        there = {f.stem for f in (HELPERS / name).glob("*.py")}
        assert {*face.__all__} <= there


def listed(room):
    """What a room hands on: by its face, or what stands in its one file."""
    if room in PACKAGES:
        return {*importlib.import_module(f"helpers.{room}").__all__}
    tree = ast.parse((HELPERS / f"{room}.py").read_text(encoding="utf-8"))
    defined = {getattr(node, "name", "") for node in tree.body}
    assigned = [ast.walk(node) for node in tree.body if isinstance(node, ast.Assign)]
    return defined | {n.id for part in assigned for n in part if hasattr(n, "id")}


def strangers(text, module="", is_face=False):
    """What comes from another room, but not by `from` its face, or is not listed."""
    for source, name in imports(text, module, is_face):
        room = room_of(source)
        if source == "helpers" or room == room_of(module):
            continue
        if source != f"helpers.{room}" or name not in listed(room):
            yield f"{source}: {name}"


def with_wrong_dots(text, module, is_face=False):
    """What a module imports of its own room without a dot, or of another with one."""
    depth = module.count(".") - (not is_face)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            is_own = (node.module or "").split(".")[:2] == module.split(".")[:2]
            if node.level > depth or (not node.level and is_own):
                yield "." * node.level + (node.module or "")


def test_inside_a_module_is_imported_and_outside_a_face():
    for file in files(HELPERS):
        text, module = file.read_text(encoding="utf-8"), module_of(file)
        is_face = file.stem == "__init__"
        found = [*strangers(text, module, is_face)]
        assert [*found, *with_wrong_dots(text, module, is_face)] == [], module


def test_tests_look_inside_only_what_they_mirror():
    for file in files(ROOT / "tests") + files(ROOT / "notebooks"):
        own = file.relative_to(ROOT).parts[1]
        found = strangers(file.read_text(encoding="utf-8"))
        found = [x for x in found if not x.startswith(f"helpers.{own}")]
        assert [x for x in found if ".__main__: " not in x] == [], file  # commands


def test_each_package_has_a_folder_of_tests():
    folders = {f.name for f in (ROOT / "tests").iterdir() if [*f.glob("test_*.py")]}
    assert {*PACKAGES} <= folders


def cells_of(notebook):
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            yield re.sub(r"^\s*[%!].*$", "", cell.source, flags=re.M)


def test_notebooks_know_twelve_doors_at_most():
    doors = set()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in cells_of(notebook):
            doors |= {source for source, _ in imports(cell)}
            assert [*strangers(cell)] == [], notebook.name
    assert len(doors) <= 12


def test_a_file_that_is_named_is_there():
    for file in files(HELPERS):
        text = file.read_text(encoding="utf-8")
        for name in re.findall(r"`([\w/]+\.(?:py|html\.j2|npz))`", text):
            places = file.parent / name, HELPERS / name, ROOT / name
            assert any(place.exists() for place in places), f"{file}: {name}"


BREACHES = [
    "from helpers.search.guided import beam_search",
    "from helpers.search import guided",
    "from helpers.search import *",
    "import helpers.search",
    "import importlib\nimportlib.import_module('helpers.search.guided')",
    "def later():\n    from helpers.env import LLMGen",
    "from helpers.evaluation.__main__ import make_scorer",
]


@pytest.mark.parametrize("text", BREACHES)
def test_a_breach_would_be_found(text):
    assert [*strangers(text, "helpers.learning.rounds")]
    assert [*strangers("from helpers.search import mcts", "helpers.plots")] == []


@pytest.mark.parametrize(
    "text", ["from ..search import mcts", "from helpers.learning import train"]
)
def test_wrong_dots_would_be_found(text):
    assert [*with_wrong_dots(text, "helpers.learning.rounds")]
    assert [*with_wrong_dots("from ..story import Story", "helpers.problems.a.b")] == []
