"""Write the index of metrics in README.md from the registry; ``--check`` only compares."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

from svcmetrics import lang
from svcmetrics.metric import REGISTRY

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- index of metrics: made by tools/readme_index.py -->", "<!-- end of index -->"
QUESTIONS = ("design", "measure", "rate", "verify", "weigh", "score", "pilot")


def load_all() -> None:
    """Import every question folder, so that the registry is complete."""
    for question in QUESTIONS:
        package = importlib.import_module(f"svcmetrics.{question}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"svcmetrics.{question}.{module.name}")


def index() -> str:
    """The index as a Markdown table, by folder and name."""
    rows = ["| call | 中文 | answers |", "|---|---|---|"]
    for question in QUESTIONS:
        for entry in sorted(
            (m for m in REGISTRY.values() if m.question == question), key=lambda m: m.name
        ):
            name = lang.say(f"metric.{entry.name}", "zh")
            rows.append(
                f"| `{entry.question}.{entry.name}` | {name} | {entry.summary.replace('|', '/')} |"
            )
    return "\n".join(rows)


def with_index(text: str) -> str:
    """The README's text with the index put between its two marks."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n{index()}\n{END}{rest.split(END)[1]}"


def main() -> int:
    load_all()
    text = README.read_text("utf-8")
    new = with_index(text)
    if "--check" in sys.argv:
        return int(new != text)
    README.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
