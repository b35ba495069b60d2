"""A login: its cookies, whose they are, when they end, and its file, which is its user's alone.

Not in the system's keyring: any program of the same user reads that as it reads a file, it hangs or
asks where nobody looks, and a command over ssh has none. On Linux, keyring 25 and what it needs
take ten packages with 18 MB, and 0.35 s for each look (CPython 3.11).
"""

from __future__ import annotations

import json
import logging
import math
import re
from pathlib import Path

from imghost.disk import machine_errors, write_atomically
from imghost.secret import Secret
from imghost.values import dataclass

LONGEST_S = 400 * 86_400.0
"""How long browsers keep a cookie, whatever its server says."""

_DAMAGE = (OSError, ValueError, TypeError, KeyError, RecursionError)
_LAST = 1e11  # seconds since the epoch: some 3,000 years

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Login:
    """Cookies of an account: its name and number, "" while unknown, and when they end.

    `ends_at` is in seconds since the epoch, infinite if unknown.
    """

    sessdata: Secret
    bili_jct: Secret
    ends_at: float = math.inf
    name: str = ""
    mid: str = ""


def end_of(sessdata: Secret, now: float) -> float:
    """When a cookie ends by the moment in its middle; infinite if none stands there."""
    from urllib.parse import unquote

    found = re.fullmatch(r"[^,]*,([0-9]{10}),.*", unquote(sessdata.reveal()), re.DOTALL)
    return float(found[1]) if found and float(found[1]) < now + LONGEST_S else math.inf


class LoginFile:
    """Whole or absent, whoever else writes it at the same time: the last one counts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Login | None:
        """The login, if one is there that can be read."""
        try:
            return _read(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except _DAMAGE as exc:
            log.warning("the login in %s cannot be read: %s", self.path, type(exc).__name__)
            return None

    def save(self, login: Login) -> None:
        """Keep this one from now on. Raises MachineError."""
        content = {
            "name": login.name,
            "mid": login.mid,
            "ends_at": None if math.isinf(login.ends_at) else login.ends_at,
            "sessdata": login.sessdata.reveal(),
            "bili_jct": login.bili_jct.reveal(),
        }
        write_atomically(self.path, json.dumps(content).encode(), self.path.parent)

    def forget(self) -> bool:
        """Delete it; whether there was one. Raises MachineError."""
        is_there = self.path.exists()
        with machine_errors(self.path):
            self.path.unlink(missing_ok=True)
        return is_there


def _read(data: bytes) -> Login:
    content = json.loads(data)
    ends_at = content["ends_at"]
    is_a_time = ends_at is not None and 0 <= ends_at < _LAST
    return Login(
        Secret(_text(content["sessdata"])),
        Secret(_text(content["bili_jct"])),
        float(ends_at) if is_a_time else math.inf,
        _text(content["name"]),
        _text(content["mid"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
