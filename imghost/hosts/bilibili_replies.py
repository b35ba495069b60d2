"""What Bilibili's API answers: what was asked for, or one of many ways to say no."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from imghost.errors import HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.secret import MASK
from imghost.transport.web import Reply
from imghost.values import dataclass

log = logging.getLogger(__name__)

Meaning = Callable[[str, Reply], HostError]
"""Makes the error of what was said, in words and in the reply itself."""

_DETAIL_CHARACTERS = 200
_ADDRESS = re.compile(
    r"(?:(?:https?:)?//)?([a-z0-9][a-z0-9.-]*(?::\d{1,5})?/[a-z0-9._~%!$&*+,;=:@/?-]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A link without its scheme, and the etag that came with it, if any."""

    address: str
    etag: str


def read_upload(reply: Reply) -> Uploaded:
    """The link in the reply to an upload.

    Raises HostUnavailable, HostRefused or LoginExpired, and nothing else whatever the reply holds;
    its beginning is then in the log.
    """
    content = _object_in(reply.body)
    if _is_success(reply, content):
        return _uploaded(content.get("data"), reply)
    log.warning("HTTP %d: %r", reply.status, reply.excerpt)
    raise _failure(reply, content)


def read_data(reply: Reply, refused: Meaning) -> Mapping[str, Any]:
    """What the reply to any other question holds; nothing of it is logged, for it may be secret.

    Raises as `read_upload` does; `refused` makes the error of a plain no.
    """
    content = _object_in(reply.body)
    if not _is_success(reply, content):
        raise _failure(reply, content, refused)
    data = content.get("data")
    return data if isinstance(data, dict) else {}


def _object_in(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):  # brackets without end are no ValueError
        return {}
    return content if isinstance(content, dict) else {}


def _is_success(reply: Reply, content: Mapping[str, Any]) -> bool:
    return reply.status == HTTPStatus.OK and _code_in(content) == 0


def _code_in(content: Mapping[str, Any]) -> int | None:
    code = content.get("code")
    return code if type(code) is int else None


def _uploaded(data: object, reply: Reply) -> Uploaded:
    given = data if isinstance(data, dict) else {}
    for key in ("location", "image_url", "url"):  # three generations of endpoints
        location = text_in(given.get(key), reply)
        if (found := _ADDRESS.fullmatch(location)) and MASK not in location:
            return Uploaded(found[1], text_in(given.get("etag"), reply))
    raise HostRefused(
        "Bilibili says that it has the image, but gives no link; its API may have changed"
    )


def text_in(value: object, reply: Reply) -> str:
    """What the reply's JSON held, as a text that can be shown and stored; "" for what is none."""
    if not isinstance(value, str):
        return ""
    return reply.masked(value.encode(errors="replace").decode())[:_DETAIL_CHARACTERS]


def _failure(reply: Reply, content: Mapping[str, Any], refused: Meaning | None = None) -> HostError:
    code, message = _code_in(content), text_in(content.get("message"), reply)
    said = f"{code} {message}".strip() if code else f"HTTP {reply.status}"
    if "请先登录" in message or "账号未登录" in message:
        return _not_logged_in(said, reply)
    meant = _meaning(code, reply.status)
    return (refused or meant)(said, reply) if meant is _refused else meant(said, reply)


def _meaning(code: int | None, status: int) -> Meaning:
    if meant := _CODES.get(code) or _STATUSES.get(status):
        return meant
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _in_trouble
    if code is not None:
        return _unknown
    return _unreadable if status < HTTPStatus.MULTIPLE_CHOICES else _refused


def _not_logged_in(said: str, _: Reply) -> HostError:
    return LoginExpired(
        "Bilibili wants you to log in again ({said}): imghost login does it",
        said=said,
    )


def _csrf_differs(said: str, _: Reply) -> HostError:
    return LoginExpired(
        "Bilibili does not accept bili_jct ({said}): log in again with imghost login, which brings "
        "it and SESSDATA at once",
        said=said,
    )


def _banned(said: str, _: Reply) -> HostError:
    return HostRefused("Bilibili has banned this account ({said}); use another host", said=said)


def _refused(said: str, _: Reply) -> HostError:
    return HostRefused("Bilibili refused the image ({said}); try another bucket or host", said=said)


def _suspected(said: str, reply: Reply) -> HostError:
    return HostUnavailable(
        "Bilibili's risk control stepped in ({said}); it is left in peace for a while",
        said=said,
        risk_control=True,
        retry_after_s=reply.retry_after_s,
    )


def _asked_too_often(said: str, reply: Reply) -> HostError:
    return HostUnavailable(
        "Bilibili was asked too often ({said}); it is left in peace for a while",
        said=said,
        retry_after_s=reply.retry_after_s,
    )


def _in_trouble(said: str, reply: Reply) -> HostError:
    return HostUnavailable(
        "Bilibili is in trouble ({said}); try again later",
        said=said,
        retry_after_s=reply.retry_after_s,
    )


def _unreadable(said: str, _: Reply) -> HostError:
    return HostUnavailable(
        "Bilibili's answer ({said}) is not one of its API; a proxy or a login page of the network "
        "may have sent it",
        said=said,
        ambiguous=True,
    )


def _unknown(said: str, _: Reply) -> HostError:
    return HostRefused("Bilibili gave an answer that imghost does not know: {said}", said=said)


_CODES: Mapping[int | None, Meaning] = {
    -101: _not_logged_in,
    -111: _csrf_differs,
    -102: _banned,
    **dict.fromkeys((-400, -403, -404, -405, -616, -617), _refused),
    **dict.fromkeys((-412, -352), _suspected),
    **dict.fromkeys((-509, -799), _asked_too_often),
    **dict.fromkeys((-500, -503, -504, -8888), _in_trouble),
}
_STATUSES: Mapping[int, Meaning] = {
    HTTPStatus.REQUEST_TIMEOUT: _in_trouble,
    HTTPStatus.PRECONDITION_FAILED: _suspected,
    HTTPStatus.TOO_MANY_REQUESTS: _asked_too_often,
}
