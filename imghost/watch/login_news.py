"""What a person is told of the end of their login: a week ahead, once a day at most."""

from __future__ import annotations

import time
from collections.abc import Callable

from imghost.account import Account
from imghost.app import App
from imghost.models import Message

_AHEAD_DAYS = 7
_DAY_S = 86_400.0
_FACT = "login told"


class LoginNews:
    """Tells it by `tell`, with the host at which a login has ended, "" before that.

    When it was told stands in the journal. `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        app: App,
        tell: Callable[[Message, str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._to_person = tell
        self._clock = clock

    def look(self) -> None:
        """Tell it if it is time, and the login is of use."""
        account, now = self._app.account, self._clock()
        days = account.days_left(now) if account else None
        if account is None or days is None or days > _AHEAD_DAYS:
            return
        if self._is_due(account, now) and self._is_used(account.host):
            self._app.facts.note(_FACT, str(now))
            self._tell(account, days)

    def _is_due(self, account: Account, now: float) -> bool:
        told_at = _number(self._app.facts.get(_FACT))
        if told_at > account.ends_at:  # that it has ended is told once
            return told_at > now + _DAY_S  # unless the clock was wrong then
        return abs(now - told_at) >= _DAY_S

    def _is_used(self, host: str) -> bool:
        config = self._app.config
        chosen = {config.host, *(folder.host for folder in config.watch.folders)}
        return host in chosen or host in self._app.journal.queued_hosts()

    def _tell(self, account: Account, days: int) -> None:
        if days:
            told = Message(
                "your login at {host} ends soon (days left: {days}); imghost login, or the "
                "gallery's login page, makes a new one",
                {"host": account.host, "days": days},
            )
            self._to_person(told, "")
        else:
            told = Message(
                "your login at {host} has ended; what goes there is kept, and sent after imghost "
                "login",
                {"host": account.host},
            )
            self._to_person(told, account.host)


def _number(text: str) -> float:
    try:
        return float(text or "-inf")
    except ValueError:
        return float("-inf")
