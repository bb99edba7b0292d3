"""Pseudonyms on the way in: keyed hashes (HMAC-SHA-256), which nobody without the key can guess or link.

The key lies outside the study.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import secrets
from pathlib import Path

import pandas as pd

from svcmetrics import lang
from svcmetrics.problems import Problem, StudyError

# 96 bits: two of a billion persons share a pseudonym with probability below 1e-11.
_DIGITS = 24


def pseudonymise(names: pd.Series, key: bytes) -> pd.Series:
    """Names or personnel numbers as keyed pseudonyms; missing stays missing."""
    distinct = names.dropna().astype(str).unique()
    known = {name: pseudonym(name, key) for name in distinct}
    out = names.astype("object").map(lambda v: None if pd.isna(v) else known[str(v)])
    return out.astype("str")


def pseudonym(name: str, key: bytes) -> str:
    """The pseudonym of one person: "p" and 24 hexadecimal digits."""
    return "p" + hmac.new(key, name.strip().encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def load_key(study: str, directory: Path | None = None) -> bytes:
    """The secret key of a study, made on first use, outside the study's folder.

    It lies in ``$SVCMETRICS_KEYS`` or ``~/.svcmetrics/keys``, readable by its owner only. Who loses
    it cannot link new imports with old ones; who shares it makes the pseudonyms guessable.
    """
    path = keys_folder(directory) / f"{stem(study)}.key"
    try:
        if path.exists():
            return bytes.fromhex(path.read_text("ascii").strip())
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(32)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.hex())
    except (OSError, ValueError) as error:
        raise StudyError(
            Problem("key_unusable", {"reason": _reason(error)}, file=path.name)
        ) from None
    return key


def _reason(error: OSError | ValueError) -> str:
    """In our words: those of the system hold paths, and the home folder holds a person's name."""
    key = f"system.{errno.errorcode.get(getattr(error, 'errno', None) or 0, '')}"
    if isinstance(error, OSError):
        return lang.say(key) if lang.has(key) else lang.say("system.EIO")
    return lang.say("publish.not_a_key")


def keys_folder(directory: Path | None = None) -> Path:
    """Where keys and ledgers lie: ``$SVCMETRICS_KEYS`` or ``~/.svcmetrics/keys``."""
    return directory or Path(
        os.environ.get("SVCMETRICS_KEYS") or Path.home() / ".svcmetrics" / "keys"
    )


def stem(study: str) -> str:
    """The name of a study's files there: it says nothing about the study."""
    return hashlib.sha256(study.encode()).hexdigest()[:16]
