"""What people choose for new pictures with a click: host, bucket, format and style of the link."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from imghost.app import App
from imghost.config_file import ConfigFile, change
from imghost.hosts import HOSTS
from imghost.links import FORMATS, check_format
from imghost.models import Message
from imghost.values import dataclass

STYLES: Mapping[str, Message] = {
    "": Message("Original"),
    "@1e_1c.webp": Message("WebP, same size"),
    "@1e_1c.jpg": Message("Smaller, same size"),
    "@800w_1e_1c.webp": Message("Width {width_px}, WebP", {"width_px": 800}),
    "@1200w_1e_1c.webp": Message("Width {width_px}, WebP", {"width_px": 1200}),
    "@1600w_1e_1c.webp": Message("Width {width_px}, WebP", {"width_px": 1600}),
}
"""The styles that are offered by a name, by their suffix; any other can be typed in."""


class Choice(StrEnum):
    """What can be chosen."""

    HOST = "host"
    BUCKET = "bucket"
    FORMAT = "format"
    STYLE = "style"


@dataclass(frozen=True, slots=True)
class Choices:
    """What counts for the next picture, and what could.

    `buckets` are those that the host knows, then those that were used there before; each list has
    what is chosen.
    """

    chosen: Mapping[Choice, str]
    hosts: tuple[str, ...]
    buckets: tuple[str, ...]
    formats: tuple[str, ...]
    styles: tuple[str, ...]


class Chooser:
    """Reads and changes what is chosen, which stands in the config's `file`; from any thread."""

    def __init__(self, app: App, file: ConfigFile) -> None:
        self._app = app
        self.file = file

    def choices(self) -> Choices:
        """As it stands now. Raises ConfigError while the config is wrong, MachineError."""
        pipeline = self._app.checked_pipeline()
        config = pipeline.config
        target = config.target()
        used = self._app.journal.buckets(target.host)
        known = (*pipeline.hosts(target.host).buckets, *used, target.bucket)
        return Choices(
            {
                Choice.HOST: target.host,
                Choice.BUCKET: target.bucket,
                Choice.FORMAT: config.link.format,
                Choice.STYLE: config.link.style,
            },
            hosts=tuple(HOSTS),
            buckets=tuple(dict.fromkeys(known)),
            formats=tuple(FORMATS),
            styles=tuple(dict.fromkeys((*STYLES, config.link.style))),
        )

    def choose(self, choice: Choice, value: str) -> None:
        """Have this count from the next picture on. Raises ConfigError, and nothing is changed."""
        config = self._app.checked_pipeline().config
        match choice:
            case Choice.HOST:
                key = "host"
            case Choice.BUCKET:
                key = f"hosts.{config.host}.bucket"
                config.target(bucket=value)  # which checks it
            case Choice.FORMAT:
                key = "link.format"
                check_format(value, config.link.template)
            case Choice.STYLE:
                key = "link.style"
        change(self.file.path, key, value, self.file.environ)
        self._app.pipeline()
