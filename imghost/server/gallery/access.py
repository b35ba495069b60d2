"""Who may see the gallery, and who may change something from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imghost.secret import Secret
from imghost.server.guard import is_from_elsewhere
from imghost.server.refusals import NotAllowedError

if TYPE_CHECKING:
    from starlette.requests import Request

PAGE_HEADER = "X-Imghost-Page"


def check_seeing(request: Request) -> None:
    """Let browsers of this machine pass, under its own names, and nobody's proxy.

    The guard has looked at who calls already; what it lets pass from elsewhere, for those who may
    upload from there, sees no page. Raises NotAllowedError.
    """
    if is_from_elsewhere(request.scope):
        raise NotAllowedError("the gallery is shown on its own computer only")


def check_changing(request: Request, token: Secret) -> None:
    """Let only the page itself pass, which carries the token. Raises NotAllowedError."""
    check_seeing(request)
    shown = request.headers.getlist(PAGE_HEADER)
    if len(shown) != 1 or Secret(shown[0]) != token:
        raise NotAllowedError("this page is of an earlier start of imghost; load it again")
