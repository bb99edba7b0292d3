"""The architecture page, enforced: one name everywhere, small files, nothing ambient."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import svcmetrics
from svcmetrics import lang
from svcmetrics.metric import REGISTRY

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "svcmetrics"
QUESTIONS = ("design", "measure", "rate", "verify", "weigh", "score", "pilot")
FILES = sorted(PACKAGE.rglob("*.py"))
# Lines of code, docstrings and blank lines apart.
FILE_LINES, FUNCTION_LINES = 200, 40


def _load_all() -> None:
    for question in QUESTIONS:
        package = importlib.import_module(f"svcmetrics.{question}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"svcmetrics.{question}.{module.name}")


def _docstring_lines(node: ast.AST) -> int:
    text = ast.get_docstring(node, clean=False) if hasattr(node, "body") else None
    return len(text.splitlines()) if text else 0


def _documented(tree: ast.AST) -> list[ast.AST]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [n for n in ast.walk(tree) if isinstance(n, kinds)]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_files_and_functions_stay_small(path):
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    lines = sum(bool(line.strip()) for line in text.splitlines())
    assert lines - sum(_docstring_lines(n) for n in _documented(tree)) <= FILE_LINES
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1 - _docstring_lines(node)
            assert length <= FUNCTION_LINES, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_no_assert_and_no_vague_names(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert not any(isinstance(n, ast.Assert) for n in ast.walk(tree)), "errors must teach"
    assert path.stem not in {"utils", "helpers", "common", "misc"}


def test_a_metric_is_a_file_a_test_and_a_phrase():
    _load_all()
    sentences = lang.phrases("en")
    for name, entry in REGISTRY.items():
        assert (PACKAGE / entry.question / f"{name}.py").is_file(), name
        assert (ROOT / "tests" / entry.question / f"test_{name}.py").is_file(), name
        assert f"metric.{name}" in sentences, name
        assert any(key.startswith(f"{name}.") for key in sentences), name
        assert (
            getattr(importlib.import_module(f"svcmetrics.{entry.question}"), name) is entry.function
        )


def test_a_metric_explains_itself():
    _load_all()
    for name, entry in REGISTRY.items():
        text = entry.function.__doc__ or ""
        assert text.strip(), name
        assert entry.source.strip(), name
        assert ">>>" in text, f"{name}: the docstring shows an example"


def test_public_functions_take_at_most_seven_arguments():
    _load_all()
    for name, entry in REGISTRY.items():
        code = entry.function.__wrapped__.__code__
        assert code.co_argcount + code.co_kwonlyargcount <= 10, name
        # A formula, such as "score ~ target + rater", reads best right after the data.
        others = code.co_varnames[1 : code.co_argcount]
        assert others in ((), ("formula",)), f"{name}: the data first, all else by keyword"


def test_both_languages_have_the_same_keys_and_blanks():
    zh, en = lang.phrases("zh"), lang.phrases("en")
    assert zh.keys() == en.keys()
    for key in zh:
        assert lang.blanks(zh[key]) == lang.blanks(en[key]), key


def test_chinese_sentences_are_chinese_and_english_ones_are_english():
    exempt = re.compile(r"^(metric|variant|header|word|column|sheet)\.")
    for key, text in lang.phrases("en").items():
        # An English sentence may quote the Chinese headers of a foreign file.
        chinese = len(re.findall(r"[\u4e00-\u9fff]", text))
        assert chinese <= len(text) / 3 or exempt.match(key) or key == "check.sheet", key
    for key, text in lang.phrases("zh").items():
        plain = re.sub(r"\{[^}]*\}", "", text)
        if len(plain) > 12 and not exempt.match(key):
            assert re.search(r"[\u4e00-\u9fff]", plain), key


def test_question_folders_load_nothing_of_one_another():
    for question in QUESTIONS:
        for path in (PACKAGE / question).rglob("*.py"):
            named = set(re.findall(r"svcmetrics\.(\w+)", path.read_text("utf-8")))
            assert not named & (set(QUESTIONS) - {question}), path


def test_the_readme_index_lists_every_metric():
    _load_all()
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(\w+)\.(\w+)` \|", readme, flags=re.MULTILINE))
    assert rows == {(m.question, m.name) for m in REGISTRY.values()}


def test_the_version_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == svcmetrics.__version__
    assert f"## {svcmetrics.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
