"""Same inputs, same bytes: the public pipeline under everything that must not matter.

``python -m tests.same_bytes`` changes one thing at a time and prints what differs; the short test
changes all of them at once. Each run is a process of its own, since the seed of hashes, the numbers
of threads, the locale and ``-O`` are set before Python starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from svcmetrics.privacy.pseudonyms import load_key
from tests.conftest import ROOT

# What a manifest declares to vary: when it was made, and how long that took.
VARIES = {"started", "seconds"}
BASE = {
    "PYTHONHASHSEED": "1", "TZ": "Asia/Shanghai", "LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ENGINE_THREADS": "1",
    "HOME": "/nowhere/wang", "USER": "wang", "LOGNAME": "wang", "FOLDER": "a", "UMASK": "022",
}  # fmt: skip


def _threads(count: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ENGINE_THREADS")
    return dict.fromkeys(names, str(count))


CHANGES: dict[str, dict[str, str]] = {
    "again": {},
    "hash seed": {"PYTHONHASHSEED": "4711"},
    "2 threads": _threads(2),
    "4 threads": _threads(4),
    "time zone": {"TZ": "America/St_Johns"},
    "locale": {"LANG": "en_US.UTF-8", "LC_ALL": "C"},
    "user": {"HOME": "/nowhere/li", "USER": "li", "LOGNAME": "li", "UMASK": "077"},
    "folder": {"FOLDER": "other 文件夹/deep"},
    "-O": {"OPTIMISED": "1"},
}
TOGETHER = {key: value for change in CHANGES.values() for key, value in change.items()}


def outputs(
    study: Path, place: Path, change: dict[str, str], *, page: str = ""
) -> dict[str, bytes]:
    """Run the pipeline on a copy of the study below ``place``; every file it wrote, by name."""
    setting = {**BASE, **change}
    load_key(
        tomllib.loads((study / "study.toml").read_text("utf-8"))["name"], place.parent / "keys"
    )
    home = place / setting["FOLDER"]
    home.mkdir(parents=True)
    shutil.copytree(study, home / "study")
    # Labels of persons in a page hang on the key of the study, which is made by chance.
    shutil.copytree(place.parent / "keys", home / "keys", dirs_exist_ok=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SVCMETRICS", "PYTHON"))}
    env |= setting | {"SVCMETRICS_KEYS": str(home / "keys"), "PYTHONPATH": str(ROOT)}
    # Programs keep caches in the home folder; its name is what must not matter here.
    env |= {"HOME": str(home / setting["USER"]), "MPLCONFIGDIR": str(place.parent / "fonts")}
    option = ["-O"] if "OPTIMISED" in setting else []
    done = subprocess.run(
        [sys.executable, *option, "-m", "tests.same_bytes", "make", page],
        cwd=home, env=env, capture_output=True, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    # The progress of a run tells its seconds; on a slow machine the first run tells of its fonts.
    told = re.sub(r"Matplotlib is building the font cache.*\n", "", done.stdout)
    found = {"said": re.sub(r"\d+ 秒", "", told).encode()}
    for path in sorted((home / "out").rglob("*")):
        if path.is_file():
            found[path.relative_to(home / "out").as_posix()] = _declared(path)
    return found


def _declared(path: Path) -> bytes:
    """The bytes of a file; of a manifest all but what it declares to vary."""
    if not path.name.endswith("manifest.json"):
        return path.read_bytes()
    return json.dumps(_without(json.loads(path.read_text("utf-8"))), sort_keys=True).encode()


def _without(content: object) -> object:
    if isinstance(content, dict):
        return {k: _without(v) for k, v in content.items() if k not in VARIES}
    return content


def differing(one: dict[str, bytes], two: dict[str, bytes]) -> list[str]:
    """The names of files that are not the same in both, or not in both."""
    return sorted(k for k in one.keys() | two.keys() if one.get(k) != two.get(k))


def make(page: str) -> None:
    """The pipeline, in the current folder: the study lies in ``study``, all goes to ``out``."""
    import svcmetrics as svc
    from svcmetrics import cli, plots
    from svcmetrics.io import engine

    os.umask(int(os.environ["UMASK"], 8))
    engine.limit(threads=int(os.environ["ENGINE_THREADS"]))
    out = Path("out")
    out.mkdir()
    cli.main(["--lang", "zh", "check", "study"])
    for sheet in Path("study").glob("*.xlsx"):
        shutil.move(sheet, out)
    study = svc.read_study("study")
    for code in ("zh", "en"):
        svc.use_language(code)
        for name, result in svc.assess(study).items():
            result.table.to_csv(out / f"{name}_{code}.csv", index=False, lineterminator="\n")
            (out / f"{name}_{code}.html").write_bytes(result._repr_html_().encode())
            if name in ("on_time", "groups"):
                (out / f"{name}_{code}.png").write_bytes(plots.picture(result.plot()))
    if status := cli.main(["--lang", "zh", "report", "study", "--out", "out"]):
        raise SystemExit(status)
    if page and (status := cli.main(["run", "study", "--out", "out", "--only", page])):
        raise SystemExit(status)


def main() -> int:
    """One change after the other on a small invented study; the number of changes that matter."""
    from svcmetrics.simulate import simulate

    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        study = simulate(place / "study", events=4000, ratings=3000)
        base = outputs(study, place / "base", {}, page="06")
        for number, (name, change) in enumerate(CHANGES.items()):
            differs = differing(base, outputs(study, place / str(number), change, page="06"))
            wrong += bool(differs)
            print(f"{name:10} {len(base)} files, {len(differs)} differ {differs or ''}", flush=True)  # noqa: T201
    return wrong


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        with contextlib.redirect_stderr(sys.stdout):
            make(sys.argv[2])
        raise SystemExit(0)
    raise SystemExit(main())
