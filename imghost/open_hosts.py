"""The hosts of one config, each opened when it is first asked for."""

from __future__ import annotations

import threading
from pathlib import Path

from imghost.config import Config
from imghost.hosts import HOSTS
from imghost.hosts.base import Host, Outside
from imghost.transport import Http

_TIMEOUT_S = 30.0


class OpenHosts:
    """Gives open hosts by their names; safe from several threads at once.

    `base_url` is where the embedded server answers, or ""; `folder` is where the embedded host
    keeps its files, `tmp` where they are written first.
    """

    def __init__(self, config: Config, base_url: str, folder: Path, tmp: Path) -> None:
        self._config = config
        self._base_url = base_url
        self._folder = folder
        self._tmp = tmp
        self._open: dict[str, Host] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str) -> Host:
        """The open host of this name. Raises ConfigError."""
        with self._lock:
            if name not in self._open:
                self._open[name] = self._opened(name)
            return self._open[name]

    def close(self) -> None:
        """Close those that were opened, and end what they are doing."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()

    def _opened(self, name: str) -> Host:
        config = self._config.usable_host(name)
        http = Http(
            timeout_s=getattr(config, "timeout_s", _TIMEOUT_S), proxy=getattr(config, "proxy", "")
        )
        return HOSTS[name](config, Outside(http, self._base_url, self._folder, self._tmp))
