"""A real S3 store for the tests, which checks signatures: OpenStack Swift in one folder."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCESS_KEY, SECRET_KEY = "team:writer", "c4n4ry/of+the/store="
BUCKETS = ("pictures", "other")
DOMAIN = "s3.example"
"""The store's name where the bucket stands before it; no name server knows it."""

_PYTHON = "/usr/bin/python3"
_SERVER = Path(__file__).with_name("s3_store_server.py")


@dataclass(frozen=True)
class Store:
    """A running store, whose buckets everybody may read."""

    url: str

    def settings(self, **changed: Any) -> dict[str, Any]:
        """The config's section `hosts.s3` of somebody who may write there."""
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        where = {"endpoint": self.url, "bucket": BUCKETS[0], "public_url": self.public(BUCKETS[0])}
        return {**where, **keys, **changed}

    def public(self, bucket: str) -> str:
        """Where everybody sees the bucket: its s3api answers nobody without a key."""
        return f"{self.url}/v1/AUTH_team/{bucket}"


@functools.cache
def is_installed() -> bool:
    """Whether this machine has what the store needs."""
    command = [_PYTHON, "-c", "import swift.obj.mem_server, eventlet"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def running_store(folder: Path) -> Iterator[Store]:
    """A store that runs until the end, with all that it writes below the folder."""
    command = [_PYTHON, "-I", str(_SERVER), str(folder), *BUCKETS]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes) as server:
        try:
            port = server.stdout.readline().decode().strip() if server.stdout else ""
            assert port, server.stderr.read().decode() if server.stderr else ""
            yield Store(f"http://127.0.0.1:{port}")
        finally:
            server.communicate(timeout=5)
