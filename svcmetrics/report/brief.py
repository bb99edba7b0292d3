"""The brief: one page for leadership, from published tables only."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from svcmetrics import lang
from svcmetrics.display import cell, header, phrase, word
from svcmetrics.privacy import Published
from svcmetrics.typeface import FACE, FAMILY

# The order of the three words is the order on the page.
GROUPS = ("above", "unclear", "below")


@dataclass(frozen=True)
class Section:
    """One part of the brief: a question as its title, a published table, and whether to draw it."""

    key: str
    published: Published
    figure: bool = False
    columns: tuple[str, ...] = ()  # none: the reading alone, without a table


def brief(
    sections: Sequence[Section],
    *,
    title: str,
    language: str,
    subtitle: str = "",
    banners: Sequence[str] = (),
    groups: Published | None = None,
    notes: Mapping[str, Any] | None = None,
) -> str:
    """The one-page brief as HTML that needs no network and prints on A4.

    ``sections``: what to show, in order. ``banners``: keys of sentences that must be seen first, such
    as "pilot, not for reward". ``groups``: the published table of ``score.groups``; departments
    appear in three groups, in alphabetical order, never ranked. ``notes``: for the footer.
    """
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    page = Environment(
        loader=PackageLoader("svcmetrics.report", "."), autoescape=True, trim_blocks=True
    ).get_template("brief.html.j2")
    with lang.speaking(language):
        return page.render(
            face=Markup(FACE),  # noqa: S704 - our own constant
            family=Markup(FAMILY),  # noqa: S704 - our own constant
            language=language,
            title=title,
            subtitle=subtitle,
            banners=[lang.say(key) for key in banners],
            groups=_groups(groups) if groups else [],
            sections=[_shown(s) for s in sections],
            how_title=lang.say("brief.how_title"),
            how=[lang.say(f"brief.how_{n}") for n in (1, 2, 3, 4)],
            footer=" · ".join(f"{phrase(f'note.{k}', k)}: {v}" for k, v in (notes or {}).items()),
        )


def _groups(published: Published) -> list[dict[str, str]]:
    table = published.table[published.table["shown"]]
    target = table.columns[0]
    joint = "、" if lang.language() == "zh" else ", "
    return [
        {
            "word": word,
            "title": lang.say(f"brief.group_{word}"),
            "names": joint.join(sorted(table.loc[table["group"] == word, target].astype(str)))
            or lang.MISSING,
        }
        for word in GROUPS
    ]


def _shown(section: Section) -> dict[str, Any]:
    table = section.published.table
    columns = [c for c in section.columns if c in table.columns]
    numeric = {c for c in columns if pd.api.types.is_numeric_dtype(table[c])}
    return {
        "title": lang.say(f"brief.section_{section.key}"),
        "findings": [{"level": f.level, "text": f.say()} for f in section.published.findings],
        "figure": _figure(section.published) if section.figure else "",
        "head": [header(c) for c in columns],
        "rows": [
            [{"text": _cell(c, row[c], row["shown"]), "num": c in numeric} for c in columns]
            for row in table.to_dict("records")
        ] if columns else [],
    }  # fmt: skip


def _cell(column: str, value: object, visible: bool) -> str:
    if not visible and column in ("estimate", "low", "high", "n"):
        return lang.say("publish.hidden_short")
    return word(column, cell(value)) if isinstance(value, str) else cell(value)


def _figure(published: Published) -> Any:
    """The drawing of the published table as inline SVG; letters as outlines, so no font is needed."""
    from markupsafe import Markup

    from svcmetrics import plots

    table = published.table
    ax = plots.draw(
        published.drawing or "intervals", table[table["shown"]], about={"metric": published.name}
    )
    out = io.StringIO()
    ax.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704 - our own drawing; its letters are outlines
