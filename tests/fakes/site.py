"""Somebody's site on loopback, and an internet in which it has a name of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from imghost.transport.dial import Address, Resolve
from imghost.transport.fetch import public_addresses
from tests.fakes.web import Quiet, Server, Web


@dataclass(frozen=True)
class Page:
    """What a path shows."""

    data: bytes = b""
    mime_type: str = "image/png"
    status: int = 200
    location: str = ""


class Site(Web):
    """Shows `pages` by their paths; `asked` are the paths and Referers in the order they came.

    `refuses` tells whether a Referer is answered 403; `most_at_once`: how many were asked for at
    the same time.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str]] = []
        self.refuses: Callable[[str], bool] = lambda _: False
        self.most_at_once = 0
        self.now = 0
        self.lock = threading.Lock()
        super().__init__(_Handler)


def named(**sites: Site) -> Resolve:
    """An internet where `a` is at a.example; *.gone has no address, all else is as it is."""

    def resolve(host: str, port: int) -> list[tuple[int, Address]]:
        name, _, rest = host.partition(".")
        if rest == "example" and name in sites:
            return [(socket.AF_INET, ("127.0.0.1", sites[name].port))]
        if rest in ("example", "gone"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return public_addresses(host, port)

    return resolve


class _Handler(Quiet, BaseHTTPRequestHandler):
    server: Server[Site]

    def do_GET(self) -> None:
        site, referer = self.server.fake, self.headers.get("Referer", "")
        with site.lock:
            site.asked.append((self.path, referer))
            site.now += 1
            site.most_at_once = max(site.most_at_once, site.now)
        refused = Page(b"", "text/plain", 403) if site.refuses(referer) else None
        page = refused or site.pages.get(self.path, Page(b"nothing", "text/plain", 404))
        try:
            self.send_response(page.status)
            self.send_header("Content-Type", page.mime_type)
            self.send_header("Content-Length", str(len(page.data)))
            if page.location:
                self.send_header("Location", page.location)
            self.end_headers()
            self.wfile.write(page.data)
        finally:
            with site.lock:
                site.now -= 1
