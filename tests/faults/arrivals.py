"""What came to a host, counted."""

from __future__ import annotations

import hashlib
from collections import Counter

from tests.fakes.bilibili import FakeBilibili
from tests.fakes.program import eventually


def arrivals(fake: FakeBilibili) -> Counter[str]:
    """How often each picture came to the host, by its SHA-256."""
    with fake.lock:
        return Counter(hashlib.sha256(u.parts["file"].data).hexdigest() for u in fake.uploads)


def wait_for_another(fake: FakeBilibili, than: int) -> None:
    """Until more than so many different pictures came."""
    eventually(lambda: len(arrivals(fake)) > than)


def sent_twice(fake: FakeBilibili) -> int:
    """How often a picture came that had come before."""
    counts = arrivals(fake)
    return counts.total() - len(counts)
