"""Action words read from the names that workflow systems give to steps."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.io.actions import action_of, guess_actions, is_automatic, lifecycle_action

WORDS = {
    "submit": [
        "提交",
        "发起申请",
        "Declaration SUBMITTED by EMPLOYEE",
        "A_SUBMITTED",
        "START_PROCESS_INSTANCE",
    ],
    "approve": [
        "审批",
        "同意",
        "部门负责人审批",
        "Declaration FINAL_APPROVED by SUPERVISOR",
        "AUTO_PASS",
    ],
    "return": [
        "退回",
        "退回重提",
        "审批退回",
        "驳回修改",
        "ROLLBACK",
        "REDIRECT_PROCESS",
        "Sent back",
    ],
    "reject": ["驳回", "拒绝", "不同意", "审核不通过", "REJECTED", "A_DECLINED", "REFUSE"],
    "resubmit": ["重新提交", "reinitiate request", "Resubmitted"],
    "withdraw": ["撤回", "撤销", "A_CANCELLED"],
    "reassign": ["转办", "转交", "REDIRECT_TASK", "TRANSFER"],
    "close": ["办结", "归档", "Payment Handled", "Closed", "A_ACTIVATED", "账号已开通"],
    "accept": ["受理", "签收", "Accepted"],
    "comment": ["批注", "抄送", "Declaration SAVED by EMPLOYEE", "PROCESS_CC", "ADD_REMARK"],
    "pause": ["挂起", "On hold"],
    "resume": ["恢复"],
}


@pytest.mark.parametrize(("action", "names"), WORDS.items())
def test_names_tell_their_action(action, names):
    assert {n: action_of(n) for n in names} == dict.fromkeys(names, action)


def test_a_name_without_an_action_says_so():
    for name in (
        "T02 Check confirmation of receipt",
        "Report reasons to hold request",
        "付款",
        "decide",
    ):
        assert action_of(name) == ""
    assert guess_actions(pd.Series(["付款"])) == {"付款": "deliver"}


def test_the_step_that_opens_every_case_starts_the_service():
    steps = pd.Series(["Intake", "Check", "Create document X"])
    assert guess_actions(steps, pd.Series(["Intake"] * 10)) == {
        "Intake": "submit", "Check": "deliver", "Create document X": "deliver",
    }  # fmt: skip
    assert guess_actions(pd.Series(["提交", "审批"]), pd.Series(["审批"] * 10))["审批"] == "approve"


def test_what_is_created_within_a_case_opens_none():
    rows = pd.Series(["A_SUBMITTED", "O_CREATED", "A_REGISTERED"] * 10)
    words = guess_actions(rows, pd.Series(["A_SUBMITTED"] * 10))
    assert words == {"A_SUBMITTED": "submit", "O_CREATED": "deliver", "A_REGISTERED": "deliver"}
    # Where cases are opened in several ways, each of them opens cases.
    assert guess_actions(rows, pd.Series(["A_SUBMITTED", "O_CREATED"]))["O_CREATED"] == "submit"


def test_work_that_comes_first_and_comes_again_is_no_submission():
    rows = pd.Series(["Accepted", "Queued", "Accepted", "Completed"] * 10)
    assert guess_actions(rows, pd.Series(["Accepted"] * 10))["Accepted"] == "accept"


def test_the_lifecycle_changes_the_action_only_before_completion():
    stage = pd.Series(["start", "complete", "SUSPEND", None, "In Progress"])
    action = pd.Series(["approve"] * 5)
    assert lifecycle_action(stage, action).tolist() == [
        "accept",
        "approve",
        "pause",
        "approve",
        "approve",
    ]


def test_the_system_is_no_person():
    assert is_automatic(pd.Series(["SYSTEM", "系统", "系统管理员", None, "甲"])).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]
