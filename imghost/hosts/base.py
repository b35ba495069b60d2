"""What a host is: the contract that every image host keeps and the contract tests check."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from imghost.errors import ConfigError
from imghost.links import is_web_address
from imghost.models import Image, Limits, Message, Stored
from imghost.transport import Http
from imghost.transport.web import is_proxy, without_password
from imghost.values import dataclass

MOST_PARALLEL = 16
"""How many uploads at once a config may allow: one host that hangs must not keep all threads."""


class Host(Protocol):
    """A place that takes an image and gives a link.

    Built as `Kind(config, outside)`, where `config` is the kind's own Config class. The contract:

    - `upload` of the same image twice gives a link that works both times;
    - every method is safe from several threads at once;
    - it never converts, retries, sleeps, logs a secret, or touches clipboard, config or journal;
    - it raises only HostUnavailable (try later), HostRefused (never) and LoginExpired (ask the
      user); what libraries raise is mapped at the border, `raise ... from exc`;
    - its HTTP session and its folder are handed in; it opens none of its own.

    `buckets` are those known by name. `http` is the session it was handed; its links are looked at
    through it.
    """

    name: str
    buckets: tuple[str, ...]
    http: Http

    @property
    def is_public(self) -> bool:
        """Whether people elsewhere can see its images."""
        ...

    @property
    def advice(self) -> Message | None:
        """What whoever pastes its links must know, said once, for them to be seen."""
        ...

    @property
    def limits(self) -> Limits:
        """What it takes, by its config."""
        ...

    def upload(self, image: Image, bucket: str) -> Stored:
        """Store the image, which keeps `limits`, and say where it can be seen."""
        ...

    def close(self) -> None:
        """Let go of what it was handed, which ends an upload under way; nothing is called later."""
        ...


class Kind(Protocol):
    """A class of hosts: its name in the config, its settings there, and how it is built."""

    name: str
    Config: type[Any]

    def __call__(self, config: Any, outside: Outside, /) -> Host:  # noqa: ANN401 - its own Config
        """A host with these settings."""
        ...


@runtime_checkable
class Deletes(Protocol):
    """A host that can also take an image away again."""

    def delete(self, stored: Stored) -> None:
        """Remove it; one that is already gone is fine. Raises as `upload` does."""
        ...


@runtime_checkable
class NeedsLogin(Protocol):
    """A host that knows its user by a login; whether that still counts, it says at an upload."""

    @property
    def has_login(self) -> bool:
        """Whether it was given one."""
        ...


@runtime_checkable
class KeepsFiles(Protocol):
    """A host whose images are files of this machine, and whose links move with its address."""

    def link(self, bucket: str, key: str) -> str:
        """Where the file is seen now; "" while nobody serves it."""
        ...

    def find(self, bucket: str, file_name: str) -> Path | None:
        """The file of that name, whoever asks for it, or None."""
        ...


@runtime_checkable
class KnowsLinks(Protocol):
    """A host whose links are known by their form, whoever uploaded the pictures."""

    def is_own(self, url: str) -> bool:
        """Whether the link shows a picture of this host."""
        ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What a host is handed from outside.

    `http` has the host's own timeout and proxy; `base_url` is where the embedded server answers,
    without a slash at its end, or ""; `folder` is the embedded host's, `tmp` for its unfinished
    files.
    """

    http: Http
    base_url: str
    folder: Path
    tmp: Path


BROWSER_FORMATS = frozenset({"png", "jpeg", "webp", "gif", "avif"})
"""What every browser shows, where a host itself does not mind."""

BUCKET = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}")
"""What every host could have as a bucket's name, and what is safe as a folder's."""


def check_bucket(name: str) -> None:
    """Raise ConfigError unless it can be a bucket's name."""
    if not BUCKET.fullmatch(name):
        raise ConfigError(
            "{bucket} cannot be a bucket's name; use letters, digits, '-', '_' and '.', "
            "63 of them at most",
            bucket=name,
        )


def check_proxy(proxy: str) -> None:
    """Raise ConfigError unless it can be a host's `proxy`, which is Http's."""
    if proxy not in ("", "direct") and not is_proxy(proxy):
        raise ConfigError(
            "{proxy} is not an http:// address, and imghost can use no other proxy; set proxy to "
            'one, to "direct" for none, or to "" for the system\'s',
            proxy=without_password(proxy),
        )


def check_public_url(url: str) -> None:
    """Raise ConfigError unless it is empty or can stand before a key in a link."""
    if url and (not is_web_address(url) or set("?#") & set(url)):
        raise ConfigError(
            "{url} cannot be where others reach the pictures; it begins with http:// or https:// "
            "and has no ? or #",
            url=url,
        )
