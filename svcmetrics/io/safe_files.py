"""Opening a stranger's file without harm: size, kind and permission are checked first."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from svcmetrics.problems import Problem, StudyError

# What Excel itself writes stays far below; a file beyond is made to exhaust the reader.
MAX_PART_BYTES = 400_000_000
MAX_TOTAL_BYTES = 1_000_000_000
MAX_RATIO = 150
_RATIO_MATTERS_FROM = 20_000_000

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def file_problem(key: str, path: str | Path, **values: Any) -> Problem:
    """A problem of a file; only its name is told, never the folders above it."""
    return Problem(key, values, file=Path(path).name)


@contextmanager
def open_file(path: Path, max_bytes: int) -> Iterator[IO[bytes]]:
    """An ordinary file of acceptable size, open for reading; every failure is a StudyError."""
    try:
        if not path.exists():
            raise StudyError(file_problem("file_missing", path))
        if not path.is_file():
            raise StudyError(file_problem("not_a_file", path))
        size = path.stat().st_size
        if size == 0:
            raise StudyError(file_problem("file_empty", path))
        if size > max_bytes:
            found, limit = round(size / 1e6), round(max_bytes / 1e6)
            raise StudyError(file_problem("file_too_big", path, found=found, limit=limit))
        file = path.open("rb")
    except PermissionError as error:
        raise StudyError(file_problem("file_locked", path)) from error
    except OSError as error:
        raise StudyError(file_problem("file_unreadable", path, reason=_plain(error))) from error
    with file:
        yield file


def open_zip(file: IO[bytes], path: Path) -> zipfile.ZipFile:
    """The zip container of a workbook, refused when encrypted, damaged or built to swell."""
    start = file.read(4096)
    if start.startswith(_OLE):
        whole = start + file.read(4_000_000)
        raise StudyError(
            file_problem("workbook_encrypted" if _ENCRYPTED in whole else "old_xls", path)
        )
    if not start.startswith(b"PK"):
        markup = start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<"
        raise StudyError(file_problem("html_table" if markup else "not_a_workbook", path))
    file.seek(0)
    try:
        container = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise StudyError(file_problem("file_damaged", path)) from error
    _refuse_bomb(container, path)
    return container


def _refuse_bomb(container: zipfile.ZipFile, path: Path) -> None:
    parts = container.infolist()
    total = sum(p.file_size for p in parts)
    largest = max((p.file_size for p in parts), default=0)
    swollen = any(
        p.file_size > _RATIO_MATTERS_FROM and p.file_size > MAX_RATIO * max(p.compress_size, 1)
        for p in parts
    )
    if swollen or largest > MAX_PART_BYTES or total > MAX_TOTAL_BYTES or len(parts) > 10_000:
        raise StudyError(file_problem("zip_bomb", path, found=round(total / 1e6)))
    if any(p.flag_bits & 1 for p in parts):
        raise StudyError(file_problem("workbook_encrypted", path))


def _plain(error: OSError) -> str:
    """The system's words without the path, which may tell a person's name."""
    return error.strerror or type(error).__name__
