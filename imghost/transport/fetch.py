"""Fetch a picture from the open internet, and from nowhere else."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from imghost.errors import HostError, SourceError
from imghost.transport import Http
from imghost.transport.web import Reply, Request, host_of

if TYPE_CHECKING:
    from imghost.transport.dial import Address, Resolve

_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200
_LEAST_S = 0.001
_GIVEN_OUT = ip_network("2000::/3")  # by IANA; what lies elsewhere leads nowhere, or inside
_SPECIAL = (  # IANA's two registries for special purposes; Python's knowledge of them changes
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
    *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
)
_INNER_NAMES = (".localhost", ".local")
_NAT64 = ip_network("64:ff9b::/96")


class NotPublicError(SourceError):
    """It is not on the open internet, and was not asked."""


def public_addresses(host: str, port: int) -> list[tuple[int, Address]]:
    """The addresses of a host, if all of them are public. Raises NotPublicError, OSError."""
    from imghost.transport.dial import addresses

    found = addresses(host, port)
    for _, address in found:
        if not is_public(ip_address(address[0].partition("%")[0])):
            raise NotPublicError(
                "{host} is not on the open internet, and only from there links are fetched; save "
                "the picture and give the file",
                host=host,
            )
    return found


def internet(timeout_s: float, resolve: Resolve = public_addresses) -> Http:
    """What asks the open internet alone.

    Each host is looked up once by `resolve`, and connected to at what that gave. No proxy is used:
    it would look the name up by itself.
    """
    return Http(timeout_s=timeout_s, proxy="direct", resolve=resolve)


def follow(http: Http, request: Request, timeout_s: float, *, elsewhere: Http) -> Reply:
    """Send it, and after redirects, of which three at most are followed; `timeout_s` is for all.

    What leads to another host is asked for by `elsewhere`. Raises SourceError, and HostError as the
    exchange does.
    """
    first = host_of(request.url)
    ends_at = time.monotonic() + timeout_s
    for _ in range(1 + _MOST_REDIRECTS):
        left_s = max(_LEAST_S, ends_at - time.monotonic())
        asked = http if host_of(request.url) == first else elsewhere
        reply = asked.send(request, timeout_s=left_s)
        if reply.status not in _REDIRECTS:
            return reply
        request = replace(request, url=_joined(request.url, reply.headers.get("location", "")))
    raise SourceError(
        "{url} leads from link to link without end; open it and save the picture", url=request.url
    )


def fetch_public(
    url: str, *, max_bytes: int, timeout_s: float, resolve: Resolve = public_addresses
) -> bytes:
    """What stands behind the link on the open internet, within `timeout_s`. Raises SourceError."""
    with closing(internet(timeout_s, resolve)) as http:
        return fetch(http, url, elsewhere=http, max_bytes=max_bytes, timeout_s=timeout_s)


def fetch(http: Http, url: str, *, elsewhere: Http, max_bytes: int, timeout_s: float) -> bytes:
    """What stands behind the link, as `follow` asks, within `timeout_s`. Raises SourceError."""
    request = Request("GET", url, max_bytes=max_bytes)
    try:
        reply = follow(http, request, timeout_s, elsewhere=elsewhere)
    except HostError as exc:
        raise SourceError(
            "{url} cannot be fetched: {problem}", url=url, problem=exc.message
        ) from exc
    return _body(url, reply, max_bytes)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # no URL: the next look at it says so
        return location


def _body(url: str, reply: Reply, max_bytes: int) -> bytes:
    if reply.status != _OK:
        raise SourceError(
            "{url} cannot be fetched: its server answered {status}", url=url, status=reply.status
        )
    if not reply.whole:
        raise SourceError(
            "{url} is larger than {max_bytes} bytes; save a smaller one",
            url=url,
            max_bytes=max_bytes,
        )
    return reply.body


def is_inner(url: str) -> bool:
    """Whether the URL itself says that it leads to this machine or its own network."""
    try:
        name = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # no URL at all
        return False
    try:
        return not is_public(ip_address(name))
    except ValueError:
        return name == "localhost" or name.endswith(_INNER_NAMES)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address, and the IPv4 one that it may stand for, belong to everybody."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None and not is_public(address.sixtofour):
            return False
        if address not in _GIVEN_OUT:
            return False
    return not any(address in ip_network(special) for special in _SPECIAL)
