"""The one place for HTTP: a request goes out once, in time, and a capped reply comes back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from imghost.transport.web import Reply, Request, leaves_machine

if TYPE_CHECKING:
    import ssl

    from imghost.transport.dial import Call, Resolve


class Http:
    """Sends requests for one host, each over a connection of its own: none kept can be stale.

    `timeout_s` bounds a whole exchange, whatever the peer does. `proxy`: "" the system's,
    "direct", or a URL; this machine itself is never asked through one. `resolve` looks names up
    instead of the system. Safe from several threads at once; costs nothing before the first
    request.
    """

    def __init__(
        self, *, timeout_s: float, proxy: str = "", resolve: Resolve | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._proxy = proxy
        self._resolve = resolve
        self._lock = threading.Lock()
        self._calls: set[Call] = set()
        self._closed = False

    def send(
        self,
        request: Request,
        *,
        timeout_s: float | None = None,
        each: Callable[[bytes], object] | None = None,
    ) -> Reply:
        """Send it once and read the reply, whatever its status; redirects are not followed.

        `timeout_s` is for this exchange alone. `each` is given the body piece by piece; then the
        reply holds its first 4 KiB alone. Raises HostUnavailable, HostRefused and
        LoginExpired as `wire.exchange` does.
        """
        from imghost.transport.wire import exchange

        with self._call(timeout_s or self._timeout_s, request.max_bytes) as call:
            return exchange(request, call, self._proxy_for(request.url), lambda: self._trust, each)

    def close(self) -> None:
        """End what is under way, at once and from any thread; nothing is sent afterwards."""
        with self._lock:
            self._closed = True
            for call in self._calls:
                call.cut()

    @contextlib.contextmanager
    def _call(self, timeout_s: float, max_bytes: int) -> Iterator[Call]:
        from imghost.transport.dial import Call, addresses

        with Call(timeout_s, max_bytes, self._resolve or addresses) as call:
            with self._lock:
                self._calls.add(call)
                if self._closed:
                    call.cut()
            try:
                yield call
            finally:
                with self._lock:
                    self._calls.remove(call)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        from imghost.transport.wire import trust

        return trust()

    def _proxy_for(self, url: str) -> str:
        if self._proxy == "direct" or not leaves_machine(url):
            return ""
        if self._proxy:
            return self._proxy
        from requests.utils import get_environ_proxies, select_proxy

        proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None)) or ""
        return proxy if "://" in proxy or not proxy else f"http://{proxy}"
