"""The command line: svcmetrics new | check | import | calendar | simulate | run | report | comments |
person | erase.

Exit status: 0 done · 1 the study has errors or a notebook failed · 2 the command was not understood ·
3 an input cannot be read · 4 an output cannot be written · 130 stopped by the user. A user's mistake
is answered with sentences, never with a traceback.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from svcmetrics import __version__, lang
from svcmetrics.problems import InputError, OutputError

DONE, PROBLEMS, USAGE, INPUT, OUTPUT, STOPPED = 0, 1, 2, 3, 4, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    from svcmetrics.commands import COMMANDS

    for stream in (sys.stdout, sys.stderr):  # a console of code page 936 or 437 lacks some signs
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = _parser().parse_args(argv)
    lang.use_language(getattr(arguments, "lang", None) or _language_of_user())
    arguments.command_line = _written(sys.argv[1:] if argv is None else argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except InputError as error:
        _print_error(error.say())
        return OUTPUT if isinstance(error, OutputError) else INPUT
    except OSError as error:
        key = "not_writable" if isinstance(error, PermissionError) else "file_trouble"
        file = error.filename or lang.MISSING
        _print_error(lang.say(f"cli.{key}", file=file, reason=_reason(error)))
        return OUTPUT
    except KeyboardInterrupt:
        _print_error(lang.say("cli.stopped"))
        return STOPPED


def _written(argv: Sequence[str]) -> str:
    """The command as one may type it again; ``~`` for the home folder, which names its owner."""
    home = str(Path.home()).rstrip(os.sep) + os.sep
    words = [
        f"~/{shlex.quote(word[len(home) :])}" if word.startswith(home) else shlex.quote(word)
        for word in argv
    ]
    return " ".join(["svcmetrics", *words])


def _print_error(text: str) -> None:
    print(text, file=sys.stderr)


def _reason(error: OSError) -> str:
    """What the system says, in the user's words where we have them."""
    key = f"system.{errno.errorcode.get(error.errno or 0, '')}"
    return lang.say(key) if lang.has(key) else error.strerror or str(error)


def _language_of_user() -> str:
    """The language asked for in the environment; Chinese where nothing is asked for."""
    asked = (
        os.environ.get("SVCMETRICS_LANG")
        or os.environ.get("LC_ALL")
        or os.environ.get("LANG")
        or "zh"
    )
    return "en" if asked.lower().startswith("en") else "zh"


def _both(key: str) -> str:
    """A help text in both languages: who cannot read one reads the other."""
    return f"{lang.say(f'cli.{key}', 'zh')} / {lang.say(f'cli.{key}', 'en')}".replace("%", "%%")


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors and headings speak both languages."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        _print_error(
            "\n".join(lang.say("cli.usage_error", code, message=message) for code in lang.LANGUAGES)
        )
        raise SystemExit(USAGE)


def _parser() -> argparse.ArgumentParser:
    shape = argparse.RawDescriptionHelpFormatter
    common = _Parser(add_help=False)
    # No default: a subcommand's default would overwrite what stood before the subcommand.
    common.add_argument(
        "--lang", choices=lang.LANGUAGES, default=argparse.SUPPRESS, help=_both("lang")
    )
    top = _Parser(
        prog="svcmetrics",
        description=_both("about"),
        epilog=_both("exit_status"),
        formatter_class=shape,
        parents=[common],
    )
    top.add_argument("--version", action="version", version=f"svcmetrics {__version__}")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser
    )

    def command(name: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=_both(name),
            description=_both(name),
            epilog=_both("exit_status"),
            formatter_class=shape,
            parents=[common],
        )

    _options(command)
    return top


def _options(command: Callable[[str], argparse.ArgumentParser]) -> None:
    """The options of every command, each explained in both languages."""
    new = command("new")
    new.add_argument("dir", type=Path, metavar="DIR", help=_both("dir_new"))

    check = command("check")
    check.add_argument("dir", type=Path, metavar="DIR", help=_both("dir"))
    check.add_argument("--no-sheet", action="store_true", help=_both("no_sheet"))

    take = command("import")
    take.add_argument("source", type=Path, metavar="FILE", help=_both("source"))
    take.add_argument("dir", type=Path, metavar="DIR", help=_both("dir"))
    take.add_argument("--format", default="auto", help=_both("format"))
    take.add_argument("--mapping", type=Path, metavar="TOML", help=_both("mapping"))
    take.add_argument("--save-mapping", type=Path, metavar="FILE.toml", help=_both("save_mapping"))
    take.add_argument("--cases", type=Path, metavar="FILE", help=_both("cases"))
    take.add_argument("--yes", action="store_true", help=_both("yes"))

    _options_of_calendar(command)

    simulate = command("simulate")
    simulate.add_argument("dir", type=Path, metavar="DIR", help=_both("dir_new"))
    simulate.add_argument("--seed", type=int, default=20240901, help=_both("seed"))
    simulate.add_argument("--units", type=int, help=_both("units"))
    simulate.add_argument("--events", type=int, help=_both("events"))
    simulate.add_argument("--ratings", type=int, help=_both("ratings"))

    run = command("run")
    run.add_argument("dir", type=Path, metavar="DIR", help=_both("dir"))
    run.add_argument("--out", type=Path, metavar="OUT", help=_both("out"))
    run.add_argument("--only", default="", metavar="00,04", help=_both("only"))

    report = command("report")
    report.add_argument("dir", type=Path, metavar="DIR", help=_both("dir"))
    report.add_argument("--out", type=Path, metavar="OUT", help=_both("out"))

    told = command("comments")
    told.add_argument("dir", type=Path, metavar="DIR", help=_both("dir"))
    told.add_argument("--out", type=Path, metavar="OUT", help=_both("out"))
    told.add_argument("--mask", type=Path, metavar="NAMES.txt", help=_both("mask"))
    _options_of_persons(command)


def _options_of_calendar(command: Callable[[str], argparse.ArgumentParser]) -> None:
    calendar = command("calendar")
    calendar.add_argument("dir", type=Path, metavar="DIR", help=_both("dir"))
    calendar.add_argument("--first", metavar="YYYY-MM-DD", help=_both("first"))
    calendar.add_argument("--last", metavar="YYYY-MM-DD", help=_both("last"))
    calendar.add_argument("--hours", default="09:00-12:00,13:00-18:00", help=_both("hours"))
    calendar.add_argument("--country", default="CN", help=_both("country"))


def _options_of_persons(command: Callable[[str], argparse.ArgumentParser]) -> None:
    person = command("person")
    person.add_argument("dir", type=Path, metavar="DIR", help=_both("dir"))
    person.add_argument("who", metavar="WHO", help=_both("who"))
    person.add_argument("--rows", action="store_true", help=_both("rows"))

    erase = command("erase")
    erase.add_argument("dir", type=Path, metavar="DIR", help=_both("dir"))
    erase.add_argument("who", metavar="WHO", help=_both("who"))
    erase.add_argument("--yes", action="store_true", help=_both("yes_erase"))


if __name__ == "__main__":
    raise SystemExit(main())
