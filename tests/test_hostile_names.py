"""Hostile names in every position of every exporter: no live markup, no live formula, nothing evaluated.

The families of names beside the project are played by ``tests/nasty``; here each name also stands
as column header, sheet, file, title, option and label of a drawing.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import nbformat
import openpyxl
import pandas as pd
import pytest
from matplotlib.text import Text

import svcmetrics as svc
from svcmetrics import commands, pages, plots
from svcmetrics.display import table_html
from svcmetrics.impact_record import write_record
from svcmetrics.io.check_sheet import write_checks
from svcmetrics.io.study_files import read_study, write_study
from svcmetrics.io.template import new_study
from svcmetrics.privacy import comments, publish
from svcmetrics.privacy.pseudonyms import load_key
from svcmetrics.problems import Problem
from svcmetrics.report import brief, workbook
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.showing import study_html
from svcmetrics.simulate import company
from svcmetrics.study import Settings, Study
from svcmetrics.widgets.panel import Panel
from svcmetrics.widgets.weights import weights_panel

TURN = "\u202e"
NAMES = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</td></table><svg onload=alert(1)>",
    '" onmouseover="alert(1)', "' onfocus='alert(1)", "</title><script>alert(1)</script>",
    "<a href=javascript:alert(1)>", "&lt;script&gt;alert(1)", "=cmd|'/c calc'!A0", "+1+1", "-2+3",
    "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "{=1+1}", "../../evil", "C:\\evil",
    "/etc/evil", "CON", f"财务{TURN}9.4 部", "{{7*7}}", "{% for x in y %}", "{x.__class__}", "{0}",
    "{estimate}", "%s%n", "$\\frac{$", "$x^2$", "a$b$c\\", "_hidden", "'quoted'", '"quoted"', "a\x00b",
    "=HYPERLINK(\"http://a.invalid\")", "http://a.invalid", "长" * 300, "\ud7ff\ufffe",
]  # fmt: skip
_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_OURS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "div",
        "b",
        "br",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "a",
        "small",
        "code",
        "footer",
        "svg",
        "details",
        "summary",
    ]
)
_DRAWN = frozenset(
    [
        "path",
        "g",
        "defs",
        "use",
        "metadata",
        "clippath",
        "rect",
        "rdf:rdf",
        "cc:work",
        "dc:type",
        "dc:format",
        "dc:date",
        "dc:creator",
        "dc:title",
        "cc:agent",
    ]
)
each_name = pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph|constrained_layout")
        yield


def _result(names: list[str], column: str = "unit", **more: object) -> Result:
    n = len(names)
    table = estimates(
        "groups", groups={column: names}, variant=names, estimate=[float(i) for i in range(n)],
        low=[i - 0.5 for i in range(n)], high=[i + 0.5 for i in range(n)], n=50, group="unclear",
        **more,
    )  # fmt: skip
    said = [Finding("alpha.reversed", {"items": names}, "warning")]
    return Result("groups", table, said, {"dropped": {}}, drawing="intervals")


class _Page(HTMLParser):
    """What a browser makes of a page: tags, attributes that act, and its text."""

    def __init__(self, page: str, foreign: frozenset[str] = frozenset()):
        super().__init__(convert_charrefs=True)
        self.live: list[str] = []
        self.text = ""
        self.rows = 0
        self._known = _OURS | foreign
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.rows += tag == "tr"
        if tag not in self._known:
            self.live.append(tag)
        self.live += [k for k, v in attrs if k.startswith("on") or "javascript:" in (v or "")]

    def handle_data(self, data):
        self.text += data


def _bare(text: object) -> str:
    """A text without what XML and browsers cannot carry."""
    kept = re.sub("_x[0-9A-F]{4}_", "", str(text))
    return "".join(c for c in kept if c.isprintable() and not c.isspace())


def _safe(page: str, *names: str) -> _Page:
    seen = _Page(page, _DRAWN)
    assert seen.live == []
    for name in names:
        assert _bare(name) in _bare(seen.text)
    return seen


# Pages


@each_name
def test_a_shown_result_has_the_name_as_text_and_all_rows(name):
    with svc.speaking("zh"):
        result = _result([name, "B"], column=name, **{name + " ": [name, "x"]})
        seen = _safe(result._repr_html_(), name)
        assert seen.rows == 3
        assert _safe(table_html(pd.DataFrame({name: [name], "n": [1]})), name).rows == 2
    assert f"\n{name}" not in result._repr_html_()


@each_name
def test_pages_of_a_run_have_the_name_as_text(name, tmp_path):
    study = _study([name], title=name)
    _safe(pages.index_page(name, [("04_verify", "failed", name)], "zh"), name)
    _safe(pages.missing_page("04_verify", ("rating",), "en"))
    _safe(study_html(study), name)
    made = write_record(study, tmp_path / "out", kind="run", inputs={name: "0" * 64}, made=[name])
    for file in (p for p in made if p.suffix == ".html"):
        _safe(file.read_text("utf-8"), name)
    assert json.loads(made[0].read_text("utf-8"))["study"] == name
    _inside(tmp_path, made)


def test_a_notebooks_page_has_errors_and_prints_as_text(tmp_path):
    v4 = nbformat.v4
    html = _result(NAMES)._repr_html_()
    outputs = [
        v4.new_output("stream", name="stdout", text="\n".join(NAMES)),
        v4.new_output("error", ename="E", evalue=NAMES[0], traceback=list(NAMES)),
        v4.new_output("display_data", data={"text/html": html, "text/plain": NAMES[0]}),
    ]
    cell = v4.new_code_cell("study.show()", outputs=outputs)
    path = tmp_path / "<img src=x onerror=alert(1)>.ipynb"
    nbformat.write(v4.new_notebook(cells=[cell]), path)
    pages.settle(path)
    page = pages.page(path, "en")
    assert "alert(1)" in page
    lowered = page.lower()
    for live in ("<script>alert", "<img src=x", "<svg onload", "<a href=javascript"):
        assert live not in lowered


@each_name
def test_the_brief_has_the_name_as_text(name):
    said = publish(_result([name, "B"]), count="n")
    tables = {"composite": said, "on_time": said, "reliability": said}
    page = brief(tables, title=name, subtitle=name, language="en", notes={"command": name, name: 1})
    assert _safe(page, name).rows == 3


@pytest.mark.parametrize("code", ["zh", "en"])
def test_the_brief_with_its_drawing_keeps_every_department(code):
    said = publish(_result(NAMES), count="n")
    page = brief({"groups": said, "composite": said}, title="t", language=code)
    turned = [n.replace(TURN, "") for n in NAMES]
    assert _safe(page, *turned).rows == len(NAMES) + 1


def test_a_name_that_turns_the_line_turns_no_other_text():
    names = [f"A{TURN}", "\u2066B"]
    said = publish(_result(names), count="n")
    page = brief({"groups": said}, title="t", language="zh")
    groups = page[page.index('<div class="groups">') :]
    assert TURN not in groups[: groups.index("</div></div>")]
    assert TURN not in _result(names).text and "A, B" in _result(names).say("en")


def test_sliders_show_names_as_text():
    both = [NAMES[0], NAMES[1]]
    data = pd.DataFrame({"target_id": ["A", "B"] * 2, "metric": [both[0]] * 2 + [both[1]] * 2,
                         "estimate": [1.0, 2, 3, 4], "low": 0.0, "high": 5.0})  # fmt: skip
    panel = weights_panel(data, weights=dict.fromkeys(both, 0.5))
    sliders = panel.widget.children[:2]
    assert [s.description for s in sliders] == both
    assert not any(s.description_allow_html for s in sliders)
    panel = Panel({}, lambda _: _result(NAMES))
    assert _Page(panel._text.value).live == []


# Workbooks


def _book(content: bytes) -> list[list[list[object]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [c for sheet in book for row in sheet for c in row]
    assert not [c.value for c in cells if c.data_type == "f"]
    for sheet in book:
        assert 0 < len(sheet.title) <= 31
        assert not set(sheet.title) & set("[]:*?/\\") and not sheet.title.startswith("'")
        away = [c.hyperlink.target for row in sheet for c in row if c.hyperlink]
        assert not any(away)
    assert len({s.title.lower() for s in book}) == len(book.worksheets)
    return [list(map(list, sheet.iter_rows(values_only=True))) for sheet in book]


@each_name
def test_a_workbook_holds_the_name_in_every_place_as_text(name):
    said = publish(_result([name, "B"], column=name), count="n")
    first, table, notes = _book(
        workbook({name: said}, title=name, language="en", notes={name: name})
    )
    wanted = _bare(name)
    assert _bare(first[0][0] or "") == wanted
    top = next(i for i, row in enumerate(table) if "estimate" in row)
    at = table[top].index("estimate")
    assert [_bare(row[0] or "") for row in table[top:]] == [wanted, wanted, "B"]
    assert [row[at] for row in table[top + 1 :]] == [0, 1]
    assert [_bare(c or "") for c in notes[0][:2]] == [wanted, wanted]


def test_sheets_whose_names_become_alike_stay_apart():
    said = publish(_result(["A", "B"]), count="n")
    names = ["x" * 40, "x" * 41, "X" * 42, "a/b", "a:b", "", "'", "History", "[]", "说明 Read me"]
    sheets = _book(workbook(dict.fromkeys(names, said), title="t", language="zh"))
    assert len(sheets) == len(names) + 2


def test_a_name_longer_than_a_cell_is_cut_and_not_lost():
    said = publish(_result(["长" * 40_000, "B"]), count="n")
    sheets = _book(
        workbook({"t": said}, title="长" * 40_000, language="zh", notes={"a": "b" * 40_000})
    )
    assert sheets[0][0][0].startswith("长") and sheets[2][0][1].startswith("bbb")
    assert any(str(row[0]).startswith("长长") for row in sheets[1])
    assert str(sheets[1][1][0])  # the sentence that names it


@pytest.mark.parametrize("name", NAMES[::4], ids=range(0, len(NAMES), 4))
def test_comments_and_the_groups_they_are_about_are_text(name):
    """What people wrote is the least trusted of all: each comment one row, live nowhere."""
    said = pd.DataFrame({"unit": name, "who": range(len(NAMES)), "text": NAMES})
    shown = comments(said, text="text", rater="who", by="unit")
    sheet = next(
        s for s in _book(workbook({name: shown}, title="t", language="zh")) if len(s) > len(NAMES)
    )
    rows = sheet[-len(NAMES) :]
    assert all(_bare(row[0] or "") == _bare(name) for row in rows)
    page = table_html(shown.table)
    assert _safe(page, name, "<script>alert(1)</script>", "{{7*7}}").rows == len(NAMES) + 1


# Text files


def _study(names: list[str], title: str = "names") -> Study:
    unit = pd.DataFrame({"unit_id": [f"u{i}" for i in range(len(names))], "name_zh": names})
    return Study({"unit": unit.assign(is_service_unit=True)}, Settings(name=title))


def _cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def _inside(folder: Path, files: list[Path]) -> None:
    assert all(folder.resolve() in p.resolve().parents for p in files)


@each_name
def test_problems_listed_as_csv_start_no_formula(name, tmp_path):
    problem = Problem("column_unknown", {"title": name, "near": name}, column=name, file=name)
    file = write_checks(tmp_path, [problem, problem])
    rows = _cells(file.read_text("utf-8-sig"))
    assert len(rows) == 3
    assert not [c for row in rows for c in row if c.startswith(_STARTS)]
    _inside(tmp_path, [file])


def test_problems_listed_in_the_workbook_are_text(tmp_path):
    book = new_study(tmp_path / "study")[0]
    wrong = [Problem("column_unknown", {"title": n, "near": n}, column=n, file=n) for n in NAMES]
    write_checks(book, wrong)
    checks = _book(book.read_bytes())
    assert max(len(s) for s in checks if s[0][0] == svc.lang.say("checks.level")) == len(NAMES) + 1


def test_a_study_keeps_names_of_services_items_and_comments(tmp_path):
    names = [n.strip() for n in NAMES if "\x00" not in n and "\ufffe" not in n]
    ids = [f"s{i}" for i in range(len(names))]
    service = pd.DataFrame({"service_id": ids, "provider_id": "u0", "name_zh": names})
    item = pd.DataFrame({"item_id": ids, "dimension": "d", "text_zh": names})
    tables = {"unit": _study(["A"]).tables["unit"], "service": service, "item": item}
    for form in ("csv", "xlsx"):
        target = write_study(Study(tables, Settings(name="x")), tmp_path / form, form=form)
        back = read_study(target)
        assert [_bare(n) for n in back.service["name_zh"]] == [_bare(n) for n in names]
        assert [_bare(n) for n in back.item["text_zh"]] == [_bare(n) for n in names]
        _inside(tmp_path / form, list(target.iterdir()))
    rows = [
        c
        for f in (tmp_path / "csv").glob("*.csv")
        for r in _cells(f.read_text("utf-8-sig"))
        for c in r
    ]
    assert not [c for c in rows if c.startswith(_STARTS)]
    _book((tmp_path / "xlsx" / "study.xlsx").read_bytes())


def test_what_a_person_is_handed_starts_no_formula(tmp_path, capsys):
    names = [n.strip() for n in NAMES if "\x00" not in n and "\ufffe" not in n]
    study = company(events=200, ratings=600)
    rating = study.tables["rating"]
    rating = (
        (rating if isinstance(rating, pd.DataFrame) else rating.execute()).head(len(names)).copy()
    )
    rating["rater_key"] = "r1"
    rating["item_id"] = [f"i{k}" for k in range(len(names))]
    rating["target_id"] = names
    write_study(Study({"rating": rating}, Settings(name="x")), tmp_path / "study")
    commands.person(SimpleNamespace(dir=tmp_path / "study", who="r1", rows=True))
    rows = _cells(capsys.readouterr().out)
    start = next(i for i, row in enumerate(rows) if "rater_key" in row and len(row) > 2)
    cells = [c for row in rows[start:] for c in row if len(row) > 2]
    assert not [c for c in cells if c.startswith(_STARTS)]
    assert len([r for r in rows[start + 1 :] if len(r) > 2]) == len(names)


# Paths


@each_name
def test_a_study_called_like_a_path_writes_inside(name, tmp_path):
    load_key(name, tmp_path / "keys")
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) == 1 and files[0].parent == tmp_path / "keys"


# Sentences and drawings


@each_name
@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_sentence_evaluates_no_name(name, code):
    said = Finding("alpha.reversed", {"items": [name]}).say(code)
    assert _bare(name) in _bare(said)
    assert _bare(name) in _bare(Problem("column_unknown", {"title": name, "near": ""}).say(code))


_COLUMNS = ["$\\frac{$", "a$b$c\\", "_hidden", "</text><script>alert(1)</script>"]


@pytest.mark.parametrize("column", _COLUMNS, ids=range(len(_COLUMNS)))
@pytest.mark.parametrize("kind", ["intervals", "groups", "by_rule", "d_study"])
def test_a_drawing_shows_names_as_typed(column, kind):
    half = NAMES[_COLUMNS.index(column) :: len(_COLUMNS)]
    table = _result(half, column=column).table
    if kind == "d_study":  # one line per name, the column on the axis and in the legend
        pairs = {
            column: [1, 2] * 3,
            f"{column} ": [n for n in (column, "$x^2$", "_b") for _ in "12"],
        }
        table = estimates("phi", groups=pairs, variant="phi", estimate=0.5, low=0.4, high=0.6)
    ax = plots.draw(kind, table, about={"metric": column, "of": column, "unit": column})
    picture = plots.picture(ax, "svg").decode()
    _safe(picture[picture.index("<svg") :])
    assert not [t for t in ax.figure.findobj(Text) if t._preprocess_math(t.get_text())[1]]
    if kind == "d_study":
        assert len(ax.get_legend().get_texts()) == 3


def test_a_name_that_begins_with_an_underscore_stays_in_the_legend():
    table = _result(["_hidden", "B"]).table.assign(variant=["_rule", "_other"])
    ax = plots.draw("by_rule", table, about={"metric": "x"})
    assert [t.get_text().strip() for t in ax.get_legend().get_texts()] == ["_rule", "_other"]
