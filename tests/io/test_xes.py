"""XES logs: read whole, or refused by name within seconds and without harm."""

from __future__ import annotations

import gzip

import pytest

from svcmetrics.io import xes
from svcmetrics.io.xes import read_xes
from svcmetrics.problems import StudyError

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def event(name="提交", at="2024-03-01T09:00:00+08:00", more=""):
    time = f'<date key="time:timestamp" value="{at}"/>' if at else ""
    return f'<event><string key="concept:name" value="{name}"/>{time}{more}</event>'


def log(*events, top="", inside="", case="A"):
    trace = f'<trace><string key="concept:name" value="{case}"/>{"".join(events)}</trace>'
    return f'{HEAD}{top}<log xes.version="1.0">{inside}{trace}</log>'


@pytest.fixture
def write(tmp_path):
    def put(text, name="log.xes"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return put


def refused(path):
    with pytest.raises(StudyError) as error:
        read_xes(path)
    return error.value.problems[0]


def test_events_and_cases_become_rows(write):
    text = log(
        event("提交", more='<string key="org:role" value="员工"/>'), event("R&amp;D &lt;b&gt;"),
        inside='<global scope="event"><string key="concept:name" value="name"/></global>'
        '<classifier name="Activity" keys="concept:name"/><string key="creator" value="x"/>',
    )  # fmt: skip
    found = read_xes(write(text.replace("<log ", '<log xmlns="http://www.xes-standard.org/" ')))
    assert found.cases == 1
    assert found.events["concept:name"].tolist() == ["提交", "R&D <b>"]
    assert found.events["case:concept:name"].tolist() == ["A", "A"]
    assert found.events["org:role"].tolist()[0] == "员工"
    assert found.events["org:role"].isna().tolist() == [False, True]


def test_packed_and_plain_are_the_same(write):
    text = log(event(), event("审批")).encode()
    packed = read_xes(write(gzip.compress(text), "log.xes.gz"))
    assert packed.events.equals(read_xes(write(text)).events)


def test_what_is_missing_or_double_is_counted(write):
    text = (
        HEAD + '<log><trace><string key="concept:name" value="A"/>' + event() + event("审核", at="")
        + event("提交", more='<string key="concept:name" value="退回"/>') + "</trace>"
        + '<trace><string key="concept:name" value="B"/></trace><trace>' + event() + "</trace></log>"
    )  # fmt: skip
    found = read_xes(write(text))
    assert (found.cases, found.empty_traces, found.traces_without_id, found.repeated_keys) == (
        3,
        1,
        1,
        1,
    )
    assert found.events["concept:name"].tolist() == ["提交", "审核", "提交", "提交"]
    assert found.repeated_names == ("concept:name",)


def test_a_nested_attribute_is_not_an_attribute_of_the_event(write):
    more = '<list key="l"><values><string key="org:role" value="x"/></values></list>'
    more += '<string key="a" value="1"><string key="b" value="2"/></string>'
    assert set(read_xes(write(log(event(more=more)))).events) == {
        "case:concept:name",
        "concept:name",
        "time:timestamp",
        "a",
    }


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE log [<!ENTITY a "AAAA">]>',
        '<!DOCTYPE log SYSTEM "http://127.0.0.1/x.dtd">',
        '<!DOCTYPE log [<!ENTITY % p SYSTEM "file:' + '///etc/hostname"> %p;]>',
        "<!-- " + "x" * 30_000 + ' --><!DOCTYPE log [<!ENTITY a "A">]>',
    ],
)
def test_a_document_type_is_refused(write, doctype):
    assert refused(write(log(event("&a;"), top=doctype))).key == "xes_doctype"


def test_a_document_type_behind_much_comment_is_refused_too(write):
    top = "<!-- " + "x" * 100_000 + ' --><!DOCTYPE log [<!ENTITY a "A">]>'
    assert refused(write(log(event("&a;"), top=top))).key in ("xes_doctype", "xes_not_a_log")


def test_utf16_cannot_hide_a_document_type(write):
    text = log(event("&a;"), top='<!DOCTYPE log [<!ENTITY a "A">]>').replace("UTF-8", "UTF-16")
    assert refused(write(text.encode("utf-16"))).key == "xes_doctype"


def test_a_cut_off_file_names_the_last_whole_case(write):
    one = log(event(), case="A-1").removesuffix("</log>")
    problem = refused(write(one + '<trace><string key="concept:name" value="A-2"/><event><str'))
    assert (problem.key, problem.values["case"]) == ("xes_cut", "A-1")
    assert "A-1" in problem.say("zh")
    packed = gzip.compress(log(*[event(f"s{i}") for i in range(500)]).encode())
    assert refused(write(packed[: len(packed) // 2], "cut.xes.gz")).key == "file_damaged"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("<!doctype html><html><body>请登录</body></html>", "xes_html"),
        ("<html><body>login</body></html>", "xes_html"),
        ("case,activity\nA,提交\n", "xes_not_a_log"),
        ("", "file_empty"),
        (log(event("退回重提")).encode("gb18030"), "xes_encoding"),
        (log(event(more=f'<string key="note" value="{"x" * 12_000_000}"/>')), "xes_too_large"),
        (
            log(event(more='<string key="a" value="b">' * 5_000 + "</string>" * 5_000)),
            "xes_too_large",
        ),
        (log(event()).replace("</event>", "</evnt>"), "xes_broken"),
    ],
)
def test_other_trouble_has_a_name(write, text, key):
    assert refused(write(text)).key == key


def test_gbk_under_its_own_name_is_read(write):
    text = log(event("退回重提")).replace("UTF-8", "GB18030").encode("gb18030")
    assert read_xes(write(text)).events["concept:name"].tolist() == ["退回重提"]


def test_a_gzip_bomb_is_refused(write, monkeypatch):
    monkeypatch.setattr(xes, "_RATIO_MATTERS_FROM", 2_000_000)
    start = log(event()).removesuffix("</log>").encode()
    assert (
        refused(
            write(
                gzip.compress(start + (b"<!--" + b"x" * 100_000 + b"-->") * 40 + b"</log>"),
                "bomb.xes.gz",
            )
        ).key
        == "zip_bomb"
    )


def test_the_cap_on_bytes_is_a_cap(write):
    path = write(
        gzip.compress(log(*[event(f"step {i}") for i in range(2000)]).encode()), "log.xes.gz"
    )
    with pytest.raises(StudyError) as error:
        read_xes(path, max_bytes=50_000)
    assert error.value.problems[0].key == "zip_bomb"
