"""The one place for HTTP: a request goes out once, in time, and a capped reply comes back."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from imghost.transport.web import Reply, Request, leaves_machine

if TYPE_CHECKING:
    import ssl

    from imghost.transport.dial import Call, Resolve
    from imghost.transport.wire import Way

_MOST_KEPT = 8
_IDLE_S = 2.0  # what is between us and a host forgets connections on which nothing happens


class _Kept(NamedTuple):
    place: str
    way: Way
    since: float


class Http:
    """Sends requests for one host; an upload's connection is kept as long as others are under way.

    So a burst shakes hands but a few times, and none is left to grow stale after it; a host that
    breaks such a connection gets a new one for each request from then on.

    `timeout_s` bounds a whole exchange, whatever the peer does. `proxy`: "" the system's, "direct",
    or a URL; this machine itself is never asked through one. `resolve` looks names up instead of
    the system. Safe from several threads at once; costs nothing before the first request.
    """

    def __init__(
        self, *, timeout_s: float, proxy: str = "", resolve: Resolve | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._proxy = proxy
        self._resolve = resolve
        self._lock = threading.Lock()
        self._calls: set[Call] = set()
        self._uploads = 0
        self._free: list[_Kept] = []
        self._keeps = True
        self._closed = False

    def warm(self) -> None:
        """Load what the first request needs: its picture is about to come."""
        import imghost.transport.wire  # noqa: F401 - the loading is what is wanted

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

        with (
            self._call(timeout_s or self._timeout_s, request.max_bytes) as call,
            self._way(request) as way,
        ):
            return exchange(request, call, way, each)

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

    @contextlib.contextmanager
    def _way(self, request: Request) -> Iterator[Way]:
        """The way there that was used last, if one is free; else a new one."""
        from imghost.transport.wire import Way

        proxy, is_upload = self._proxy_for(request.url), bool(request.body)
        place = "/".join([*request.url.split("/", 3)[:3], proxy])
        with self._lock:
            self._uploads += is_upload
            kept = self._kept(place) if is_upload else None
        way = kept or Way(proxy, lambda: self._trust)
        is_free = False
        try:
            yield way
            is_free = is_upload
        finally:
            with self._lock:
                self._uploads -= is_upload
                self._keeps = self._keeps and way.is_kept
                if is_free and len(self._free) < _MOST_KEPT:
                    self._free.append(_Kept(place, way, time.monotonic()))
                else:
                    way.close()
                if not (self._uploads and self._keeps):
                    self._drop(kept_before=math.inf)

    def _kept(self, place: str) -> Way | None:
        self._drop(kept_before=time.monotonic() - _IDLE_S)
        there = [kept for kept in self._free if kept.place == place]
        if not there:
            return None
        self._free.remove(there[-1])
        return there[-1].way

    def _drop(self, *, kept_before: float) -> None:
        old = [kept for kept in self._free if kept.since < kept_before]
        for kept in old:
            self._free.remove(kept)
            kept.way.close()

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
