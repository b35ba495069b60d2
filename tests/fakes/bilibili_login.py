"""Bilibili's login by a code, as far as it is known: its states, its cookies, whose they are."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.fakes.bilibili import Answer, FakeBilibili

GENERATE = "/x/passport-login/web/qrcode/generate"
POLL = "/x/passport-login/web/qrcode/poll"
NAV = "/x/web-interface/nav"
WAITING, SCANNED, EXPIRED, DONE = 86101, 86090, 86038, 0
NAME, MID = "小明 Ming", "1234567"
DAYS = 180
REFRESH_TOKEN = "canary-refresh-0123456789abcdef"
_MESSAGES = {
    WAITING: "未扫码",
    SCANNED: "二维码已扫码未确认",
    EXPIRED: "二维码已失效",
    DONE: "",
}


@dataclass(frozen=True)
class Session:
    """The cookies that a login brings."""

    sessdata: str
    bili_jct: str


def session(number: int) -> Session:
    """Those of the login of this number; all are canaries."""
    return Session(f"cafe{number:04x}%2C1999999999%2C5ec2e7*{number:02x}", f"{number:032x}"[::-1])


def usual_cookies(it: Session) -> tuple[str, ...]:
    """The Set-Cookie lines of a login, as they are known."""
    rest = f"Path=/; Domain=bilibili.com; Max-Age={DAYS * 86_400}"
    return (
        f"SESSDATA={it.sessdata}; {rest}; HttpOnly; Secure",
        f"bili_jct={it.bili_jct}; {rest}; Secure",
        f"DedeUserID={MID}; {rest}; Secure",
        f"DedeUserID__ckMd5=0123456789abcdef; {rest}; Secure",
        f"sid=abcdefgh; {rest}; Secure",
    )


@dataclass
class FakeLogin:
    """What stands behind the passport's addresses and nav.

    `answers` are used up first, by whatever is asked; then states count, by key. `behave` is
    told of each question, and may scan, confirm or expire before it is answered. `cookie_lines`
    makes the Set-Cookie lines of a session.
    """

    answers: deque[Answer] = field(default_factory=deque)
    states: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    behave: Callable[[FakeLogin], None] = lambda _: None
    cookie_lines: Callable[[Session], tuple[str, ...]] = usual_cookies
    _lock: Lock = field(default_factory=Lock)

    @property
    def keys(self) -> list[str]:
        """The codes that were given, by their keys."""
        return [*self.states]

    @property
    def secrets(self) -> list[str]:
        """All that must be seen nowhere: cookies, keys, the token for another login."""
        cookies = [one for it in self.sessions for one in (it.sessdata, it.bili_jct)]
        return [*cookies, *self.keys, REFRESH_TOKEN]

    def count(self, path: str) -> int:
        """How often this was asked."""
        return self.asked.count(path)

    def scan(self) -> None:
        """Somebody scans the latest code."""
        self.states[self.keys[-1]] = SCANNED

    def confirm(self) -> None:
        """They say yes."""
        self.states[self.keys[-1]] = DONE

    def expire(self) -> None:
        """The latest code is too old."""
        self.states[self.keys[-1]] = EXPIRED

    def respond(self, url: str, headers: Mapping[str, str], fake: FakeBilibili) -> Answer | None:
        """What is answered there; None if that is no address of the login."""
        parts = urlsplit(url)
        if parts.path not in (GENERATE, POLL, NAV):
            return None
        with self._lock:
            self.asked.append(parts.path)
            if self.answers:
                return self.answers.popleft()
            if parts.path == GENERATE:
                return self._generate()
            self.behave(self)
            if parts.path == POLL:
                return self._poll(parse_qs(parts.query).get("qrcode_key", [""])[0], fake)
            return self._nav(headers.get("Cookie", ""))

    def _generate(self) -> Answer:
        key = f"{len(self.states):016x}c0de5eed00000000"
        self.states[key] = WAITING
        return _answer({"url": address_of(key), "qrcode_key": key})

    def _poll(self, key: str, fake: FakeBilibili) -> Answer:
        state = self.states.get(key, EXPIRED)
        data = {"url": "", "refresh_token": "", "timestamp": 0, "code": state}
        told = data | {"message": _MESSAGES.get(state, "?")}
        if state != DONE:
            return _answer(told)
        self.states[key] = EXPIRED  # it works once
        new = session(len(self.sessions) + 1)
        self.sessions.append(new)
        fake.sessdata, fake.bili_jct = new.sessdata, new.bili_jct
        again = f"https://passport.biligame.com/crossDomain?SESSDATA={new.sessdata}"
        told |= {"url": f"{again}&bili_jct={new.bili_jct}", "refresh_token": REFRESH_TOKEN}
        return _answer(told, self.cookie_lines(new))

    def _nav(self, cookie: str) -> Answer:
        pairs = [pair.partition("=") for pair in cookie.split("; ")]
        given = {name: value for name, _, value in pairs}
        if any(it.sessdata == given.get("SESSDATA") for it in self.sessions):
            return _answer({"isLogin": True, "uname": NAME, "mid": int(MID)})
        return _answer({"isLogin": False}, code=-101, message="账号未登录")


def address_of(key: str) -> str:
    """What the code of a key says; as long as the real ones are."""
    return (
        "https://account.bilibili.com/h5/account-h5/auth/scan-web?navhide=1&callback=close"
        f"&qrcode_key={key}&from="
    )


def _answer(
    data: object, cookies: tuple[str, ...] = (), code: int = 0, message: str = "0"
) -> Answer:
    from tests.fakes.bilibili import Answer

    content = {"code": code, "message": message, "ttl": 1, "data": data}
    return Answer(body=json.dumps(content).encode(), cookies=cookies)
