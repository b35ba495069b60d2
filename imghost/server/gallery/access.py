"""Who may see the gallery, and who may change something from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imghost.errors import DaemonError
from imghost.secret import Secret
from imghost.server.peer import is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request

PAGE_HEADER = "X-Imghost-Page"
_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PORT = re.compile(r":[0-9]+$")
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class NotAllowedError(DaemonError):
    """The caller is not this user's own page on this machine."""


def check_seeing(request: Request) -> None:
    """Let browsers of this machine pass, under its own names, and nobody's proxy.

    The guard has looked at Host and Origin already; what it lets pass from elsewhere, for those who
    may upload from there, sees no page. Raises NotAllowedError.
    """
    name = _PORT.sub("", request.headers.get("host", ""))
    here = request.client is not None and is_loopback(request.client)
    forwarded = any(header in request.headers for header in _FORWARDED)
    if not here or forwarded or name.lower() not in _OWN_NAMES:
        raise NotAllowedError("the gallery is shown on its own computer only")


def check_changing(request: Request, token: Secret) -> None:
    """Let only the page itself pass, which carries the token. Raises NotAllowedError."""
    check_seeing(request)
    shown = request.headers.getlist(PAGE_HEADER)
    if len(shown) != 1 or Secret(shown[0]) != token:
        raise NotAllowedError("this page is of an earlier start of imghost; load it again")
