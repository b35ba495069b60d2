"""Bilibili as an image host: its web upload, with the user's own cookies.

The API is not official. Everything known of it was read in public write-ups; nothing works around a
refusal.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from imghost.errors import ConfigError, LoginExpired
from imghost.hosts.base import Outside
from imghost.hosts.bilibili_replies import read_upload
from imghost.models import Image, Limits, Stored
from imghost.secret import Secret
from imghost.setting import setting
from imghost.web import Form, Request

log = logging.getLogger(__name__)

_UPLOAD = "/x/upload/web/image"
_FORMATS = frozenset({"png", "jpeg", "webp"})  # GIF is refused since 2025


def _check_api(url: str) -> None:
    """Raise ConfigError for an address to which the cookies would go in the clear."""
    ...


@dataclass(frozen=True, slots=True)
class BilibiliConfig:
    """The account's cookies and how gently the API is asked; `proxy` as for Http."""

    bucket: str = "openplatform"
    sessdata: Secret = setting(Secret(""), env="IMGHOST_SESSDATA")
    bili_jct: Secret = setting(Secret(""), env="IMGHOST_BILI_JCT")
    api: str = setting("https://api.bilibili.com", check=_check_api)
    max_bytes: int = setting(15_000_000, least=1)
    timeout_s: float = setting(30.0, least=1)
    parallel: int = setting(2, least=1)
    min_gap_s: float = setting(0.5, least=0)
    proxy: str = ""


class BilibiliHost:
    """Stores images in an account's buckets, which differ only in the link's path."""

    name = "bilibili"
    buckets = (
        *("openplatform", "static", "live", "seed", "banner", "mall", "album", "vip", "face"),
        *("svg-next", "archive", "garb", "polaris_web_conf"),
    )
    Config = BilibiliConfig

    def __init__(self, config: BilibiliConfig, outside: Outside) -> None:
        self._config = config
        self._http = outside.http

    @property
    def limits(self) -> Limits:
        """PNG, JPEG and WebP; sizes and pace by the config."""
        config = self._config
        return Limits(
            config.max_bytes, _FORMATS, parallel=config.parallel, min_gap_s=config.min_gap_s
        )

    def upload(self, image: Image, bucket: str) -> Stored:
        """Send the image; the link is as secure as the API that gave it."""
        sha1 = hashlib.sha1(image.data, usedforsecurity=False).hexdigest()
        uploaded = read_upload(self._http.send(self._request(image, bucket, f"{sha1}.{image.extension}")))
        url = f"{urlsplit(self._config.api).scheme}://{uploaded.address}"
        ...

    def close(self) -> None:
        """End what is under way."""
        self._http.close()
