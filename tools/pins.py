"""pyproject.toml names ranges; from it come the lock, constraints.txt and environment.yml.

The lock is a list of requirements with hashes and no addresses, so that it works with any
mirror. Its first lines hold a digest of the ranges: a changed range without a new lock fails
in `tests/test_setup.py`.
"""

import hashlib
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from tools import environment, pip_settings
from tools.environment import LOCK, ROOT, SPARK_LOCK, UV_LOCK

CONSTRAINTS = ROOT / "constraints.txt"
CONDA = ROOT / "environment.yml"
MADE_BY = "# Made by `python3 dev.py lock` from pyproject.toml; do not edit."

# What an analyst's conda has already; the rest of the ranges go through pip.
FROM_CONDA = ("jupyterlab", "pandas", "scipy", "statsmodels", "seaborn", "ipywidgets")


def project() -> dict[str, Any]:
    """pyproject.toml, read."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def requirements() -> list[str]:
    """Every requirement of every table of pyproject.toml; Spark has a lock of its own."""
    facts = project()
    tables = [facts["project"]["dependencies"], facts["build-system"]["requires"]]
    extras = facts["project"].get("optional-dependencies", {})
    tables += [table for name, table in extras.items() if name != "spark"]
    tables += facts["dependency-groups"].values()
    return sorted({requirement for table in tables for requirement in table})


def spark() -> list[str]:
    """The requirements of the extra that is not installed by default."""
    return list(project()["project"]["optional-dependencies"]["spark"])


def digest() -> str:
    """One line that changes when a range of pyproject.toml changes."""
    facts = [requirements(), spark(), project()["project"]["requires-python"]]
    return f"# ranges: sha256:{hashlib.sha256(json.dumps(facts).encode()).hexdigest()}"


def constraints(lock: str) -> str:
    """The lock without its hashes: what pip takes beside `-e .`."""
    pins = [line.removesuffix("\\").strip() for line in lock.splitlines() if "==" in line[:80]]
    return "\n".join([MADE_BY, *(pin for pin in pins if re.match(r"[a-z0-9]", pin))]) + "\n"


def conda() -> str:
    """environment.yml."""
    named = {split(requirement)[0]: split(requirement)[1] for requirement in requirements()}
    python = project()["project"]["requires-python"]
    ranges = [f"  - {name}{named[name]}" for name in FROM_CONDA]
    head = [MADE_BY, "name: svcmetrics", "channels:", "  - conda-forge", "dependencies:"]
    pip = ["  - pip", "  - pip:", "      - -c constraints.txt", "      - -e .[all]"]
    return "\n".join([*head, f"  - python{python}", *ranges, *pip]) + "\n"


def split(requirement: str) -> tuple[str, str]:
    """`"pandas>=3,<4"` as a name and a range; extras and markers are left out."""
    found = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*([^;]*)", requirement)
    if not found:
        raise ValueError(f"not a requirement: {requirement!r}")
    return found[1].lower().replace("_", "-"), found[2].strip()


def write(*, upgrade: bool) -> int:
    """Make the lock and what follows from it. Versions in the lock stay unless they must move."""
    environment.make_venv()
    if not environment.install_uv():
        raise environment.SetupError("uv 安装失败 | uv could not be installed.")
    newest = ("--upgrade",) if upgrade else ()
    ranges = ROOT / "build" / "requirements.in"
    ranges.parent.mkdir(exist_ok=True)
    ours = project()["project"]["name"]
    wanted = [line for line in requirements() if split(line)[0] != ours]
    ranges.write_text("\n".join(wanted) + "\n", "utf-8")
    uv_only = ranges.with_name("uv.in")
    uv_only.write_text("uv\n", "utf-8")
    more = ranges.with_name("spark.in")
    more.write_text("\n".join(spark()) + "\n", "utf-8")
    wheels = ("--only-binary", ":all:")
    status = (
        compile_lock(ranges, LOCK, *wheels, *newest)
        or compile_lock(uv_only, UV_LOCK, *wheels, *newest)
        or compile_lock(more, SPARK_LOCK, *newest)  # pyspark comes as source only
    )
    if not status:
        CONSTRAINTS.write_text(constraints(LOCK.read_text("utf-8")), "utf-8")
        CONDA.write_text(conda(), "utf-8")
    return status


def compile_lock(ranges: Path, out: Path, *options: str) -> int:
    """Resolve for all systems and Pythons at once, with the hash of every file."""
    settings = pip_settings.read(environment.program("python"))
    # A side index often holds only the files of one system; the lock needs those of all.
    settings.pop("extra-index-url", None)
    settings.pop("find-links", None)
    oldest = re.search(r"3\.\d+", project()["project"]["requires-python"])
    command = [environment.program("python"), "-m", "uv", "--quiet", "pip", "compile", str(ranges)]
    command += ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-header"]
    command += ["--no-annotate", "-o", str(out), *options]
    command += ["--python-version", oldest[0] if oldest else "3.11"]
    env = environment.clean_environ()
    env |= pip_settings.for_uv(settings, env)
    status = subprocess.call(command, cwd=ROOT, env=env)
    if not status:
        body = "\n".join(x for x in out.read_text("utf-8").splitlines() if not x.startswith("#"))
        head = [MADE_BY] if out == UV_LOCK else [MADE_BY, digest()]
        out.write_text("\n".join([*head, body]) + "\n", "utf-8")
    return status
