"""What an S3 store answers: that it has the picture, or one of many ways to say no.

The codes are those of Amazon's "Error responses", and what Ceph, MinIO, R2, OSS and COS add.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from imghost.errors import HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.models import Message
from imghost.transport.web import Reply
from imghost.values import dataclass

log = logging.getLogger(__name__)

_DETAIL_CHARACTERS = 200
_DOCUMENT_BYTES = 1 << 16  # more is not parsed, so that nothing large can unfold
_OVERTAKEN = b"<h1>Accepted</h1>"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which store was asked, and for which bucket; `is_own`: the one that is configured."""

    host: str
    bucket: str
    is_own: bool


def check_uploaded(reply: Reply, asked: Asked) -> None:
    """Return only if the picture is there.

    Raises HostUnavailable, HostRefused or LoginExpired, and nothing else whatever the reply holds;
    what it says, or its beginning, is then in the log.
    """
    if not is_there(reply):
        raise _failure(reply, asked)


def is_there(reply: Reply) -> bool:
    """Whether a PUT stored the picture, or a HEAD found one."""
    has_tag = bool(reply.headers.get("etag")) and not reply.body.strip()
    return reply.status == HTTPStatus.OK and has_tag


def is_overtaken(reply: Reply) -> bool:
    """Whether Swift did nothing, for somebody else has just put this key, or deleted it."""
    is_accepted = reply.status == HTTPStatus.OK and _OVERTAKEN in reply.body
    return is_accepted and "x-amz-request-id" in reply.headers


def check_deleted(reply: Reply, asked: Asked) -> None:
    """Return only if the picture is not there. Raises as `check_uploaded` does."""
    is_done = reply.status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT) and not reply.body.strip()
    if not is_done and _document(reply).get("Code") not in ("NoSuchKey", "NoSuchBucket"):
        raise _failure(reply, asked)


def _failure(reply: Reply, asked: Asked) -> HostError:
    document = _document(reply)
    code = document.get("Code", "")
    known = {
        "host": asked.host,
        "bucket": asked.bucket,
        "said": f"{code}: {document.get('Message', '')}".strip(": ") or f"HTTP {reply.status}",
        "region": document.get("Region") or _header(reply, "x-amz-bucket-region"),
        "endpoint": document.get("Endpoint", "").removeprefix(f"{asked.bucket}."),
        "location": _header(reply, "location"),
        "time": _header(reply, "date"),
    }
    log.warning("HTTP %d: %r", reply.status, known["said"] if code else reply.excerpt)
    return _meaning(reply.status, code, known, asked).error(known, reply)


def _document(reply: Reply) -> Mapping[str, str]:
    """The elements of an error document; nothing if the reply is none."""
    from xml.etree import ElementTree as ET

    if len(reply.body) > _DOCUMENT_BYTES:
        return {}
    try:
        root = ET.fromstring(reply.body.decode("utf-8", "replace"))  # noqa: S314 - it is small
    except (ET.ParseError, ValueError):
        return {}
    if _name(root.tag) != "Error":
        return {}
    return {_name(one.tag): _shown(one.text or "", reply) for one in root}


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _header(reply: Reply, name: str) -> str:
    return _shown(reply.headers.get(name, ""), reply)


