"""What each command of the command line does: one short function per command, no logic of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from svcmetrics import lang
from svcmetrics.problems import Problem, StudyError

DONE, PROBLEMS = 0, 1


def new(arguments: argparse.Namespace) -> int:
    """A new study: a bilingual workbook to fill in and its study.toml."""
    from svcmetrics.io.template import new_study

    for path in new_study(arguments.dir, language=lang.language()):
        print(lang.say("cli.wrote", file=path))
    print(lang.say("cli.new_next", dir=arguments.dir))
    return DONE


def check(arguments: argparse.Namespace) -> int:
    """Every problem of a study at once; status 1 when there is an error."""
    from svcmetrics.criteria import locks_told, on_record
    from svcmetrics.io.check_sheet import write_checks
    from svcmetrics.io.study_files import inspect_study

    study, problems = inspect_study(arguments.dir)
    if study is None and not _is_study(arguments.dir):
        raise StudyError(problems)
    if study is not None:
        problems = [*on_record(study), *problems]
    for problem in problems:
        print(f"{lang.say(f'cli.level_{problem.level}')} {problem.say()}")
    for sentence in locks_told(study) if study is not None else []:
        print(sentence)
    errors = sum(p.level == "error" for p in problems)
    print(lang.say("cli.checked", errors=errors, warnings=len(problems) - errors))
    if not arguments.no_sheet:
        print(lang.say("cli.wrote", file=write_checks(arguments.dir, problems)))
    return PROBLEMS if errors else DONE


def _is_study(path: Path) -> bool:
    """Whether the user keeps a study here, however empty: elsewhere nothing is written."""
    if path.is_dir():
        return (path / "study.toml").exists() or any(path.glob("*.xlsx"))
    return path.is_file() and path.suffix.lower() in (".xlsx", ".xlsm")


def simulate(arguments: argparse.Namespace) -> int:
    """Write a company with known truth."""
    from svcmetrics.simulate import simulate as write

    asked = {k: getattr(arguments, k) for k in ("units", "events", "ratings")}
    sizes = {k: v for k, v in asked.items() if v is not None}
    write(arguments.dir, seed=arguments.seed, **sizes)
    print(lang.say("cli.wrote", file=arguments.dir))
    return DONE


def run(arguments: argparse.Namespace) -> int:
    """All notebooks on a study; status 1 when one of them failed."""
    from svcmetrics.io.study_files import read_study
    from svcmetrics.run import Step, said
    from svcmetrics.run import run as run_notebooks

    study = read_study(arguments.dir)
    out = arguments.out or arguments.dir / "outputs"

    def show(step: Step, number: int, total: int) -> None:
        bar = "█" * number + "░" * (total - number)
        print(f"{bar} {number}/{total} {step.name}: {said(step)}", flush=True)

    only = tuple(part.strip() for part in arguments.only.split(",") if part.strip())
    steps = run_notebooks(
        study,
        out,
        language=lang.language(),
        only=only,
        progress=show,
        command=arguments.command_line,
    )
    print(lang.say("cli.outputs", file=out / "index.html"))
    return PROBLEMS if any(s.state == "failed" for s in steps) else DONE


def report(arguments: argparse.Namespace) -> int:
    """The workbook and the one-page brief, both in Chinese and in English."""
    from svcmetrics.io.study_files import read_study
    from svcmetrics.reports import write_reports

    study = read_study(arguments.dir)
    for path in write_reports(
        study, arguments.out or arguments.dir / "outputs", command=arguments.command_line
    ):
        print(lang.say("cli.wrote", file=path))
    return DONE


def comments(arguments: argparse.Namespace) -> int:
    """What raters wrote, as far as it may be shown, in Chinese and in English."""
    from svcmetrics.io.study_files import read_study
    from svcmetrics.reports import write_comments

    study = read_study(arguments.dir)
    paths, said = write_comments(
        study,
        arguments.out or arguments.dir / "outputs",
        mask=_lines(arguments.mask) if arguments.mask else (),
        command=arguments.command_line,
    )
    print(said)
    for path in paths:
        print(lang.say("cli.wrote", file=path))
    return DONE


def _lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank."""
    from svcmetrics.io.csv_cells import decode
    from svcmetrics.io.safe_files import open_file

    with open_file(path, max_bytes=10_000_000) as file:
        text = decode(file.read(), path.name)
    return [line.strip() for line in text.splitlines() if line.strip()]


