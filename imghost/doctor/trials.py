"""All trials, in the order in which they are told: to add one, write its function and its line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from imghost.doctor.daemon import try_daemon, try_port
from imghost.doctor.hosts import HOST_LIMIT_S, try_blog, try_host, try_login
from imghost.doctor.machine import (
    try_autostart,
    try_clock,
    try_config,
    try_disk,
    try_folders,
    try_journal,
)
from imghost.doctor.session import try_clipboard, try_notices, try_sound, try_tray
from imghost.doctor.trial import LIMIT_S, Case, Trial
from imghost.errors import ConfigError, DaemonError, HostUnavailable
from imghost.hosts import HOSTS
from imghost.models import Message

_SLOW_S = 3 * LIMIT_S


def _host(name: str) -> Trial:
    call: Callable[[Case], Message] = partial(try_host, name)
    title = Message("host {host}", {"host": name})
    return Trial(f"host {name}", title, call, HOST_LIMIT_S, HostUnavailable)


TRIALS = (
    Trial("config", Message("config"), try_config, late=ConfigError),
    Trial("folders", Message("folders"), try_folders),
    Trial("disk", Message("disk"), try_disk, _SLOW_S),
    Trial("journal", Message("journal"), try_journal, _SLOW_S),
    Trial("clock", Message("clock"), try_clock),
    Trial("daemon", Message("imghost watch"), try_daemon, _SLOW_S, DaemonError),
    Trial("port", Message("editors' port"), try_port, late=DaemonError),
    Trial("login", Message("login"), try_login, HOST_LIMIT_S, HostUnavailable),
    *map(_host, HOSTS),
    Trial("blog", Message("blog"), try_blog, _SLOW_S, HostUnavailable),
    Trial("clipboard", Message("clipboard"), try_clipboard, _SLOW_S),
    Trial("sound", Message("sound"), try_sound, _SLOW_S),
    Trial("tray", Message("tray"), try_tray, _SLOW_S),
    Trial("notices", Message("notices"), try_notices, _SLOW_S),
    Trial("autostart", Message("autostart"), try_autostart),
)
