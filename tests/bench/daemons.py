"""imghost running in the background, from its start until it has ended."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.bench.measure import IMGHOST

_ADDRESS = re.compile(r"http://[\w.:]+")


@dataclass(frozen=True)
class Daemon:
    """Its process, its port, and the seconds from its start until it said that it is there."""

    pid: int
    port: int
    start_s: float


@contextmanager
def daemon(environ: Mapping[str, str], *words: str) -> Iterator[Daemon]:
    """`imghost watch` or `imghost serve`, as the words say."""
    start = time.perf_counter()
    with subprocess.Popen(
        [*IMGHOST, *words], env=environ, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        line = process.stderr.readline()
        start_s = time.perf_counter() - start
        url = _ADDRESS.search(line)
        if not url:
            raise RuntimeError(line + process.stderr.read())
        try:
            yield Daemon(process.pid, urlsplit(url[0]).port or 0, start_s)
        finally:
            subprocess.run([*IMGHOST, "stop"], env=environ, check=True, capture_output=True)
