"""The brief: one page for leadership, from published tables only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from svcmetrics import lang
from svcmetrics.display import phrase, word
from svcmetrics.privacy import Published
from svcmetrics.report.departments import department_lines, written
from svcmetrics.study import MIN_RATERS
from svcmetrics.typeface import FACE, FAMILY

# The order of the three words is the order on the page.
GROUPS = ("above", "unclear", "below")
# What the page says in sentences, and how many of them at most.
_READINGS = {"on_time": 1, "returns": 1, "response": 2, "reliability": 1}
# What must be seen beside the numbers: who stands in no group, a scale that was guessed, and why
# intervals or scores are missing.
_MUST_BE_SEEN = (
    "assess.few_raters", "assess.scale_from_answers", "publish.no_spread", "publish.too_large",
)  # fmt: skip
# Criteria that are shares; the others are a ratio, a coefficient and minutes.
_SHARES = ("on_time", "response", "formality", "copying")


def brief(
    tables: Mapping[str, Published],
    *,
    title: str,
    language: str,
    subtitle: str = "",
    banners: Sequence[str] = (),
    notes: Mapping[str, Any] | None = None,
) -> str:
    """The one-page brief as HTML that needs no network and prints on one sheet of A4.

    ``tables``: published tables by the names that ``assess`` gives them; what is not there is left
    out. ``banners``: keys of sentences that must be seen first, such as "pilot, not for reward".
    ``notes``: for the footer. Departments stand in three groups and in alphabetical order.
    """
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    loader = PackageLoader("svcmetrics.report", ".")
    page = Environment(loader=loader, autoescape=True, trim_blocks=True)
    with lang.speaking(language):
        head, rows = department_lines(tables)
        return page.get_template("brief.html.j2").render(
            face=Markup(FACE),  # noqa: S704 - our own constant
            family=Markup(FAMILY),  # noqa: S704 - our own constant
            language=language,
            title=title,
            subtitle=subtitle,
            banners=[lang.say(key) for key in banners],
            groups=_groups(tables["groups"]) if "groups" in tables else [],
            figure=_figure(tables["groups"]) if "groups" in tables else "",
            head=head,
            rows=rows,
            readings=_readings(tables),
            gate=_gate(tables["gate"]) if "gate" in tables else [],
            gate_findings=_gate_said(tables["gate"], banners) if "gate" in tables else [],
            say=lang.say,
            how=[lang.say(f"brief.how_{n}", least=_floor(tables)) for n in (1, 2, 3)],
            footer=" · ".join(
                f"{phrase(f'note.{k}', k)}: {v}" for k, v in (notes or {}).items() if v
            ),
        )


def _groups(published: Published) -> list[dict[str, str]]:
    table = published.table[published.table["shown"]]
    target = table.columns[0]
    joint = "、" if lang.language() == "zh" else ", "
    return [
        {
            "word": group,
            "title": lang.say(f"group.{group}"),
            "names": lang.plain(
                joint.join(sorted(table.loc[table["group"] == group, target].astype(str)))
            )
            or lang.MISSING,
        }
        for group in GROUPS
    ]


def _readings(tables: Mapping[str, Published]) -> list[dict[str, str]]:
    scores = [tables[key] for key in ("groups", "composite", "adjust") if key in tables]
    told = {f.key: f for table in scores for f in table.findings if f.key in _MUST_BE_SEEN}
    first = [{"level": f.level, "text": f.say()} for f in told.values()]
    return first + [
        line
        for key, most in _READINGS.items()
        if key in tables
        for line in _said(tables[key], most)
    ]


def _floor(tables: Mapping[str, Published]) -> int:
    """The group size that the page was published with."""
    return max((p.min_n for p in tables.values()), default=MIN_RATERS)


def _said(published: Published, most: int) -> list[dict[str, str]]:
    return [{"level": f.level, "text": f.say()} for f in published.findings[:most]]


def _gate_said(published: Published, banners: Sequence[str]) -> list[dict[str, str]]:
    """What the gate says, without what stands at the head of the page already."""
    seen = {lang.say(key) for key in banners}
    return [line for line in _said(published, 9) if line["text"] not in seen]


def _gate(published: Published) -> list[list[str]]:
    """Criterion, verdict and evidence of each row that stands for a criterion."""
    table = published.table
    rows = table[table["metric"] == "gate"].to_dict("records")
    name = table.columns[0]
    # A criterion comes by its key or, once names are put in, by the words that stand for it.
    shares = {*_SHARES, *(phrase(f"criterion.{key}", key) for key in _SHARES)}
    return [
        [
            phrase(f"criterion.{r[name]}", str(r[name])),
            word("variant", r["variant"]),
            written(r, "{:.0%}" if str(r[name]) in shares else "{:.2f}", seen=True),
        ]
        for r in rows
    ]


def _figure(published: Published) -> Any:
    """The drawing of the published table as inline SVG; letters as outlines, so no font is needed."""
    from markupsafe import Markup

    from svcmetrics import plots

    table = published.table
    kind = published.drawing or "intervals"
    ax = plots.draw(kind, table[table["shown"]], about={"metric": published.name})
    text = plots.picture(ax, "svg").decode()
    return Markup(text[text.index("<svg") :])  # noqa: S704 - our own drawing; its letters are outlines
