"""What a workflow system calls a step, read as one of the action words of the event table.

A name that says nothing about its action ("T02 Check confirmation") is a piece of work handed on:
"deliver". How many names were read that way is always told.
"""

from __future__ import annotations

import re

import pandas as pd

# The first rule that fits wins: "审批退回" is a return, "不同意" no approval.
_RULES = (
    ("comment", r"^\s*#|批注|评论|备注|留言|抄送|传阅|草稿|保存|\bcomment|\bremark|\bcc\b|process_cc|\bsav(e|ed|ing)\b|"
         r"\bnotif"),
    ("return", r"退回|打回|退件|退单|返工|补正|驳回修改|驳回至|return|send ?back|sent ?back|roll ?back|"
         r"redirect_process|rework"),
    ("resubmit", r"重新提交|再次提交|重提|重新发起|重新申请|resubmi|re-submi|reinitiat|re-initiat|re-?open"),
    ("withdraw", r"撤回|撤销|撤单|撤件|取消|作废|withdr|cancel|recall|revok|terminate"),
    ("reject", r"驳回|拒绝|不同意|不通过|不批准|否决|\breject|_reject|\brefus|\bdeclin|_declin|\bden(y|ied)\b|"
         r"disapprov"),
    ("reassign", r"转办|转交|转派|转审|移交|改派|委托|委派|转发|reassign|transfer|delegat|redirect_task|"
         r"hand ?over|forward"),
    ("resume", r"恢复|解除挂起|重新启动|\bresum"),
    ("pause", r"暂停|挂起|停表|中止|等待|\bpaus|\bsuspend|\bon[ _-]hold\b|\bawait"),
    ("close", r"办结|结案|归档|完结|关闭|终结|\bclose[ds]?\b|payment handled|\bcompleted\b|\barchiv|\bfinish|"
         r"已生效|已开通|已激活|\bactivated\b"),
    ("accept", r"受理|签收|接单|接收|领取|收件|收单|\baccept|preaccept|\backnowledg|in[ _]progress"),
    ("approve", r"同意|审批|批准|通过|核准|审核|审定|签批|会签|复核|approv|\bagree|authori[sz]|\bpass(ed)?\b"),
    ("submit", r"提交|发起|申请|提单|报送|填报|登记|立项|创建|submit|\bcreat|\bregister|\braise|\bapply\b|"
         r"\bopened\b|start_process"),
    ("deliver", r"交付|送达|发放|解决|完成|办理|处理|deliver|\bresolv|\bsolv|\bfulfil"),
)  # fmt: skip
_COMPILED = tuple((action, re.compile(pattern, re.IGNORECASE)) for action, pattern in _RULES)
FALLBACK = "deliver"
# XES lifecycle: "complete" leaves the word to the activity.
_LIFECYCLE = {
    "start": "accept", "schedule": "comment", "assign": "reassign", "reassign": "reassign", "suspend": "pause",
    "resume": "resume", "withdraw": "withdraw", "ate_abort": "withdraw", "pi_abort": "withdraw",
    "autoskip": "comment", "manualskip": "comment", "abort_activity": "withdraw", "abort_case": "withdraw",
}  # fmt: skip
# "Create document" starts a case only when it opens one.
_WEAK = re.compile(r"creat|register|raise|opened|登记|创建|立项|填报", re.IGNORECASE)
_OPENS_NEARLY_ALL = 0.9
# A step that opens cases and comes at most this often per case is their submission.
_ONCE = 1.2
_AUTOMATIC = r"^(system|auto(matic)?|robot|bot|rpa|timer|auto_pass|系统|系统自动|自动|机器人)$"


def action_of(activity: str) -> str:
    """The action word of an activity name, "" when it says nothing about its action."""
    text = re.sub(r"(?<=[a-z0-9])_(?=[A-Za-z])|(?<=[A-Za-z])_(?=[A-Za-z])", " ", str(activity))
    for candidate in (str(activity), text):
        for action, pattern in _COMPILED:
            if pattern.search(candidate):
                return action
    return ""


def guess_actions(activities: pd.Series, first: pd.Series | None = None) -> dict[str, str]:
    """An action word for each distinct activity; ``first``: the activity that opens each case.

    When no name says "submit", the one that opens nearly every case is what starts the service;
    not if it comes again within the cases, for then it is work that happens to come first.
    """
    words = {
        str(a): action_of(a) or FALLBACK for a in sorted(activities.dropna().astype(str).unique())
    }
    if first is None or not len(first) or len(words) == 1:
        return words
    opens = first.astype(str).value_counts(normalize=True)
    start = str(opens.index[0])
    again = (activities.astype("str") == start).sum() > _ONCE * len(first)
    if again:
        return words
    if opens.iloc[0] >= _OPENS_NEARLY_ALL and action_of(start) in ("", "accept", "submit"):
        words |= {
            a: FALLBACK
            for a, w in words.items()
            if w == "submit" and a not in opens and _WEAK.search(a)
        }
        if "submit" not in words.values():
            words[start] = "submit"
    return words


def lifecycle_action(lifecycle: pd.Series, action: pd.Series) -> pd.Series:
    """The action, changed where the lifecycle says that the work only starts, waits or moves on."""
    known = {v: _LIFECYCLE.get(str(v).strip().lower()) for v in lifecycle.dropna().unique()}
    other = lifecycle.astype("object").map({k: v for k, v in known.items() if v})
    return action.where(other.isna(), other)


def is_automatic(actors: pd.Series) -> pd.Series:
    """Whether an actor is the system: such events are no work of anybody."""
    return actors.astype("str").str.strip().str.match(_AUTOMATIC, case=False, na=False)
