"""The set-up: both lists of packages, the Makefile, the README, the tracked files."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from notebook_lint import PERSONAL_PATH
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rattler import MatchSpec

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {"ollama": "ollama-python", "matplotlib": "matplotlib-base"}
COMMANDS = {"notebooks", "test", "test-ollama", "class", "test-class", "test-train"}
COMMANDS |= {"lab", "refresh", "clear", "slides", "bench", "test-pages", "test-matrix"}
COMMANDS |= {"test-real"}

# An address of a package index, or an option that would hold one.
INDEX = re.compile(
    r"https?://\S*?/simple\b|(?:pypi|pythonhosted|anaconda|npmjs)\.(?:org|com)/"
    r"|index[-_]url\b|find[-_]links\b",
    re.IGNORECASE,
)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


PROJECT = tomllib.loads(text_of("pyproject.toml"))
CONDA = yaml.safe_load(text_of("environment.yml"))
README = text_of("README.md")


def needs(program: str):
    """Skip where a program is missing: make, for those who use conda on Windows."""
    reason = f"{program} is not installed"
    return pytest.mark.skipif(not shutil.which(program), reason=reason)


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess:
    """Run make as a reader does: in no conda environment, in no other make."""
    hidden = ("CONDA_DEFAULT_ENV", "MAKEFLAGS", "MFLAGS", "PYTHON")
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )


def conda_specs() -> dict[str, SpecifierSet]:
    """Package -> bounds, as conda's own parser reads environment.yml."""
    lines = [line for line in CONDA["dependencies"] if isinstance(line, str)]
    specs = [MatchSpec(line) for line in lines]
    return {s.name.normalized: SpecifierSet(str(s.version or "")) for s in specs}


def test_environment_yml_lists_what_pyproject_lists():
    project = PROJECT["project"]
    wanted = {"python": SpecifierSet(project["requires-python"]), "pip": SpecifierSet()}
    for line in project["dependencies"] + PROJECT["build-system"]["requires"]:
        package = Requirement(line)
        wanted[CONDA_NAMES.get(package.name, package.name)] = package.specifier
    assert conda_specs() == wanted


def test_environment_yml_is_named_and_takes_packages_from_conda_forge_only():
    assert CONDA["name"] == PROJECT["project"]["name"] == "local-reasoning"
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
    assert CONDA["dependencies"][-1] == {"pip": ["-e .[test]"]}


def test_conda_parser_would_notice_a_wrong_bound():
    with pytest.raises(Exception, match="parse|version|invalid"):
        MatchSpec("numpy >=>3")


@pytest.mark.parametrize("name", ["environment.yml", "pyproject.toml"])
def test_every_package_says_what_it_is_for(name):
    lists = text_of(name).split("[tool.")[0]
    lines = re.findall(r'^\s+(?:- [a-z-]|").*$', lists, flags=re.M)
    lines = [line for line in lines if "- pip:" not in line]
    assert len(lines) > 10
    assert [line for line in lines if not re.search(r"\S {2,}# \w", line)] == []


def test_every_dependency_has_a_lower_and_an_upper_bound():
    extras = PROJECT["project"]["optional-dependencies"]
    models = extras["gguf"] + extras["openai"]
    for line in PROJECT["project"]["dependencies"] + extras["test"] + models:
        operators = {spec.operator for spec in Requirement(line).specifier}
        assert operators == {">=", "<"}, line
    assert set(extras) == {"test", "train", "class", "scale", "pages", "gguf", "openai"}


