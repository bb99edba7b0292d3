"""Matrix products on one thread: the same digits on every machine, however many cores it has.

OpenBLAS adds in another order on two threads than on one, so that the last digits of a product
depend on a setting of the machine. Our matrices are small; a second thread makes them slower.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# How the setter and the reader of the number are called in the builds that NumPy and SciPy carry.
_PREFIXES = ("scipy_openblas", "openblas")
_SUFFIXES = ("64_", "")
_Handles = tuple[Callable[[int], object], Callable[[], int]]


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Matrix products within are done on one thread; afterwards the caller's number holds again."""
    found = [(put, get()) for put, get in _libraries()]
    for put, count in found:
        if count != 1:
            put(1)
    try:
        yield
    finally:
        for put, count in found:
            if count != 1:
                put(count)


@cache
def _libraries() -> tuple[_Handles, ...]:
    """The libraries that NumPy and SciPy brought along; none where they use the system's own."""
    folders = []
    for name in ("numpy", "scipy"):
        spec = find_spec(name)
        if spec is not None and spec.origin:
            package = Path(spec.origin).parent
            folders += [package.with_name(f"{name}.libs"), package / ".dylibs"]
    paths = [p for folder in folders for p in sorted(folder.glob("*openblas*"))]
    return tuple(handle for path in paths if (handle := _handle(path)))


def _handle(path: Path) -> _Handles | None:
    try:
        library = ctypes.CDLL(str(path))
    except OSError:
        return None
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            put = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
            get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
            if put is not None and get is not None:
                put.argtypes, put.restype, get.restype = [ctypes.c_int], None, ctypes.c_int
                return put, get
    return None
