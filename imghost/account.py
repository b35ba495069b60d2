"""Whose login counts at the host that needs one, where it stands, and how long it lasts."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from imghost.config import Config
from imghost.config_file import LOGIN_HOST, ConfigFile
from imghost.errors import ConfigError
from imghost.hosts import HOSTS
from imghost.hosts.base import NeedsLogin
from imghost.login import end_of
from imghost.models import Message
from imghost.values import dataclass

if TYPE_CHECKING:
    from imghost.app import App

SESSDATA_VARIABLE = "IMGHOST_SESSDATA"
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Account:
    """`origin` is where its cookies stand: "login", "config" or "environment".

    `name` and `mid` are "" while unknown, `ends_at` is infinite then; in seconds since the epoch.
    """

    host: str
    name: str
    mid: str
    ends_at: float
    origin: str

    def days_left(self, now: float) -> int | None:
        """As `days_left` tells."""
        return days_left(self.ends_at, now)


def days_left(ends_at: float, now: float) -> int | None:
    """The days until a login ends, begun ones too; 0 after that, None if nobody knows."""
    return None if math.isinf(ends_at) else max(0, math.ceil((ends_at - now) / _DAY_S))


def time_left(days: int) -> Message:
    """The days that are left, in words."""
    return Message("1 day left") if days == 1 else Message("{days} days left", {"days": days})


def account_of(file: ConfigFile, config: Config) -> Account | None:
    """The login in a config that came from the file, None if there is none."""
    own, login = config.of_host(LOGIN_HOST), file.login
    if not (own.sessdata and own.bili_jct):
        return None
    if login and (login.sessdata, login.bili_jct) == (own.sessdata, own.bili_jct):
        return Account(LOGIN_HOST, login.name, login.mid, login.ends_at, "login")
    origin = "environment" if file.environ.get(SESSDATA_VARIABLE) else "config"
    return Account(LOGIN_HOST, "", "", end_of(own.sessdata, time.time()), origin)


def wants_login(app: App) -> str:
    """The host that wants a login for what is to be sent there; "" if none does."""
    pipeline = app.pipeline()
    used = dict.fromkeys((pipeline.config.host, *app.journal.queued_hosts()))
    for name in filter(HOSTS.__contains__, used):
        with suppress(ConfigError):  # its settings are gone
            host = pipeline.hosts(name)
            if isinstance(host, NeedsLogin) and (app.outbox.is_held(name) or not host.has_login):
                return name
    return ""