def tracked_files() -> list[Path]:
    """What git tracks or would track."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    return [ROOT / name for name in output.stdout.splitlines()]


@needs("git")
def test_no_lock_file_no_index_address_no_personal_path():
    files = tracked_files()
    assert ROOT / "README.md" in files
    assert [f for f in files if re.search(r"\.lock$|-lock\.", f.name)] == []
    for file in files:
        if not file.is_file() or file.suffix in {".npz", ".png"}:
            continue
        for pattern in (INDEX, PERSONAL_PATH):
            found = pattern.search(file.read_text(encoding="utf-8"))
            assert not found, f"{file.name}: {found.group()}"


@pytest.mark.parametrize(
    "text",
    [
        "https://mirror.example" + "/simple/numpy",
        "--index" + "-url x",
        "PIP_FIND" + "_LINKS=x",
        "https://pypi" + ".org/project/x",
    ],
)
def test_index_addresses_would_be_noticed(text):
    assert INDEX.search(text)


@pytest.mark.parametrize(
    "module", ["helpers", *(f"helpers.{m}" for m in ("llm", "problems", "stats"))]
)
def test_import_stays_light(module):
    heavy = {"datasets", "matplotlib", "gymnasium", "scipy", "autograd", "torch"}
    heavy |= {"numpy", "ollama"} | ({"tqdm"} if module == "helpers" else set())
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("", "", 0)


def test_readme_opens_with_the_two_commands():
    first = re.search(r"^```\w*\n(.*?)^```", README, flags=re.M | re.S).group(1)
    commands = [line.partition("#")[0].split() for line in first.splitlines()]
    assert commands == [["make", "notebooks"], ["make", "test"]]


@needs("make")
def test_make_knows_every_command_that_the_readme_names():
    named = set(re.findall(r"(?:`|^|=\S+ )make ([a-z-]+)\b", README, flags=re.M))
    assert named == COMMANDS
    for target in sorted(named):
        assert make("-n", target).returncode == 0, target
    assert make("-n", "no-such-target").returncode != 0


def test_readme_maps_every_room_of_helpers():
    tree = README.split("```\nhelpers/\n")[1].split("```")[0]
    named = re.findall(r"^  (\S+) ", tree, flags=re.M)
    there = {f.parent.name + "/" for f in (ROOT / "helpers").glob("*/__init__.py")}
    there |= {f.name for f in (ROOT / "helpers").glob("*.py")} - {"__init__.py"}
    assert sorted(named) == sorted(there) and len(tree.splitlines()) <= 16


def test_every_command_that_is_named_is_there():
    pages = [f for f in tracked_files() if f.suffix in (".md", ".ipynb", ".py")]
    pages = [f for f in pages if f.exists() and f.name != "CHANGELOG.md"]
    named = set()
    for page in [*pages, ROOT / "Makefile"]:
        text = page.read_text(encoding="utf-8")
        named |= {*re.findall(r"-m\s+(helpers[\w.]*\w)", text)}
        named |= {*re.findall(r'"-m", "(helpers[\w.]*\w)"', text)}
    assert len(named) > 10
    for name in named:
        place = ROOT.joinpath(*name.split("."))
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), (
            name
        )


def anchors_of(file: Path) -> set[str]:
    """The anchors of the headings: of Markdown as GitHub makes them, of notebooks as
    Jupyter does."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells)
        return {h.replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, flags=re.M)}
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}


PAGES = ["README.md", "CHANGELOG.md"]
PAGES += [f"notebooks/{name}.md" for name in ("README", "TEACHING", "GLOSSARY")]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    here = ROOT / page
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", here.read_text(encoding="utf-8"))
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        target = here.parent / path if path else here
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_the_glossary_is_in_order_and_names_a_notebook_for_each_word():
    text = text_of("notebooks/GLOSSARY.md")
    words = re.findall(r"^## (.*)$", text, flags=re.M)
    assert words == sorted(words, key=str.casefold) and len(words) > 35
    for entry in text.split("\n## ")[1:]:
        assert re.search(r"\.ipynb\)", entry), entry


def test_every_word_of_the_glossary_is_linked_from_a_notebook_and_no_other_is():
    series = map(text_of, sorted((ROOT / "notebooks").glob("[0-9A]*.ipynb")))
    linked = {
        a for text in series for a in re.findall(r"\(GLOSSARY\.md#([^)]+)\)", text)
    }
    assert linked == anchors_of(ROOT / "notebooks/GLOSSARY.md") - {"glossary"}


@pytest.mark.parametrize("row", re.findall(r"^\| \[.*\|$", README, flags=re.M))
def test_readme_and_notebook_name_the_same_minutes(row):
    file, minutes = re.search(r"\((\S+\.ipynb)\).* (\d+) \|$", row).groups()
    assert f"{minutes} minutes" in text_of(file)


@pytest.fixture
def checkout(tmp_path):
    """A folder with a Makefile and an environment that has been set up."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / ".set-up-done").touch()
    os.utime(tmp_path / "pyproject.toml", (1, 1))
    return tmp_path


@needs("make")
def test_set_up_is_skipped_until_pyproject_changes(checkout):
    assert "install" not in make("-n", "set-up", folder=checkout).stdout
    os.utime(checkout / ".venv" / ".set-up-done", (0, 0))
    assert "install" in make("-n", "set-up", folder=checkout).stdout


@needs("make")
def test_set_up_is_done_again_when_its_python_has_gone(checkout):
    (checkout / ".venv" / "bin" / "python").unlink()
    assert "install" in make("-n", "set-up", folder=checkout).stdout


@needs("make")
def test_set_up_refuses_an_old_python_and_says_what_to_type(checkout):
    old = "PYTHON=false"  # like any Python that is too old, it exits with 1
    done = make("install-with-venv", old, folder=checkout)
    assert done.returncode != 0
    assert "make notebooks PYTHON=python3.12" in done.stdout