def take(arguments: argparse.Namespace) -> int:
    """Bring a foreign file into a study through a mapping that is shown and confirmed first."""
    from svcmetrics.io.import_files import import_file, propose
    from svcmetrics.io.mapping import save_mapping

    mapping = propose(arguments.source, format=arguments.format, mapping=arguments.mapping)
    print(mapping.describe())
    if not (arguments.yes or arguments.mapping or _confirmed()):
        raise StudyError(Problem("not_confirmed", file=str(arguments.source)))
    if arguments.save_mapping:
        print(lang.say("cli.wrote", file=save_mapping(mapping, arguments.save_mapping)))
    outcome = import_file(arguments.source, arguments.dir, mapping=mapping, cases=arguments.cases)
    print(outcome.say())
    return DONE


def calendar(arguments: argparse.Namespace) -> int:
    """Office hours of every day, with public holidays and make-up days, into a study."""
    from svcmetrics.io.add_calendar import add_calendar

    slots = [tuple(part.strip().split("-", 1)) for part in arguments.hours.split(",")]
    wrong = [slot for slot in slots if len(slot) != 2]
    if wrong:
        raise StudyError(Problem("calendar_hours", {"found": arguments.hours}))
    done = add_calendar(
        arguments.dir,
        first=arguments.first,
        last=arguments.last,
        hours=slots,
        country=arguments.country,
    )
    print(lang.say("cli.calendar_added", **done._asdict(), hours=arguments.hours))
    for key in ("provisional", "kept"):
        if getattr(done, key):
            print(lang.say(f"cli.calendar_{key}", count=getattr(done, key)))
    for file in done.files:
        print(lang.say("cli.wrote", file=file))
    return DONE


def person(arguments: argparse.Namespace) -> int:
    """Everything that a study holds about one person; with ``--rows`` the rows themselves."""
    from svcmetrics.io.persons import called, files_of, left_in, rows_of
    from svcmetrics.io.study_files import read_study
    from svcmetrics.io.study_out import as_csv
    from svcmetrics.pages import table_name

    study = read_study(arguments.dir)
    names = called(study.settings.name, arguments.who)
    found = rows_of(study, names)
    for name, rows in found.items():
        filled = [str(c) for c in rows.columns if rows[c].notna().any()]
        print(lang.say("cli.person_rows", table=table_name(name), count=len(rows), fields=filled))
        if arguments.rows:
            print(as_csv(rows[filled]))
    files = [str(f) for f in left_in(files_of(arguments.dir), names)]
    for file in files:
        print(lang.say("cli.person_file", file=file))
    if not (found or files):
        print(lang.say("cli.person_none"))
    return DONE


def erase(arguments: argparse.Namespace) -> int:
    """Erase everything about one person; status 1 when a file that is no table still holds the name."""
    from svcmetrics.io.erase import erase_person
    from svcmetrics.pages import table_name

    if not (arguments.yes or _confirmed("confirm_erase")):
        raise StudyError(Problem("erase_not_confirmed", file=arguments.dir.name))
    done = erase_person(arguments.dir, arguments.who)
    for name, count in done.rows.items():
        print(lang.say("cli.erased_rows", table=table_name(name), count=count))
    for file in done.removed:
        print(lang.say("cli.erased_file", file=file))
    for file in done.masked:
        print(lang.say("cli.erased_in_file", file=file))
    for file in done.left:
        print(lang.say("cli.erase_left", file=file))
    if not done.left:
        key = "erased" if done.rows or done.removed or done.masked else "person_none"
        print(lang.say(f"cli.{key}"))
    return PROBLEMS if done.left else DONE


def _confirmed(question: str = "confirm") -> bool:
    """Ask once; without a terminal nobody can answer, and silence is no consent."""
    if not sys.stdin.isatty():
        return False
    return input(f"{lang.say(f'cli.{question}')} ").strip().lower() in {"y", "yes", "是", "好"}


COMMANDS = {
    "new": new,
    "check": check,
    "import": take,
    "calendar": calendar,
    "simulate": simulate,
    "run": run,
    "report": report,
    "comments": comments,
    "person": person,
    "erase": erase,
}
