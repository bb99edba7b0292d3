"""The text column 审批记录: what is understood, what is counted as lost."""

from __future__ import annotations

import pytest

from svcmetrics.io.dingtalk_record import ACTIONS, Entry, entries_of
from svcmetrics.io.flat_log import ACTIONS as WORDS

TIME = "2024-03-05 09:02:11"


@pytest.mark.parametrize(
    "text",
    [
        f"王小明|同意|{TIME}|好的;",
        f"王小明|同意|{TIME}|",
        f"王小明｜同意｜{TIME}｜好；\n\n",
        f"王小明|manager7531|同意|{TIME}|好;",
        f"王小明 同意 {TIME} (好)",
        f"王小明: 同意 {TIME}",
    ],
)
def test_one_entry_in_its_variants(text):
    found, lost = entries_of(text)
    assert ([(e.who.rstrip(":"), e.what, e.at) for e in found], lost) == (
        [("王小明", "同意", TIME)],
        0,
    )


def test_a_remark_may_hold_semicolons_and_line_breaks():
    text = f"王小明|退回|{TIME}|缺发票;还缺合同\n请补;李四|同意|2024-03-06 10:00:00|;"
    found, lost = entries_of(text)
    assert [e.what for e in found] == ["退回", "同意"]
    assert lost == 0


def test_what_is_not_understood_is_counted():
    found, lost = entries_of(f"李四|盖了章|{TIME}|;王五|同意|昨天|;赵六|同意|{TIME}|;乱写|一气")
    assert found == [Entry("赵六", "同意", TIME)]
    assert lost == 3


@pytest.mark.parametrize("text", [None, "", " ;;\n", "|||"])
def test_nothing_is_nothing(text):
    assert entries_of(text) == ([], 0)


def test_the_words_are_action_words():
    assert set(ACTIONS.values()) <= set(WORDS)
