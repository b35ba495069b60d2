"""A load on loopback: wrk where it is installed, else threads of our own."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import threading
import time
from urllib.parse import urlsplit

_SECONDS = 3
_CONNECTIONS = 16


def requests_per_s(url: str) -> float:
    """Requests a second that are answered 200, over kept connections."""
    get(url)
    if wrk := shutil.which("wrk"):
        told = subprocess.run(
            [wrk, "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", url],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        if "Non-2xx" in told:
            raise RuntimeError(told)
        rate = re.search(r"Requests/sec:\s*([\d.]+)", told)
        assert rate
        return float(rate[1])
    return _by_threads(url)


def _by_threads(url: str) -> float:
    until = time.perf_counter() + _SECONDS
    counts: list[int] = []

    def work() -> None:
        parts, n = urlsplit(url), 0
        connection = http.client.HTTPConnection(parts.netloc)
        while time.perf_counter() < until:
            connection.request("GET", parts.path)
            assert connection.getresponse().read()
            n += 1
        connection.close()
        counts.append(n)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / _SECONDS


def get(url: str) -> None:
    """Ask for it once. Raises RuntimeError unless it is there."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", parts.path)
    answer = connection.getresponse()
    if not answer.read() or answer.status != http.client.OK:
        raise RuntimeError(f"{url}: {answer.status}")
    connection.close()
