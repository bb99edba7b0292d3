# -*- coding: utf-8 -*-
"""One door to the project: `python3 dev.py help` (Windows: `py dev.py help`).

Only the standard library, and this first page has to parse on any Python ever
installed: an old one must say what is missing, not print a syntax error.
"""

import os
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
ROOT = os.path.dirname(os.path.abspath(__file__))


def supported():
    return OLDEST <= sys.version_info[:2] <= NEWEST


def run_with_a_supported_python():
    """Hand over to a Python 3.11-3.13 that is installed beside this one, or say what to install."""
    import subprocess

    for minor in (13, 12, 11):
        name = ["py", "-3.%d" % minor] if os.name == "nt" else ["python3.%d" % minor]
        check = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, %d))" % minor
        try:
            probe = subprocess.Popen(
                name + ["-c", check], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            probe.communicate()
        except OSError:
            continue
        if probe.returncode == 0:
            return subprocess.call(name + [os.path.abspath(__file__)] + sys.argv[1:])
    sys.stderr.write(
        "这个 Python 是 %d.%d；需要 3.11、3.12 或 3.13。请安装其中一个，再用它运行 dev.py。\n"
        "This Python is %d.%d; svcmetrics needs 3.11, 3.12 or 3.13. "
        "Install one of them and run dev.py with it.\n" % (sys.version_info[:2] * 2)
    )
    return 1


if __name__ == "__main__":
    if not supported():
        sys.exit(run_with_a_supported_python())
    sys.path.insert(0, ROOT)
    from tools.commands import main

    sys.exit(main(sys.argv[1:]))
