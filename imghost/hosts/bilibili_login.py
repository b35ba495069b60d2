"""Logging in at Bilibili: a code for the phone, what became of it, and whose login it is.

As its own login page does it, by what is publicly known of that. What it answers holds secrets in
several places and is never logged.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from urllib.parse import quote

from imghost.errors import HostError, HostRefused, LoginExpired
from imghost.hosts.bilibili import BilibiliConfig
from imghost.hosts.bilibili_replies import read_data, text_in
from imghost.login import LONGEST_S, Login, end_of
from imghost.secret import Secret
from imghost.transport import Http
from imghost.transport.cookies import copied_cookies, set_cookies
from imghost.transport.masking import masked
from imghost.transport.web import Reply, Request
from imghost.values import dataclass

CODE_S = 180.0
"""How long a code can be scanned and confirmed."""

_GENERATE = "/x/passport-login/web/qrcode/generate"
_POLL = "/x/passport-login/web/qrcode/poll"
_NAV = "/x/web-interface/nav"
_ADDRESS_CHARACTERS = 500
_COOKIE_VALUE = re.compile(r"[!-:<-~]+")
_USER = re.compile(r"[0-9]{1,20}")
_ADDRESS = re.compile(r"https?://[!-~]+")


class Scan(Enum):
    """What became of a code."""

    WAITING = auto()
    SCANNED = auto()
    EXPIRED = auto()
    DONE = auto()


_SCANS = {86101: Scan.WAITING, 86090: Scan.SCANNED, 86038: Scan.EXPIRED, 0: Scan.DONE}


@dataclass(frozen=True, slots=True)
class Code:
    """`address` is what the code to scan says; whoever knows the `key` can fetch the login."""

    address: Secret
    key: Secret


@dataclass(frozen=True, slots=True)
class Polled:
    """What became of a code, and the login that came of it once it is done."""

    scan: Scan
    login: Login | None = None


class Passport:
    """Bilibili's login; each method asks once, and raises HostError as the host's own do."""

    def __init__(
        self, config: BilibiliConfig, http: Http, clock: Callable[[], float] = time.time
    ) -> None:
        self._passport = config.passport.rstrip("/")
        self._api = config.api.rstrip("/")
        self._http = http
        self._clock = clock

    def new_code(self) -> Code:
        """A code that nobody has scanned yet."""
        reply = self._http.send(Request("GET", f"{self._passport}{_GENERATE}"))
        data = read_data(reply, _refused)
        address, key = data.get("url"), data.get("qrcode_key")
        if not (_is_text(address, _ADDRESS) and _is_text(key, _COOKIE_VALUE)):
            raise HostRefused(
                "Bilibili gave no code to scan; its API may have changed: log in by the browser's "
                "cookies, with imghost login --cookies"
            )
        return Code(Secret(str(address)), Secret(str(key)))

    def poll(self, code: Code) -> Polled:
        """What became of the code."""
        key = quote(code.key.reveal(), safe="")
        url = f"{self._passport}{_POLL}?qrcode_key={key}"
        reply = self._http.send(Request("GET", url, hidden=(code.key,)))
        data = read_data(reply, _refused)
        state = data.get("code")
        if type(state) is not int or state not in _SCANS:
            said = masked(text_in(data.get("message"), reply), self._given(reply))
            raise _refused(f"{state} {said}" if type(state) is int else "?", reply)
        scan = _SCANS[state]
        return Polled(scan, self._login_in(reply) if scan is Scan.DONE else None)

    def named(self, login: Login) -> Login:
        """The login with the name and number of its account. Raises LoginExpired if it is none."""
        cookies = {"SESSDATA": login.sessdata, "bili_jct": login.bili_jct}
        reply = self._http.send(Request("GET", f"{self._api}{_NAV}", cookies=cookies))
        data = read_data(reply, _refused)
        if data.get("isLogin") is not True:
            raise LoginExpired("Bilibili does not know these cookies any more; log in again")
        mid = str(data.get("mid"))
        name = text_in(data.get("uname"), reply)
        return replace(login, name=name, mid=mid if _USER.fullmatch(mid) else login.mid)

    def copied(self, line: Secret) -> Login:
        """The login in a browser's Cookie line, not asked about. Raises LoginExpired for none."""
        if login := _login(copied_cookies(line)):
            return replace(login, ends_at=end_of(login.sessdata, self._clock()))
        raise LoginExpired(
            "there are no SESSDATA and bili_jct in that; copy the whole Cookie line of a page of "
            "bilibili.com on which you are logged in"
        )

    def _given(self, reply: Reply) -> list[Secret]:
        return [cookie.value for cookie in set_cookies(reply.set_cookies, self._clock()).values()]

    def _login_in(self, reply: Reply) -> Login:
        now = self._clock()
        found = set_cookies(reply.set_cookies, now)
        login = _login({name: cookie.value for name, cookie in found.items()})
        if login is None:
            raise HostRefused(
                "Bilibili says that you are logged in, but sent no cookies; its API may have "
                "changed: log in by the browser's cookies, with imghost login --cookies"
            )
        ends_at = found["SESSDATA"].ends_at
        is_said = ends_at < now + LONGEST_S
        return replace(login, ends_at=ends_at if is_said else end_of(login.sessdata, now))


def _login(cookies: Mapping[str, Secret]) -> Login | None:
    """The login of these cookies, if it is one."""
    none = Secret("")
    sessdata, bili_jct = cookies.get("SESSDATA", none), cookies.get("bili_jct", none)
    if not all(_COOKIE_VALUE.fullmatch(one.reveal()) for one in (sessdata, bili_jct)):
        return None
    user = cookies.get("DedeUserID", none).reveal()
    return Login(sessdata, bili_jct, mid=user if _USER.fullmatch(user) else "")


def _is_text(value: object, form: re.Pattern[str]) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= _ADDRESS_CHARACTERS
        and form.fullmatch(value) is not None
    )


def _refused(said: str, _: Reply) -> HostError:
    return HostRefused(
        "Bilibili does not let you log in this way now ({said}); try later, or log in by the "
        "browser's cookies, with imghost login --cookies",
        said=said,
    )
