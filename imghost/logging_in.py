"""Logging in and out: what commands and the gallery do, and what becomes of the former cookies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from imghost.account import SESSDATA_VARIABLE
from imghost.config import Config
from imghost.config_file import LOGIN_HOST, ConfigFile, empty_login
from imghost.errors import HostRefused, HostUnavailable
from imghost.hosts.bilibili_login import CODE_S, Code, Passport, Scan
from imghost.login import Login, LoginFile
from imghost.models import Message
from imghost.secret import Secret
from imghost.transport import Http
from imghost.values import dataclass

POLL_S = 1.5
_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a code, and how long to wait before that is asked again.

    `problem`: why it is not known just now. Once it is done: the login that was kept, and in
    `notes` what else the person has to know.
    """

    scan: Scan
    rest_s: float = POLL_S
    problem: Message | None = None
    login: Login | None = None
    notes: tuple[Message, ...] = ()


class LoggingIn:
    """Logs in with a config of `file`, over its host's own `http`, and keeps the login in `logins`.

    Each method raises HostError as Passport does; where a login is kept, MachineError and
    ConfigError too. One code is followed at a time.
    """

    def __init__(self, file: ConfigFile, logins: LoginFile, config: Config, http: Http) -> None:
        self._file = file
        self._logins = logins
        self._passport = Passport(config.of_host(LOGIN_HOST), http)
        self._scan = Scan.WAITING
        self._failures = 0

    def new_code(self) -> Code:
        """A code to scan."""
        self._scan, self._failures = Scan.WAITING, 0
        return self._passport.new_code()

    def poll(self, code: Code) -> Progress:
        """What became of the code; once it is done, its login is kept.

        Who does not answer is asked a few times more, later and later.
        """
        try:
            polled = self._passport.poll(code)
        except HostUnavailable as exc:
            self._failures += 1
            if exc.risk_control or exc.retry_after_s > CODE_S or self._failures > _FAILURES:
                raise
            rest_s = max(POLL_S * 2**self._failures, exc.retry_after_s)
            return Progress(self._scan, rest_s, exc.message)
        self._scan, self._failures = polled.scan, 0
        if polled.login is None:
            return Progress(polled.scan)
        login = polled.login
        with suppress(HostUnavailable, HostRefused):  # the code works once, a name can be missing
            login = self._passport.named(login)
        return self._kept(login)

    def take(self, line: Secret) -> Progress:
        """Log in by a browser's Cookie line. Raises LoginExpired unless it is that of a login."""
        return self._kept(self._passport.named(self._passport.copied(line)))

    def _kept(self, login: Login) -> Progress:
        self._logins.save(login)
        return Progress(Scan.DONE, login=login, notes=tuple(self._notes()))

    def _notes(self) -> Iterator[Message]:
        if empty_login(self._file.path):
            path = str(self._file.path)
            yield Message("the cookies that stood in {path} are emptied there", {"path": path})
        yield from _overruled(self._file)


def log_out(file: ConfigFile, logins: LoginFile) -> tuple[Message, ...]:
    """Forget the login and the cookies in the config; what that did, and what it cannot undo.

    Raises MachineError, ConfigError.
    """
    was_kept, was_written = logins.forget(), empty_login(file.path)
    if was_kept or was_written:
        told = Message(
            "logged out: the cookies are gone from this computer. At Bilibili they are good until "
            "they end, unless you end that session in your account's security settings; pictures "
            "and links stay"
        )
    else:
        told = Message("there was no login to forget")
    return (told, *_overruled(file))


def _overruled(file: ConfigFile) -> Iterator[Message]:
    if file.environ.get(SESSDATA_VARIABLE):
        yield Message(
            "{variable} in the environment counts before any other login; unset it to be rid of it",
            {"variable": SESSDATA_VARIABLE},
        )
