"""HTTP requests and replies as values."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import urlsplit

from imghost.secret import Secret
from imghost.transport.masking import masked
from imghost.values import dataclass

USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
_REPLY_BYTES = 1 << 20
_EXCERPT_BYTES = 2048
_LONGEST_REST_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart/form-data body: the fields, then one file in the field `file`."""

    fields: Mapping[str, str | Secret]
    file_name: str
    mime_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. Cookies go out exactly as given; `max_bytes` of the reply's body are read.

    `hidden`: what else of it, such as a part of the address, must never be seen again.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, Secret] = field(default_factory=dict)
    body: bytes | Form = field(default=b"", repr=False)
    max_bytes: int = _REPLY_BYTES
    hidden: tuple[Secret, ...] = ()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All that goes out and must never be seen again."""
        fields = self.body.fields.values() if isinstance(self.body, Form) else ()
        sent = (f for f in fields if isinstance(f, Secret))
        return (*self.cookies.values(), *sent, *self.hidden)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever its status.

    `headers` are named in lower case; the Set-Cookie lines are not among them. `body` is as it was
    sent, never decompressed, the request's `secrets` masked. `whole` is False when there was more
    of it than the request wanted.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool = True
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    set_cookies: tuple[Secret, ...] = ()

    def masked(self, text: str) -> str:
        """What was decoded from the reply, without the secrets that the decoding brought out."""
        return masked(text, self.secrets)

    @property
    def excerpt(self) -> str:
        """The beginning of the body, 2 KiB, for the log."""
        return self.body[:_EXCERPT_BYTES].decode("utf-8", "replace")

    @property
    def retry_after_s(self) -> float:
        """How long the peer wants to be left in peace by its Retry-After, seconds or a date."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            wait_s = float(text)
        else:
            moment = moment_of(text)
            wait_s = 0.0 if moment is None else moment - time.time()
        return min(max(wait_s, 0.0), _LONGEST_REST_S)


def moment_of(http_date: str) -> float | None:
    """The date in seconds since the epoch, None for what is none."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(http_date).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def host_of(url: str) -> str:
    """The host and port that stand in the URL, without a password; empty if it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2]


def leaves_machine(url: str) -> bool:
    """Whether the URL names another machine than this one."""
    from ipaddress import ip_address

    try:
        parts = urlsplit(url)
        name, _port = parts.hostname or "localhost", parts.port
    except ValueError:  # no URL at all
        return False
    try:
        return not ip_address(name).is_loopback
    except ValueError:
        return name != "localhost"


def is_proxy(url: str) -> bool:
    """Whether the URL is a proxy that can be used: http://, with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def without_password(proxy: str) -> str:
    """The proxy's address as it may be shown."""
    return proxy.rpartition("@")[2]
