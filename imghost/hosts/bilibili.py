"""Bilibili as an image host: its web page's upload, with the user's own cookies.

The API is not official: what is known of it was read in public write-ups. No refusal is worked
around.
"""

from __future__ import annotations

import logging
import re
from dataclasses import field
from urllib.parse import urlsplit

from imghost.errors import ConfigError, LoginExpired
from imghost.hosts.base import MOST_PARALLEL, Outside, check_bucket, check_proxy
from imghost.links import REFERRER_TAG
from imghost.models import Image, Limits, Message, Stored
from imghost.secret import Secret
from imghost.setting import setting
from imghost.transport.web import Form, Request, host_of, leaves_machine
from imghost.values import dataclass

log = logging.getLogger(__name__)

WARNINGS = (
    Message("This is not an official API: it may change or close any day."),
    Message("Pictures are public, and imghost cannot delete them there."),
    Message("Links have died before: keep your originals, as imghost does for you."),
    Message(
        "Do not abuse it: an account can be restricted. Keep the cookies as you keep a password."
    ),
    Message(
        "Your page needs {tag} in its head, or its pictures stay blank.",
        {"tag": REFERRER_TAG},
    ),
)
"""What whoever begins to use it has to know."""

_PATH = "/x/upload/web/image"
_LINK = re.compile(r"https?://[\w.-]+\.hdslb\.com/bfs/", re.ASCII | re.IGNORECASE)
_FORMATS = frozenset({"png", "jpeg", "webp"})  # GIF is refused since 2025


def _check_address(url: str) -> None:
    safe = url.startswith("https://") or (url.startswith("http://") and not leaves_machine(url))
    if not (safe and host_of(url)):
        raise ConfigError(
            "{url} cannot be an address of Bilibili's: cookies go to an https:// address only",
            url=url,
        )


@dataclass(frozen=True, slots=True)
class BilibiliConfig:
    """The cookies of the user's account, and how gently it is asked; `proxy` is Http's."""

    bucket: str = setting("openplatform", check=check_bucket)
    sessdata: Secret = field(default=Secret(""), metadata={"env": "IMGHOST_SESSDATA"})
    bili_jct: Secret = field(default=Secret(""), metadata={"env": "IMGHOST_BILI_JCT"})
    api: str = setting("https://api.bilibili.com", check=_check_address)
    passport: str = setting("https://passport.bilibili.com", check=_check_address)
    max_bytes: int = setting(15_000_000, least=1)
    timeout_s: float = setting(30.0, least=1, most=3600)
    parallel: int = setting(2, least=1, most=MOST_PARALLEL)
    min_gap_s: float = setting(0.5, least=0, most=3600)
    proxy: str = setting("", check=check_proxy)


class BilibiliHost:
    """Stores images under the user's account; buckets differ only in the link's path."""

    name = "bilibili"
    is_public = True
    advice = Message(
        "Bilibili's pictures show on pages that send no Referer only: put {tag} into the page's "
        "head, or write links as html",
        {"tag": REFERRER_TAG},
    )
    buckets: tuple[str, ...] = (
        *("openplatform", "static", "live", "seed", "banner", "mall", "album", "vip", "face"),
        *("svg-next", "archive", "garb", "polaris_web_conf"),
    )
    Config = BilibiliConfig

    def __init__(self, config: BilibiliConfig, outside: Outside) -> None:
        self.http = outside.http
        self._config = config
        self._api = config.api.rstrip("/")

    @property
    def limits(self) -> Limits:
        """Three formats; sizes and pace as configured."""
        config = self._config
        return Limits(
            config.max_bytes, _FORMATS, parallel=config.parallel, min_gap_s=config.min_gap_s
        )

    @property
    def has_login(self) -> bool:
        """Whether both cookies are set."""
        return bool(self._config.sessdata and self._config.bili_jct)

    def upload(self, image: Image, bucket: str) -> Stored:
        """Send the image; its link is https if the API's address is."""
        from imghost.hosts.bilibili_replies import read_upload

        uploaded = read_upload(self.http.send(self._request(image, bucket)))
        url = f"{urlsplit(self._api).scheme}://{uploaded.address}"
        key = url.rpartition("/")[2]
        if {uploaded.etag, key.partition(".")[0]} != {image.sha1}:
            log.info("%s is called %s with the etag %r", image.sha1, key, uploaded.etag)
        return Stored(self.name, bucket, key, url, len(image.data))

    def is_own(self, url: str) -> bool:
        """Whether the link leads to Bilibili's image servers."""
        return _LINK.match(url) is not None

    def close(self) -> None:
        """End what is under way."""
        self.http.close()

    def _request(self, image: Image, bucket: str) -> Request:
        sessdata, bili_jct = self._config.sessdata, self._config.bili_jct
        if not self.has_login:
            raise LoginExpired("Bilibili needs your login: imghost login shows a code to scan")
        file_name = f"{image.sha1}.{image.extension}"  # the user's own names are private
        return Request(
            "POST",
            f"{self._api}{_PATH}",
            cookies={"SESSDATA": sessdata, "bili_jct": bili_jct},
            body=Form({"bucket": bucket, "csrf": bili_jct}, file_name, image.mime_type, image.data),
        )
