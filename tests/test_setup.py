"""One set of ranges, in pyproject.toml; what is made from it says the same. All without a network."""

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec

from tools import commands, pins
from tools.environment import LOCK, ROOT, SPARK_LOCK, UV_LOCK

RUN_IT = "run `python3 dev.py lock`"
PINNED = re.compile(r"^([a-z0-9-]+)==([^\s;]+)(?: ; (.+?))?(?: \\)?$")

# Addresses of registries and places of one machine; written so that this file passes itself.
NOT_OURS = re.compile(
    r"py" r"pi\.org|python" r"hosted\.org|/sim" r"ple\b|index-url *= *\w|file:/" r"//\w"
    r"|/(?:ro" r"ot|ho" r"me|work|opt)/\w|/t" r"mp/\w|[A-Z]:\\+Us" r"ers"
)  # fmt: skip
TOOLING = (
    "dev.py",
    "Makefile",
    "pyproject.toml",
    "tools/",
    ".ci/",
    ".pre-commit",
    "environment.yml",
)


def entries(lock):
    """Each pin of a lock with the number of its hashes."""
    found = []
    for line in lock.read_text("utf-8").splitlines():
        if pin := PINNED.match(line):
            found.append([pin[1], pin[2], 0])
        elif re.fullmatch(r" {4}--hash=sha256:[0-9a-f]{64}(?: \\)?", line):
            found[-1][2] += 1
        else:
            assert line.startswith("#"), f"{lock.name} has the line {line!r}; {RUN_IT}"
    return found


@pytest.mark.parametrize("lock", [LOCK, SPARK_LOCK, UV_LOCK], ids=lambda path: path.name)
def test_every_pin_has_a_hash_and_nothing_else_is_there(lock):
    pinned = entries(lock)
    assert pinned
    assert [name for name, _, hashes in pinned if not hashes] == []


@pytest.mark.parametrize("lock", [LOCK, SPARK_LOCK], ids=lambda path: path.name)
def test_lock_is_of_these_ranges(lock):
    assert pins.digest() in lock.read_text("utf-8").splitlines(), f"a range has changed; {RUN_IT}"


@pytest.mark.parametrize("text", pins.requirements())
def test_each_range_holds_its_pin(text):
    wanted = Requirement(text)
    name = canonicalize_name(wanted.name)
    versions = [version for pinned, version, _ in entries(LOCK) if pinned == name]
    if name == "svcmetrics":
        assert not versions
    else:
        assert versions, f"{name} is not in the lock; {RUN_IT}"
        assert all(version in wanted.specifier for version in versions)


def test_spark_has_a_lock_of_its_own():
    # 450 MB and Java, for those who have a cluster: neither `all` nor the first lock holds it.
    (wanted,) = map(Requirement, pins.spark())
    versions = {name: version for name, version, _ in entries(SPARK_LOCK)}
    assert versions[wanted.name] in wanted.specifier
    assert not set(versions) & {name for name, _, _ in entries(LOCK)}
    assert "spark" not in str(pins.project()["project"]["optional-dependencies"]["all"])


def test_constraints_are_the_lock():
    made = pins.constraints(LOCK.read_text("utf-8"))
    assert pins.CONSTRAINTS.read_text("utf-8") == made, RUN_IT
    assert made.count("==") >= len(entries(LOCK))


def test_conda_environment_is_made_from_pyproject():
    assert pins.CONDA.read_text("utf-8") == pins.conda(), RUN_IT
    conda = yaml.safe_load(pins.CONDA.read_text("utf-8"))
    assert conda["channels"] == ["conda-forge"]
    ranges = {canonicalize_name(Requirement(r).name): Requirement(r) for r in pins.requirements()}
    python = pins.project()["project"]["requires-python"]
    named = []
    for text in (spec for spec in conda["dependencies"] if isinstance(spec, str)):
        spec = MatchSpec(text)
        name = spec.name.normalized
        named.append(name)
        if name not in ("pip", "python"):
            assert SpecifierSet(str(spec.version)) == ranges[name].specifier
        if name == "python":
            assert SpecifierSet(str(spec.version)) == SpecifierSet(python)
    assert set(named) == {"python", "pip", *pins.FROM_CONDA}
    assert conda["dependencies"][-1] == {"pip": ["-c constraints.txt", "-e .[all]"]}


def test_what_the_package_imports_is_declared():
    used = set()
    for path in (ROOT / "svcmetrics").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                used |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                used.add(str(node.module).partition(".")[0])
    foreign = used - sys.stdlib_module_names - {"svcmetrics"}
    project = pins.project()["project"]
    declared = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {pins.split(requirement)[0].replace("-", "_") for requirement in declared}
    names |= {"IPython"}  # ipykernel is IPython's kernel
    assert {
        name for name in foreign if name not in names and f"{name}_framework" not in names
    } == set()


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_machine():
    found = []
    for name in tracked():
        text = (ROOT / name).read_bytes().decode("utf-8", errors="ignore")
        if "\0" not in text and name != "svcmetrics/fonts/OFL.txt":
            found += [(name, hit[0]) for hit in NOT_OURS.finditer(text)]
            if name.startswith(TOOLING):
                found += [(name, hit[0]) for hit in re.finditer(r"\w+:/" r"/\w[^\s]*", text)]
    assert found == []


def test_ci_runs_what_a_person_runs():
    lines = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    script = [line for line in lines if line and not line.startswith("#")]
    assert script == ['cd "$(dirname "$0")/.." && exec python3 dev.py test']


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_help_lists_every_command():
    python = f"PYTHON={sys.executable}"
    said = subprocess.run(["make", "help", python], cwd=ROOT, capture_output=True, text=True)
    assert [line.split()[0] for line in said.stdout.splitlines() if line] == list(commands.COMMANDS)
    targets = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text("utf-8"))
    assert targets
    assert set(targets[1].split()) == set(commands.COMMANDS)


def test_wheel_carries_words_fonts_and_notebooks(tmp_path):
    hatch = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(hatch, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    ours = {name for name in tracked() if name.startswith("svcmetrics/")}
    assert ours <= inside
    notebooks = {name for name in tracked() if name.startswith("notebooks/")}
    assert {name.replace("notebooks/", "svcmetrics/_notebooks/") for name in notebooks} <= inside
    assert not [name for name in inside if name.startswith(("tests", "tools", "data"))]


def test_notebooks_are_not_copied_into_a_working_environment():
    # An editable install uses the folder itself; a copy would grow stale.
    copy = f"{sysconfig.get_path('purelib')}/svcmetrics/_notebooks"
    assert not Path(copy).exists()
