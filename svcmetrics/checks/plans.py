"""Rules of the questionnaire and of who was asked to rate whom; persons must be pseudonyms."""

from __future__ import annotations

import pandas as pd

from svcmetrics.checks.structure import PERSON_COLUMNS
from svcmetrics.checks.view import View, filled, some

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
    "范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文"
)
# An e-mail address, a telephone or identity number, a Chinese name, "First Last".
_PERSON = (
    rf"@|^(?:\+?86[- ]?)?1[3-9]\d{{9}}$|^\d{{17}}[\dXx]$|^[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}$"
    r"|^(?:欧阳|上官|司马|诸葛)[\u4e00-\u9fff]{1,2}$|^[A-Z][a-z]+(?: [A-Z]\.?)? [A-Z][a-z]+$"
)


def check(view: View) -> None:
    """Items, plan rows, pseudonyms."""
    _items(view)
    _plan(view)
    for name in ("plan", "rating", "event", "judgement", "relevance"):
        table = view.table(name)
        for column in PERSON_COLUMNS if table is not None else ():
            if table is not None and column in table.columns:
                named = _like_a_person(table[column])
                view.say("person_shown", name, named, column=column, level="warning")


def _like_a_person(values: pd.Series) -> pd.Series:
    """Which keys look like a name, an address or a number of a person."""
    distinct = pd.Series(values.dropna().unique()).astype("str")
    return values.isin(distinct[distinct.str.contains(_PERSON, regex=True, na=False)])


def _items(view: View) -> None:
    item = view.table("item", "item_id", "min", "max")
    if item is None:
        return
    view.say("scale_reversed", "item", item["max"] <= item["min"], column="max")
    wordless = ~filled(item, "text_zh") & ~filled(item, "text_en")
    view.say("text_missing", "item", wordless, column="text_zh", level="warning")


def _plan(view: View) -> None:
    plan = view.table("plan", "wave", "rater_key", "target_id")
    if plan is None:
        return
    pair = [c for c in ("wave", "rater_key", "target_id", "service_id") if c in plan.columns]
    view.say("plan_twice", "plan", plan.duplicated(pair, keep=False), column="target_id")
    waves = [w.id for w in view.study.settings.waves]
    if waves:
        unknown = plan["wave"].notna() & ~plan["wave"].isin(waves)
        view.say(
            "wave_unknown",
            "plan",
            unknown,
            column="wave",
            bad=some(plan.loc[unknown, "wave"]),
            known=waves,
        )
    if "rater_unit_id" in plan.columns:
        own = plan["rater_unit_id"].notna() & (plan["rater_unit_id"] == plan["target_id"])
        view.say("rates_own_unit", "plan", own, column="target_id", level="warning")
        units = plan.groupby(["wave", "rater_key"])["rater_unit_id"].transform("nunique")
        view.say("rater_two_units", "plan", units > 1, column="rater_unit_id", level="warning")
    if "mode" in plan.columns:
        keyed = (plan["mode"] == "anonymous") & plan["rater_key"].duplicated(keep=False)
        view.say("anonymous_keyed", "plan", keyed, column="mode", level="warning")
    _forms(view, plan)


def _forms(view: View, plan: pd.DataFrame) -> None:
    item = view.table("item", "form_version")
    if item is not None and "form_version" in plan.columns:
        unknown = plan["form_version"].notna() & ~plan["form_version"].isin(item["form_version"])
        bad = some(plan.loc[unknown, "form_version"])
        known = some(item["form_version"])
        view.say(
            "form_version_unknown", "plan", unknown, column="form_version", bad=bad, known=known
        )
