"""The embedded host: files in a folder of this machine, shown by imghost's own server."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from imghost.disk import machine_errors, write_durably
from imghost.errors import HostRefused, HostUnavailable, MachineError
from imghost.hosts.base import (
    BROWSER_FORMATS,
    BUCKET,
    Outside,
    check_bucket,
    check_public_url,
)
from imghost.models import EXTENSIONS, Image, Limits, Message, Stored
from imghost.setting import setting
from imghost.values import dataclass

_MAX_BYTES = 200_000_000
_EXTENSIONS = "|".join(sorted(EXTENSIONS[name] for name in BROWSER_FORMATS))
_FILE_NAME = re.compile(rf"[0-9a-f]{{40}}\.(?:{_EXTENSIONS})")

_ONLY_HERE = Message(
    "links of the built-in host open on this computer only, and while imghost runs; choose another "
    "host, or set hosts.local.public_url, before others are to see them"
)


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """`public_url`: where others reach the embedded server, if that is not its own address."""

    bucket: str = setting("images", check=check_bucket)
    public_url: str = setting("", check=check_public_url)


class LocalHost:
    """Keeps `<folder>/<bucket>/<sha1>.<ext>` and links `<base>/bfs/<bucket>/<sha1>.<ext>`."""

    name = "local"
    buckets: tuple[str, ...] = ("images", "album")
    limits = Limits(max_bytes=_MAX_BYTES, formats=BROWSER_FORMATS)
    Config = LocalConfig

    def __init__(self, config: LocalConfig, outside: Outside) -> None:
        self.http = outside.http
        self._base_url = (config.public_url or outside.base_url).rstrip("/")
        self.is_public = bool(config.public_url)
        self._folder = outside.folder
        self._tmp = outside.tmp

    @property
    def advice(self) -> Message | None:
        """Its links are for this computer, unless there is a public address."""
        return None if self.is_public else _ONLY_HERE

    def upload(self, image: Image, bucket: str) -> Stored:
        """Write the image, durably, unless it is there."""
        if not self._base_url:
            raise HostUnavailable(
                "server.port is 0, so a link is only known while imghost runs: start imghost serve"
            )
        if not BUCKET.fullmatch(bucket):
            raise HostRefused("{bucket} cannot be a bucket's name", bucket=bucket)
        key = f"{image.sha1}.{image.extension}"
        path = self._folder / bucket / key
        try:
            write_durably(path, image.data, self._tmp)
        except MachineError as exc:  # may pass, and the original is safe elsewhere
            raise HostUnavailable(
                "the image is not stored: {problem}", problem=exc.message
            ) from exc
        return Stored(self.name, bucket, key, self.link(bucket, key), len(image.data))

    def link(self, bucket: str, key: str) -> str:
        """Where the file is seen now; "" while nobody serves it."""
        return f"{self._base_url}/bfs/{bucket}/{key}" if self._base_url else ""

    def find(self, bucket: str, file_name: str) -> Path | None:
        """The file of that name, whoever asks for it, or None."""
        return find_file(self._folder, bucket, file_name)

    def delete(self, stored: Stored) -> None:
        """Remove the file."""
        path = self.find(stored.bucket, stored.key)
        if path is None:
            return
        try:
            with machine_errors(path):
                path.unlink(missing_ok=True)
        except MachineError as exc:
            raise HostUnavailable(
                "the image is not deleted: {problem}", problem=exc.message
            ) from exc

    def close(self) -> None:
        """Nothing: no file stays open."""


def find_file(folder: Path, bucket: str, file_name: str) -> Path | None:
    """The embedded host's file of that name, whoever asks for it, or None.

    Links are not followed: the host makes none.
    """
    path = place_of(folder, bucket, file_name)
    try:
        return path if path and stat.S_ISREG(path.lstat().st_mode) else None
    except OSError:
        return None


def place_of(folder: Path, bucket: str, file_name: str) -> Path | None:
    """Where the embedded host's file of that name is or would be, whoever asks for it.

    None for a name that the host does not give; so none leads out of `folder`.
    """
    if not BUCKET.fullmatch(bucket) or not _FILE_NAME.fullmatch(file_name):
        return None
    return folder / bucket / file_name


def files_in(folder: Path) -> list[tuple[str, str]]:
    """The bucket and the name of each of the embedded host's files, in order."""
    found = sorted((path.parent.name, path.name) for path in folder.glob("*/*"))
    return [names for names in found if find_file(folder, *names)]
