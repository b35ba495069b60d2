"""Cookies as values: those that a server sets, and those that somebody copied from a browser."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from imghost.secret import Secret
from imghost.transport.web import moment_of
from imghost.values import dataclass

_AROUND = " \t\r\n'\""
_AGE = re.compile(r"-?[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Cookie:
    """`ends_at` is in seconds since the epoch; infinite if the server did not say."""

    value: Secret
    ends_at: float


def set_cookies(lines: Iterable[Secret], now: float) -> Mapping[str, Cookie]:
    """What Set-Cookie lines set, by name, the last one of a name; what they take back is left out.

    Values stay as they were sent, attributes that make no sense are overlooked (RFC 6265, 5.2).
    """
    found = {}
    for line in lines:
        pair, *attributes = line.reveal().split(";")
        name, _, value = (part.strip() for part in pair.partition("="))
        ends_at = _ends_at(attributes, now)
        if name and value and ends_at > now:
            found[name] = Cookie(Secret(value), ends_at)
    return found


def copied_cookies(line: Secret) -> Mapping[str, Secret]:
    """What a browser's Cookie line holds, by name; it may be quoted, with `Cookie:` before it."""
    text = re.sub(r"(?i)\Acookie\s*:", "", line.reveal().strip(_AROUND))
    pairs = [pair.partition("=") for pair in re.split(r"[;\r\n]", text)]
    return {name.strip(): Secret(value.strip()) for name, _, value in pairs if value.strip()}


def _ends_at(attributes: Iterable[str], now: float) -> float:
    """When a cookie ends by its attributes: Max-Age counts before Expires."""
    given = {}
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        given[name.strip().lower()] = value.strip()
    if _AGE.fullmatch(age := given.get("max-age", "")):
        return now + int(age)
    moment = moment_of(given.get("expires", ""))
    return math.inf if moment is None else moment
