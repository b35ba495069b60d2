"""A host that keeps images in memory and fails as it is told."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from imghost.errors import HostError
from imghost.hosts.base import Outside
from imghost.models import Image, Limits, Stored


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """What it takes."""

    bucket: str = "memory"
    max_bytes: int = 1_000_000
    formats: frozenset[str] = frozenset({"png", "jpeg", "webp", "gif"})
    parallel: int = 4
    min_gap_s: float = 0.0


class MemoryHost:
    """Keeps the contract; `failures` are raised by the next uploads, None lets one pass.

    `tries` counts uploads, `images` holds what was stored by bucket and key.
    """

    name = "memory"
    buckets: tuple[str, ...] = ("memory", "other")
    is_public = True
    advice = None
    Config = MemoryConfig

    def __init__(self, config: MemoryConfig, outside: Outside) -> None:
        self.http = outside.http
        self.failures: deque[HostError | None] = deque()
        self.tries = 0
        self.images: dict[tuple[str, str], bytes] = {}
        self.closed = False
        self._config = config
        self._lock = threading.Lock()

    @property
    def limits(self) -> Limits:
        """What it takes, by its config."""
        config = self._config
        return Limits(
            config.max_bytes, config.formats, parallel=config.parallel, min_gap_s=config.min_gap_s
        )

    def upload(self, image: Image, bucket: str) -> Stored:
        """Keep the bytes."""
        with self._lock:
            self.tries += 1
            failure = self.failures.popleft() if self.failures else None
            if failure is not None:
                raise failure
            key = f"{image.sha1}.{image.extension}"
            self.images[bucket, key] = image.data
        url = f"https://memory.example/{bucket}/{key}"
        return Stored(self.name, bucket, key, url, len(image.data))

    def delete(self, stored: Stored) -> None:
        """Forget the bytes."""
        with self._lock:
            self.images.pop((stored.bucket, stored.key), None)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
