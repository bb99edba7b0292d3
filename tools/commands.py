"""The commands of `dev.py`: each makes sure of the environment, then runs one or two programs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from tools import environment, pins
from tools.environment import ROOT

Command = Callable[[list[str]], int]

# Ours are many small tasks; a second BLAS thread makes them slower, and two test workers use
# both cores already.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

LITTER = (
    "build",
    "dist",
    "outputs",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".mutants",
)


def run(program: str, *args: str) -> int:
    """Run a program of the environment in the project folder; its exit status is ours."""
    env = {**environment.clean_environ(), **ONE_THREAD}
    return subprocess.call([environment.program(program), *args], cwd=ROOT, env=env)


def first_failure(*steps: tuple[str, ...]) -> int:
    """Run steps until one fails."""
    return next((status for step in steps if (status := run(*step))), 0)


def pilot(args: list[str]) -> int:
    """运行示例研究，结果在 outputs/pilot | Run the example study; results go to outputs/pilot"""
    study = ("data/pilot", "--out", "outputs/pilot", *args)
    return first_failure(("svcmetrics", "run", *study), ("svcmetrics", "report", *study))


def test(args: list[str]) -> int:
    """运行测试（--spark：含 Spark；其余参数交给 pytest）| Run the tests (--spark: those of Spark too)"""
    wanted = "--spark" in args or (os.environ.get("CI") == "true" and shutil.which("java"))
    if wanted and not environment.ensure_spark():
        print("Spark 未能安装，其测试将跳过 | Spark could not be installed: its tests are skipped")
    # What needs the one Spark session runs on one worker.
    rest = [argument for argument in args if argument != "--spark"]
    return run("python", "-m", "pytest", "-n", "2", "--dist", "loadgroup", *rest)


def check(args: list[str]) -> int:
    """评审前检查：格式、类型、导入方向 | What the reviewer runs: style, types, imports"""
    steps = [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports",),
        ("python", "-m", "pytest", "-q", "tests/test_setup.py"),
    ]
    if (ROOT / "tests/test_notebooks.py").exists():
        steps.append(("python", "-m", "pytest", "-q", "tests/test_notebooks.py", "-k", "hygiene"))
    # All of them run, so that one round of mending is enough.
    return max([run(*step) for step in steps])


def env(args: list[str]) -> int:
    """建立或更新 .venv | Make or update .venv"""
    print(f"环境就绪 | Ready: {environment.program('python')}")
    return 0


def lock(args: list[str]) -> int:
    """由 pyproject.toml 重写锁定文件 | Rewrite lock, constraints.txt and environment.yml"""
    return pins.write(upgrade="--upgrade" in args)


def fonts(args: list[str]) -> int:
    """重做中文字体子集 | Build the Chinese font subset again"""
    return run("python", "-m", "tools.fonts", *args)


def example(args: list[str]) -> int:
    """重新生成示例研究 data/pilot | Generate the example study again"""
    return run("svcmetrics", "simulate", "data/pilot", *args)


def format_code(args: list[str]) -> int:
    """整理代码格式 | Tidy the code"""
    return first_failure(("ruff", "check", "--fix", "."), ("ruff", "format", "."))


def notebooks(args: list[str]) -> int:
    """在 JupyterLab 中打开笔记本 | Open the notebooks in JupyterLab"""
    # Kernels talk through files, not network ports, wherever the system can do it.
    private = () if os.name == "nt" else ("--KernelManager.transport=ipc",)
    return run("jupyter", "lab", "notebooks", *private, *args)


def bench(args: list[str]) -> int:
    """与同类软件比速度 | Compare speed with other software"""
    return run("python", "-m", "benchmarks", *args)


def fuzz(args: list[str]) -> int:
    """用损坏的文件试读（FUZZ_EXAMPLES：个数）| Feed damaged files to the readers (FUZZ_EXAMPLES: how many)"""
    os.environ.setdefault("FUZZ_EXAMPLES", "300")
    return run("python", "-m", "pytest", "-q", "tests/fuzz", *args)


def mutants(args: list[str]) -> int:
    """改动代码，看测试是否发觉 | Change the code in small ways: do the tests notice?"""
    return run("python", "-m", "tools.mutants", *args)


def unchanged(args: list[str]) -> int:
    """同样的数据，同样的数字（--write：写入新记录）| Same data, same numbers (--write: keep the new ones)"""
    return run("python", "-m", "tests.unchanged", *args)


def same_bytes(args: list[str]) -> int:
    """同样的输入，同样的字节 | Same inputs, same bytes: threads, locale, zone, folder, …"""
    return run("python", "-m", "tests.same_bytes", *args)


def clean(args: list[str]) -> int:
    """删除缓存和 outputs，保留 .venv | Remove caches and outputs; .venv stays"""
    caches = [p for p in ROOT.rglob("__pycache__") if ".venv" not in p.parts]
    for path in [*(ROOT / name for name in LITTER), *caches]:
        shutil.rmtree(path, ignore_errors=True)
    return 0


def show_help(args: list[str]) -> int:
    """列出这些命令 | List these commands"""
    for name, command in COMMANDS.items():
        print(f"  {name:<10} {command.__doc__}")
    return 0


COMMANDS: dict[str, Command] = {
    "pilot": pilot,
    "test": test,
    "check": check,
    "env": env,
    "lock": lock,
    "fonts": fonts,
    "example": example,
    "format": format_code,
    "notebooks": notebooks,
    "bench": bench,
    "fuzz": fuzz,
    "mutants": mutants,
    "unchanged": unchanged,
    "same-bytes": same_bytes,
    "clean": clean,
    "help": show_help,
}
# `lock` mends a lock that cannot be installed, so it must not ask for the installed set.
NEEDS_NO_ENVIRONMENT = {"help", "clean", "lock"}


def main(args: list[str]) -> int:
    """Run the command named by the first word; no word means help."""
    # A Chinese sentence must reach a console of any code page.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    name, *rest = args or ["help"]
    if name in ("-h", "--help"):
        name = "help"
    if name not in COMMANDS:
        print(f"没有这个命令 | No such command: {name}\n", file=sys.stderr)
        show_help([])
        return 2
    try:
        if name not in NEEDS_NO_ENVIRONMENT:
            environment.ensure()
        return COMMANDS[name](rest)
    except environment.SetupError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
