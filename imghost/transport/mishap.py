"""What went wrong on the wire, as an error of ours."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import HTTPException

from requests.exceptions import ProxyError, RequestException
from urllib3.exceptions import HTTPError

from imghost.errors import HostError, HostRefused, HostUnavailable
from imghost.secret import Secret
from imghost.transport.dial import Call
from imghost.transport.masking import masked
from imghost.transport.web import Request, host_of, without_password

FOREIGN = (RequestException, HTTPError, HTTPException, OSError)
"""All that requests, urllib3, http.client and the sockets raise."""

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_DETAIL_CHARACTERS = 200


def mishap(exc: Exception, request: Request, call: Call, proxy: str) -> HostError:
    """The error that says what went wrong, by what was raised first."""
    root, host = _root(exc), host_of(request.url)
    detail = _detail(root, request.secrets)
    if isinstance(exc, ProxyError) and not call.sent:
        return HostUnavailable(
            "the proxy {proxy} does not let us through: {detail}; start it, or set the host's "
            'proxy to another address or to "direct"',
            proxy=without_password(proxy),
            detail=detail,
            offline=True,
        )
    if isinstance(exc, RequestException) and isinstance(exc, ValueError):
        return HostRefused(
            "{url} is not an http:// or https:// address; correct it", url=request.url
        )
    if call.was_cut:
        return HostUnavailable("stopped before {host} answered", host=host, ambiguous=call.sent)
    if isinstance(root, TimeoutError):
        return _too_slow(host, call)
    return _unreached(root, host, detail) or HostUnavailable(
        "the connection to {host} broke: {detail}", host=host, detail=detail, ambiguous=call.sent
    )


def _too_slow(host: str, call: Call) -> HostUnavailable:
    timeout_s = f"{call.timeout_s:.3g}"
    if call.sending and not call.sent:
        return HostUnavailable(
            "{timeout_s} s were too short to send it all to {host}; raise the host's timeout_s "
            "if the line is slow",
            host=host,
            timeout_s=timeout_s,
        )
    return HostUnavailable(
        "{host} did not answer within {timeout_s} s; check the network",
        host=host,
        timeout_s=timeout_s,
        ambiguous=call.sent,
    )


def _unreached(root: BaseException, host: str, detail: str) -> HostUnavailable | None:
    """The error if the host was never spoken to."""
    if isinstance(root, ssl.SSLCertVerificationError):
        return HostUnavailable(
            "{host} could not prove who it is ({detail}), so nothing was sent; check this "
            "machine's clock, its network and the proxy",
            host=host,
            detail=root.verify_message,
            offline=True,
        )
    if isinstance(root, socket.gaierror) or getattr(root, "errno", None) in _NO_WAY:
        return HostUnavailable(
            "there is no way to {host}: {detail}; check the network",
            host=host,
            detail=detail,
            offline=True,
        )
    if isinstance(root, ConnectionRefusedError):
        return HostUnavailable("{host} is not listening; it may be down", host=host)
    return None


def _root(exc: BaseException) -> BaseException:
    while isinstance(exc, (RequestException, HTTPError)) and (
        inner := exc.__cause__ or exc.__context__
    ):
        exc = inner
    return exc


def _detail(exc: BaseException, secrets: tuple[Secret, ...]) -> str:
    text = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    return masked(text, secrets)[:_DETAIL_CHARACTERS]
