"""Any S3-compatible store as an image host: a picture is one signed PUT, its link the bucket's.

requests-aws4auth (0.1 MB, 1 ms to import) signs, and the Http that is handed in sends. Weighed and
left: boto3 takes 36 MB, 176 ms and 26 MB of memory; minio 17 MB and 157 ms, with no release for a
year; obstore 15 MB and 8 ms, but it sends by itself, past our deadlines, caps and close().
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from imghost.errors import ConfigError, HostRefused, LoginExpired
from imghost.hosts.base import (
    BROWSER_FORMATS,
    BUCKET,
    MOST_PARALLEL,
    Outside,
    check_bucket,
    check_proxy,
    check_public_url,
)
from imghost.models import Image, Limits, Message, Stored
from imghost.secret import Secret
from imghost.setting import setting
from imghost.transport.web import Request, host_of
from imghost.values import dataclass

if TYPE_CHECKING:
    from imghost.hosts.s3_replies import Asked

_MAX_KEY_BYTES = 1024
_HOST = re.compile(
    r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
)
_REGION = re.compile(r"[A-Za-z0-9_-]+")
_CACHE_CONTROL = re.compile(r"[\w=,;. -]*", re.ASCII)
_VISIBLE = re.compile(r"[!-~]+")
_PLACE = re.compile(r"\{(?:year|month|day|sha1|sha256|ext)\}")
_SEGMENT = re.compile(r"(?!\.{1,2}$)[\w.~-]+")  # nothing that a path, a URL or a link would twist


def _check_endpoint(url: str) -> None:
    if not _is_endpoint(url):
        raise ConfigError(
            "{url} cannot be where an S3 store answers; write it as https://HOST, without the "
            "bucket",
            url=url,
        )


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_host = _HOST.fullmatch(parts.netloc) and parts.port != 0
    except ValueError:  # an address or a port that is none
        return False
    path = parts.path.strip("/")
    is_whole = url == f"{parts.scheme}://{parts.netloc}{parts.path}"
    return bool(is_host and is_whole and parts.scheme in ("http", "https")) and (
        not path or _is_key(path)
    )


def _is_key(text: str) -> bool:
    return all(map(_SEGMENT.fullmatch, text.split("/")))


def _check_region(region: str) -> None:
    if not _REGION.fullmatch(region):
        raise ConfigError(
            '{region} is no region; write the one of your bucket, "auto" at Cloudflare R2, '
            '"us-east-1" where there is none',
            region=region,
        )


def _check_key(template: str) -> None:
    sample = _PLACE.sub("x" * 64, template)
    if not _is_key(sample) or len(sample.encode()) > _MAX_KEY_BYTES:
        raise ConfigError(
            "{written} makes no key; use letters, digits, '-', '_', '.', '~', '/' between names, "
            "and {places}",
            written=template,
            places="{year} {month} {day} {sha1} {sha256} {ext}",
        )
    if "{sha1}" not in template and "{sha256}" not in template:
        raise ConfigError(
            "{written} would let one picture take the place of another; put {sha1} into it",
            written=template,
            sha1="{sha1}",
        )


def _check_access_key(access_key: str) -> None:
    if access_key and not _VISIBLE.fullmatch(access_key):
        raise ConfigError(
            "hosts.s3.access_key holds what no key has, such as blanks; copy it again"
        )


def _check_cache_control(value: str) -> None:
    if not _CACHE_CONTROL.fullmatch(value):
        raise ConfigError(
            '{value} is no Cache-Control; write it as "public, max-age=86400", or "" for none',
            value=value,
        )


@dataclass(frozen=True, slots=True)
class S3Config:
    """Where the store is, who we are there, and how its links look.

    `addressing`: whether the bucket stands in the path or before the endpoint's name. `public_url`:
    where everybody sees `bucket`, if that is not its own address. `styles`: whether whoever answers
    there draws them. `proxy` is Http's.
    """

    endpoint: str = setting("", required=True, check=_check_endpoint)
    region: str = setting("us-east-1", check=_check_region)
    addressing: str = setting("path", choices=("path", "virtual"))
    bucket: str = setting("", required=True, check=check_bucket)
    key: str = setting("{year}/{month}/{sha1}.{ext}", check=_check_key)
    access_key: str = setting("", check=_check_access_key)
    secret_key: Secret = field(default=Secret(""), metadata={"env": "IMGHOST_S3_SECRET_KEY"})
    public_url: str = setting("", check=check_public_url)
    cache_control: str = setting("public, max-age=31536000, immutable", check=_check_cache_control)
    styles: bool = False
    max_bytes: int = setting(100_000_000, least=1)
    timeout_s: float = setting(60.0, least=1, most=3600)
    parallel: int = setting(4, least=1, most=MOST_PARALLEL)
    proxy: str = setting("", check=check_proxy)


class S3Host:
    """Stores a picture in a bucket under its hash, so that a second time changes nothing."""

    name = "s3"
    is_public = True
    Config = S3Config

    def __init__(self, config: S3Config, outside: Outside) -> None:
        if find_spec("requests_aws4auth") is None:
            raise ConfigError(
                "the host s3 needs a package that is not installed: {python} -m pip install "
                "requests-aws4auth",
                python=sys.executable,
            )
        self.http = outside.http
        self.buckets: tuple[str, ...] = (config.bucket,)
        self._config = config

    @property
    def advice(self) -> Message | None:
        """Where links lead straight to the bucket, it must let everybody read."""
        if self._config.public_url:
            return None
        return Message(
            "links of s3 show only where everybody may read the bucket {bucket}: allow that at "
            "your provider, or set hosts.s3.public_url to where it is seen",
            {"bucket": self._config.bucket},
        )

    @property
    def limits(self) -> Limits:
        """What browsers show; size, pace and styles as configured."""
        config = self._config
        return Limits(
            config.max_bytes, BROWSER_FORMATS, parallel=config.parallel, styles=config.styles
        )

    def upload(self, image: Image, bucket: str) -> Stored:
        """Put the image into the bucket."""
        from imghost.hosts.s3_replies import check_uploaded, is_overtaken

        key = key_of(self._config.key, image)
        headers = {"Content-Type": image.mime_type}
        if self._config.cache_control:
            headers["Cache-Control"] = self._config.cache_control
        reply = self.http.send(self._signed("PUT", bucket, key, headers, image.data))
        if not (is_overtaken(reply) and self._has(bucket, key)):
            check_uploaded(reply, self._asked(bucket))
        return Stored(self.name, bucket, key, self._link(bucket, key), len(image.data))

    def delete(self, stored: Stored) -> None:
        """Take the image out of its bucket."""
        from imghost.hosts.s3_replies import check_deleted

        reply = self.http.send(self._signed("DELETE", stored.bucket, stored.key, {}))
        check_deleted(reply, self._asked(stored.bucket))

    def is_own(self, url: str) -> bool:
        """Whether the link leads into the configured bucket, by its own address or the public."""
        places = (self._config.public_url, self._address(self._config.bucket))
        return any(url.startswith(f"{place.rstrip('/')}/") for place in places if place)

    def close(self) -> None:
        """End what is under way."""
        self.http.close()

    def _has(self, bucket: str, key: str) -> bool:
        from imghost.hosts.s3_replies import is_there

        return is_there(self.http.send(self._signed("HEAD", bucket, key, {})))

    def _signed(
        self, method: str, bucket: str, key: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Request:
        import requests
        from requests_aws4auth import AWS4Auth

        if not BUCKET.fullmatch(bucket):
            raise HostRefused("{bucket} cannot be a bucket's name", bucket=bucket)
        if not _is_key(key):  # which could lead elsewhere
            raise HostRefused("{key} is no key that imghost gives", key=key)
        url = f"{self._address(bucket)}/{quote(key)}"
        config, secret_key = self._config, self._secret_key()
        auth = AWS4Auth(config.access_key, secret_key, config.region, "s3")
        signed = requests.Request(method, url, headers, data=body, auth=auth).prepare().headers
        whole, signature = signed["Authorization"], signed["Authorization"].rpartition("=")[2]
        hidden = (Secret(whole), Secret(signature))
        return Request(method, url, dict(signed), body=body, hidden=hidden)

    def _secret_key(self) -> str:
        secret_key = self._config.secret_key.reveal()
        if not (self._config.access_key and secret_key):
            raise LoginExpired(
                "s3 needs your keys: make one at your provider, then imghost config set "
                "hosts.s3.access_key and hosts.s3.secret_key"
            )
        if not _VISIBLE.fullmatch(secret_key):
            raise LoginExpired(
                "hosts.s3.secret_key holds what no key has, such as blanks; copy it again"
            )
        return secret_key

    def _asked(self, bucket: str) -> Asked:
        from imghost.hosts.s3_replies import Asked

        return Asked(host_of(self._config.endpoint), bucket, bucket == self._config.bucket)

    def _address(self, bucket: str) -> str:
        endpoint = self._config.endpoint.rstrip("/")
        if self._config.addressing == "path":
            return f"{endpoint}/{bucket}"
        scheme, _, name = endpoint.partition("://")
        return f"{scheme}://{bucket}.{name}"

    def _link(self, bucket: str, key: str) -> str:
        public_url = self._config.public_url if bucket == self._config.bucket else ""
        return f"{(public_url or self._address(bucket)).rstrip('/')}/{quote(key)}"


def key_of(template: str, image: Image) -> str:
    """The image's key by a template that the config's check has passed; its day is today."""
    now = datetime.now().astimezone()
    return template.format(
        year=f"{now:%Y}",
        month=f"{now:%m}",
        day=f"{now:%d}",
        sha1=image.sha1,
        sha256=image.sha256,
        ext=image.extension,
    )
