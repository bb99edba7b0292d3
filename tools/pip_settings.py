"""Tell uv where pip has been told to look.

A company's mirror, wheel folder, proxy and certificate are usually set for pip, and uv reads
none of that. Everything is passed on through the environment, never as an argument: addresses
may hold a password, and arguments can be seen by every user of the machine.
"""

import ast
import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

# The same order as pip's own: a variable beats the section of one command beats the general one.
SECTIONS = ("global", "install", ":env:")


def read(python: str) -> dict[str, str]:
    """The settings that pip would use, as `{"index-url": …}`; empty when pip cannot say."""
    asked = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    return parse(asked.stdout)


def parse(listing: str) -> dict[str, str]:
    """Read the lines of `pip config list`, such as `global.timeout='60'`."""
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.partition(".")
        if section in found and value:
            found[section][key] = str(ast.literal_eval(value))
    return {key: value for section in SECTIONS for key, value in found[section].items()}


def for_uv(settings: dict[str, str], present: dict[str, str]) -> dict[str, str]:
    """The variables that make uv do as pip would; what the user has set for uv stays."""
    wanted = {
        "UV_DEFAULT_INDEX": " ".join(places(settings, "index-url")),
        "UV_INDEX": " ".join(places(settings, "extra-index-url")),
        "UV_FIND_LINKS": ",".join(places(settings, "find-links")),
        "UV_INSECURE_HOST": settings.get("trusted-host", ""),
        "UV_HTTP_TIMEOUT": settings.get("timeout") or settings.get("default-timeout", ""),
        "UV_NO_INDEX": "1" if settings.get("no-index", "") in ("1", "true", "yes", "on") else "",
        "SSL_CERT_FILE": settings.get("cert", ""),
        "SSL_CLIENT_CERT": settings.get("client-cert", ""),
        "HTTPS_PROXY": settings.get("proxy", ""),
        "HTTP_PROXY": settings.get("proxy", ""),
        # pip looks in all places for every package; uv would stop at the first that knows the
        # name. Safe here, because every file has to match a hash of the lock.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    return {name: value for name, value in wanted.items() if value and not present.get(name)}


def places(settings: dict[str, str], key: str) -> list[str]:
    """The addresses and folders of one setting, without folders that are not there.

    pip passes over a folder that does not exist; uv stops.
    """
    return [place for place in settings.get(key, "").split() if is_there(place)]


def is_there(place: str) -> bool:
    """Whether a folder exists; an address on the network counts as there."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path)).exists()
    if "://" in place:
        return True
    return Path(os.path.expandvars(place)).expanduser().exists()
