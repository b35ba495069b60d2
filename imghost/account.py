"""Whose login counts at the host that needs one, where it stands, and how long it lasts."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from imghost.config import Config
from imghost.hosts.bilibili_login import Login, end_of

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Account:
    """`name` and `mid` are "" while unknown, `ends_at` is infinite then, in seconds since the epoch.

    `origin` is where its cookies stand: "login", "config" or "environment".
    """

    host: str
    name: str
    mid: str
    ends_at: float
    origin: str

    def days_left(self, now: float) -> int | None:
        """The days until it ends, begun ones too; 0 after that, None if nobody knows."""
        if math.isinf(self.ends_at):
            return None
        return max(0, math.ceil((self.ends_at - now) / DAY_S))
