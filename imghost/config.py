"""The config: the one place that knows its keys."""

from __future__ import annotations

import os
import re
from dataclasses import make_dataclass, replace
from typing import Any

from imghost.errors import ConfigError
from imghost.hosts import HOSTS
from imghost.hosts.base import check_bucket
from imghost.imaging.check import Caps
from imghost.imaging.conversion import Conversion
from imghost.links import FORMATS, is_web_address
from imghost.models import Target
from imghost.secret import Secret
from imghost.setting import missing, read, setting
from imghost.text import LANGUAGES
from imghost.values import dataclass


def check_style(text: str) -> None:
    """Raise ConfigError unless the text is empty or a style."""
    if text:
        from imghost.imaging.style import Style

        Style.parse(text)


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """How a link is written."""

    format: str = setting("markdown", choices=tuple(FORMATS))
    style: str = setting("", check=check_style)
    template: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A folder whose new images are uploaded; "" stands for what the rest of the config says."""

    path: str = ""
    host: str = ""
    bucket: str = ""
    style: str = setting("", check=check_style)


def read_folder(value: object, key: str) -> WatchedFolder:
    """A path, or an object with one. Raises ConfigError."""
    folder = read(WatchedFolder, {"path": value} if isinstance(value, str) else value, key, {})
    path = os.path.expanduser(folder.path)  # noqa: PTH111 - Path's raises without a home
    if not os.path.isabs(path):  # noqa: PTH117 - the same rules as for the line above
        raise ConfigError(
            "{key}: {path} is no whole path; begin it at the root or with ~",
            key=key,
            path=folder.path,
        )
    if folder.host and folder.host not in HOSTS:
        raise _unknown_host(folder.host)
    if folder.bucket:
        check_bucket(folder.bucket)
    return replace(folder, path=os.path.normpath(path))


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """What is watched, and what happens to what is found."""

    clipboard: bool = True
    folders: tuple[WatchedFolder, ...] = setting((), item=read_folder)
    existing: bool = False
    poll_s: float = setting(0.5, least=0.1, most=60)
    ask: bool = False
    max_files: int = setting(5, least=0)
    draft_after_s: float = setting(5.0, least=0)
    offer: str = setting("link", choices=("link", "link+picture"))


@dataclass(frozen=True, slots=True)
class ChimeConfig:
    """What is heard: files of the user's own, or "" for ours; `volume` from 0 to 1."""

    enabled: bool = True
    volume: float = setting(1.0, least=0, most=1)
    done: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class NotifyConfig:
    """What is shown; `done`: also each success."""

    enabled: bool = True
    done: bool = False


LOOPBACK = ("127.0.0.1", "::1")
_HOST = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/*?#@]+")


def check_address(text: str) -> None:
    """Raise ConfigError unless the text is an IP address."""
    if text in LOOPBACK:
        return
    from ipaddress import ip_address  # takes a while to load

    try:
        ip_address(text)
    except ValueError as exc:
        raise ConfigError(
            "server.bind must be an address of this machine, such as 192.168.1.5, or 0.0.0.0 for "
            "all of them, not {value}",
            value=text,
        ) from exc


def read_host(value: object, key: str) -> str:
    """A name, and a port if that is another one than server.port. Raises ConfigError."""
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        raise ConfigError(
            '{key} must be a name, or a name and a port, such as "nas.lan" or "i.example.org:443"',
            key=key,
        )
    return value.lower()


def read_origin(value: object, key: str) -> str:
    """What a browser sends as Origin; there is none for everybody. Raises ConfigError."""
    if not isinstance(value, str) or not _ORIGIN.fullmatch(value):
        raise ConfigError(
            '{key} must be the exact origin of pages that may call, such as "app://obsidian.md"',
            key=key,
        )
    return value


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The embedded server, and who may call it."""

    bind: str = setting("127.0.0.1", check=check_address)
    port: int = setting(36677, least=0, most=65535)
    hosts: tuple[str, ...] = setting((), item=read_host)
    secret: Secret = Secret("")
    origins: tuple[str, ...] = setting(("app://obsidian.md",), item=read_origin)
    fetch_links: bool = False
    cache_bytes: int = setting(500_000_000, least=0)

    def __post_init__(self) -> None:
        """Raise ConfigError for a secret that is none, or none where other machines can call."""
        if self.secret and not self.secret.reveal().strip():
            raise ConfigError("server.secret is nothing but blanks; write another, or none")
        if self.bind not in LOOPBACK and not self.secret:
            raise ConfigError(
                "server.bind {address} lets other machines call: set server.secret first",
                address=self.bind,
            )


def check_blog(url: str) -> None:
    """Raise ConfigError unless the text is empty or a web address."""
    if url and not is_web_address(url):
        raise ConfigError(
            "{url} cannot be where your blog is; it begins with http:// or https://", url=url
        )


@dataclass(frozen=True, slots=True)
class VerifyConfig:
    """Looking back at links; `blog`: the address of the pages that show the pictures, or ""."""

    after_upload: bool = True
    blog: str = setting("", check=check_blog)


_HostConfigs = make_dataclass(
    "_HostConfigs",
    [(name, kind.Config, kind.Config()) for name, kind in HOSTS.items()],
    frozen=True,
)


@dataclass(frozen=True, slots=True)
class Config:
    """All that the user can set."""

    host: str = setting("local", choices=tuple(HOSTS))
    hosts: Any = _HostConfigs()
    link: LinkConfig = LinkConfig()
    watch: WatchConfig = WatchConfig()
    convert: Conversion = Conversion()
    limits: Caps = Caps()
    chime: ChimeConfig = ChimeConfig()
    notify: NotifyConfig = NotifyConfig()
    server: ServerConfig = ServerConfig()
    verify: VerifyConfig = VerifyConfig()
    language: str = setting("", choices=("", *LANGUAGES))

    def __post_init__(self) -> None:
        """Raise ConfigError for a host that is chosen but cannot be used as it is configured."""
        for name in (self.host, *(folder.host for folder in self.watch.folders if folder.host)):
            self.usable_host(name)

    def of_host(self, name: str) -> Any:  # noqa: ANN401 - each host has a Config class of its own
        """The host's own Config. Raises ConfigError for an unknown host."""
        if name not in HOSTS:
            raise _unknown_host(name)
        return getattr(self.hosts, name)

    def usable_host(self, name: str) -> Any:  # noqa: ANN401 - as above
        """The host's own Config, which says all that it needs. Raises ConfigError."""
        config = self.of_host(name)
        if lacks := missing(config):
            raise ConfigError(
                "hosts.{host}.{key} is empty: set it before pictures go to {host}",
                host=name,
                key=lacks,
            )
        return config

    def target(self, host: str = "", bucket: str = "") -> Target:
        """The named place; what is not named is as configured. Raises ConfigError."""
        host = host or self.host
        config = self.usable_host(host)
        bucket = bucket or config.bucket
        check_bucket(bucket)
        return Target(host, bucket)


def _unknown_host(name: str) -> ConfigError:
    return ConfigError("unknown host {host}; known are {known}", host=name, known=", ".join(HOSTS))
