"""Make `.venv`: everything in it is checked against a hash, and a stamp says when it is done."""

import hashlib
import json
import os
import platform
import subprocess
import sys
import tomllib
from pathlib import Path

from tools import pip_settings

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "svcmetrics.stamp"
LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "tools" / "uv.lock"
SPARK_STAMP = VENV / "svcmetrics-spark.stamp"
SPARK_LOCK = ROOT / "requirements-spark.lock"

# Of the caller's variables, those that would send packages or imports elsewhere.
# PYTHONDONTWRITEBYTECODE would make every start compile seaborn again: 8 s instead of 2.4 s.
UNWANTED = (
    "PIP_PREFIX",
    "PIP_TARGET",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_NO_BINARY",
    "UV_REQUIRE_HASHES",
    "VIRTUAL_ENV",
)


class SetupError(Exception):
    """The environment could not be made; the message says what to do."""


def clean_environ() -> dict[str, str]:
    """The caller's environment without what would lead a set-up astray."""
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    return {**kept, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}


def program(name: str) -> str:
    """The path of a program in the environment."""
    if os.name == "nt":
        return str(VENV / "Scripts" / f"{name}.exe")
    return str(VENV / "bin" / name)


def wanted_stamp() -> str:
    """What the environment depends on, as one hash: both locks, our metadata, Python, place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    parts = [
        LOCK.read_text("utf-8"),
        UV_LOCK.read_text("utf-8"),
        json.dumps([project["project"], project["tool"]["hatch"]], sort_keys=True),
        platform.python_version(),
        sys.platform,
        platform.machine(),
        str(VENV),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def ensure() -> None:
    """Bring `.venv` up to date; return at once when it is."""
    stamp = wanted_stamp()
    if STAMP.exists() and STAMP.read_text("utf-8") == stamp and Path(program("python")).exists():
        return
    print(
        "正在建立环境，首次约一分钟 | Setting up .venv, about a minute the first time", flush=True
    )
    for done in (STAMP, SPARK_STAMP):  # what is not in the lock will be taken out
        done.unlink(missing_ok=True)
    make_venv()
    if not (install_uv() and install_with_uv()):
        print("uv 不可用，改用 pip（较慢）| uv does not work here: using pip, slower", flush=True)
        install_with_pip()
    STAMP.write_text(stamp, "utf-8")


def make_venv() -> None:
    """Make `.venv`, again from nothing when it belongs to another Python."""
    if venv_version() != platform.python_version():
        if Path(sys.prefix) == VENV:
            raise SetupError("请用系统的 Python 运行 dev.py | Run dev.py with the system's Python.")
        made = subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)])
        if made:
            raise SetupError(
                "无法建立 .venv：请安装 Python 的 venv 和 ensurepip（Debian：python3-venv）。\n"
                "Could not make .venv: install Python's venv and ensurepip (Debian: python3-venv)."
            )
    make_pip()


def make_pip() -> None:
    """uv makes environments without pip, and takes it out of them."""
    if python("-m", "pip", "--version", quiet=True):
        python("-m", "ensurepip", "--default-pip", quiet=True)


def venv_version() -> str:
    """The Python of the present `.venv`; empty when there is none that starts."""
    config = VENV / "pyvenv.cfg"
    if not config.exists() or not Path(program("python")).exists():
        return ""
    lines = (line.partition("=") for line in config.read_text("utf-8").splitlines())
    facts = {key.strip(): value.strip() for key, _, value in lines}
    version = facts.get("version") or facts.get("version_info", "")
    return ".".join(version.split(".")[:3])


def install_uv() -> bool:
    """uv itself comes through pip, which knows the user's mirror, and against a hash."""
    return not python(*PIP_INSTALL, "-r", str(UV_LOCK))


def install_with_uv() -> bool:
    """The locked set, then the package; ready-made wheels only, because building one would
    fetch build tools that no lock knows."""
    extra = uv_environ()
    uv = ("-m", "uv", "--quiet", "pip")
    target = ("--python", program("python"))
    sync = (*uv, "sync", *target, "--require-hashes", "--only-binary", ":all:", *COMPILE)
    package = (*uv, "install", *target, "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    return not (
        python(*sync, str(LOCK), str(UV_LOCK), extra=extra) or python(*package, extra=extra)
    )


def uv_environ() -> dict[str, str]:
    """What pip knows about mirrors, in the variables of uv."""
    return pip_settings.for_uv(pip_settings.read(program("python")), dict(os.environ))


# Twice quiet: errors only. pip warns of every mirror folder that lacks a package.
PIP_INSTALL = ("-m", "pip", "install", "-qq", "--require-hashes", "--only-binary", ":all:")
COMPILE = ("--compile-bytecode",)


def install_with_pip() -> None:
    """The slow way to the same set."""
    make_pip()
    package = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e")
    if python(*PIP_INSTALL, "-r", str(LOCK)) or python(*package, str(ROOT)):
        raise SetupError(
            "安装未完成。请检查网络，或 pip 的镜像、代理设置（pip config list），再运行一次。\n"
            "The set-up did not finish. Check the network, or pip's mirror and proxy "
            "(pip config list), and run it again."
        )


def ensure_spark() -> bool:
    """Spark on top of `.venv`, for its tests only: 450 MB that nobody else has to fetch."""
    stamp = hashlib.sha256(SPARK_LOCK.read_bytes()).hexdigest()
    if SPARK_STAMP.exists() and SPARK_STAMP.read_text("utf-8") == stamp:
        return True
    print("正在安装 Spark，约 450 MB | Installing Spark, about 450 MB", flush=True)
    # It comes as source, and is built with what the first lock has installed.
    options = ("--require-hashes", "--no-deps", "--no-build-isolation", "-r", str(SPARK_LOCK))
    uv = ("-m", "uv", "--quiet", "pip", "install", "--python", program("python"))
    pip = ("-m", "pip", "install", "-qq")
    if python(*uv, *options, extra=uv_environ()) and python(*pip, *options):
        return False
    SPARK_STAMP.write_text(stamp, "utf-8")
    return True


def python(*args: str, quiet: bool = False, extra: dict[str, str] | None = None) -> int:
    """Run the environment's Python and give back its exit status."""
    silent = subprocess.DEVNULL if quiet else None
    env = {**clean_environ(), **(extra or {})}
    command = [program("python"), *args]
    return subprocess.call(command, cwd=ROOT, env=env, stdout=silent, stderr=silent)