def _shown(text: str, reply: Reply) -> str:
    return reply.masked(text.strip())[:_DETAIL_CHARACTERS]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What is to be thought of an answer: what follows for the picture, and the words."""

    kind: type[HostError]
    words: Message

    def error(self, known: Mapping[str, str], reply: Reply) -> HostError:
        template = self.words.template
        told: dict[str, Any] = {n: text for n, text in known.items() if f"{{{n}}}" in template}
        if self.kind is HostUnavailable:
            told |= {"retry_after_s": reply.retry_after_s, "ambiguous": self is _UNREADABLE}
        return self.kind(template, **told)


_WRONG_KEY = _Meaning(
    LoginExpired,
    Message(
        "{host} does not accept your key ({said}): set hosts.s3.access_key and "
        "hosts.s3.secret_key again"
    ),
)
_DENIED = _Meaning(
    LoginExpired,
    Message(
        "{host} does not let your key write into the bucket {bucket} ({said}): allow it at your "
        "provider, or set another key"
    ),
)
_DENIED_ELSEWHERE = _Meaning(
    HostRefused,
    Message(
        "{host} does not let your key write into the bucket {bucket} ({said}); use another bucket, "
        "or allow it at your provider"
    ),
)
_OTHER_REGION = _Meaning(
    LoginExpired,
    Message(
        "the bucket {bucket} is in the region {region} ({said}): set hosts.s3.region to that, and "
        "hosts.s3.endpoint if it names another one"
    ),
)
_OTHER_ENDPOINT = _Meaning(
    LoginExpired,
    Message(
        "the bucket {bucket} is not at {host} but at {endpoint} ({said}): set hosts.s3.endpoint to "
        "that"
    ),
)
_OTHER_ADDRESSING = _Meaning(
    LoginExpired,
    Message(
        "{host} wants the bucket's name before its own ({said}): set hosts.s3.addressing to virtual"
    ),
)
_WRONG_CLOCK = _Meaning(
    HostUnavailable,
    Message("this computer's clock is wrong ({said}): set it; at {host} it is {time}"),
)
_ASKED_TOO_OFTEN = _Meaning(
    HostUnavailable,
    Message("{host} was asked too often ({said}); it is left in peace for a while"),
)
_IN_TROUBLE = _Meaning(HostUnavailable, Message("{host} is in trouble ({said}); try again later"))
_DAMAGED = _Meaning(
    HostUnavailable, Message("the picture did not reach {host} whole ({said}); try again")
)
_FULL = _Meaning(HostUnavailable, Message("{host} has no room left ({said}); make some"))
_SENT_AWAY = _Meaning(
    HostUnavailable,
    Message(
        "{host} sends us to {location} ({said}); if your store is there set hosts.s3.endpoint to "
        "it, else log in to the network"
    ),
)
_UNREADABLE = _Meaning(
    HostUnavailable,
    Message(
        "the answer of {host} ({said}) is none of an S3 store; check hosts.s3.endpoint, a proxy or "
        "a login page of the network"
    ),
)
_NO_BUCKET = _Meaning(
    HostRefused,
    Message(
        "there is no bucket {bucket} at {host} ({said}); make it at your provider, or use another "
        "one"
    ),
)
_TOO_LARGE = _Meaning(
    HostRefused,
    Message("{host} takes no picture of this size ({said}); lower hosts.s3.max_bytes"),
)
_REFUSED = _Meaning(HostRefused, Message("{host} refused the picture ({said})"))

_CODES: Mapping[str, _Meaning] = {
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "Unauthorized"), _WRONG_KEY),
    **dict.fromkeys(("InvalidToken", "ExpiredToken", "InvalidSecurity"), _WRONG_KEY),
    **dict.fromkeys(("AuthorizationHeaderMalformed", "NotSignedUp"), _WRONG_KEY),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem"), _DENIED),
    **dict.fromkeys(("UserDisable", "UserSuspended"), _DENIED),
    **dict.fromkeys(("SecondLevelDomainForbidden", "PathStyleDomainForbidden"), _OTHER_ADDRESSING),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), _WRONG_CLOCK),
    **dict.fromkeys(("SlowDown", "TooManyRequests", "RequestLimitExceeded"), _ASKED_TOO_OFTEN),
    **dict.fromkeys(("InternalError", "ServiceUnavailable", "RequestTimeout"), _IN_TROUBLE),
    **dict.fromkeys(("OperationAborted", "ConditionalRequestConflict"), _IN_TROUBLE),
    **dict.fromkeys(("BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"), _DAMAGED),
    **dict.fromkeys(("QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"), _FULL),
    **dict.fromkeys(("NoSuchBucket", "InvalidBucketName"), _NO_BUCKET),
    **dict.fromkeys(("EntityTooLarge", "MaxMessageLengthExceeded"), _TOO_LARGE),
}
_STATUSES: Mapping[int, _Meaning] = {
    HTTPStatus.UNAUTHORIZED: _WRONG_KEY,
    HTTPStatus.FORBIDDEN: _DENIED,
    HTTPStatus.NOT_FOUND: _NO_BUCKET,
    HTTPStatus.REQUEST_TIMEOUT: _IN_TROUBLE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS: _ASKED_TOO_OFTEN,
    HTTPStatus.NOT_IMPLEMENTED: _REFUSED,
    HTTPStatus.INSUFFICIENT_STORAGE: _FULL,
}
_OF_REGIONS = frozenset(
    {
        *("PermanentRedirect", "TemporaryRedirect", "Redirect"),
        *("AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
    }
)


def _meaning(status: int, code: str, known: Mapping[str, str], asked: Asked) -> _Meaning:
    if code in _OF_REGIONS or _is_redirect(status):
        if known["region"]:
            return _OTHER_REGION
        if known["endpoint"]:
            return _OTHER_ENDPOINT
    meaning = _CODES.get(code) or _STATUSES.get(status) or _by_class(status, code)
    return _DENIED_ELSEWHERE if meaning is _DENIED and not asked.is_own else meaning


def _is_redirect(status: int) -> bool:
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def _by_class(status: int, code: str) -> _Meaning:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _IN_TROUBLE
    if status >= HTTPStatus.BAD_REQUEST:
        return _REFUSED
    if _is_redirect(status):
        return _SENT_AWAY
    return _IN_TROUBLE if code else _UNREADABLE  # a success with an error inside
