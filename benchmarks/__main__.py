"""``python3 dev.py bench [name]``: one of these comparisons, or all of them, one after another."""

import runpy
import sys
from pathlib import Path

NAMES = sorted(p.stem for p in Path(__file__).parent.glob("[!_]*.py"))

if __name__ == "__main__":
    chosen = sys.argv[1:2] or NAMES
    if chosen[0] not in NAMES:
        raise SystemExit(f"benchmarks: {', '.join(NAMES)}")
    for name in chosen:
        print(f"== {name}", flush=True)
        sys.argv = [name, *sys.argv[2:]]
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
