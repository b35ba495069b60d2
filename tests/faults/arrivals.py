"""What came to a host, counted."""

from __future__ import annotations

import hashlib
from collections import Counter

from tests.fakes.bilibili import FakeBilibili


def arrivals(fake: FakeBilibili) -> Counter[str]:
    """How often each picture came to the host, by its SHA-256."""
    with fake.lock:
        return Counter(hashlib.sha256(u.parts["file"].data).hexdigest() for u in fake.uploads)


def sent_twice(fake: FakeBilibili) -> int:
    """How often a picture came that had come before."""
    counts = arrivals(fake)
    return counts.total() - len(counts)
