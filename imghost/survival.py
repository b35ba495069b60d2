"""What goes wrong in the background costs the piece of work in which it does, and no thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec

from imghost.errors import ImghostError, JournalDamaged

P = ParamSpec("P")

log = logging.getLogger(__name__)


def nobody(*_told: object) -> None:
    """Who is told of something until somebody wants to hear of it."""


class Survival:
    """Runs pieces of work; `in_doubt` is set when one of them met a damaged journal."""

    def __init__(self) -> None:
        self.in_doubt = False

    def __call__(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Do the work, and log what it raises; whether it raised nothing."""
        try:
            work(*args, **kwargs)
        except JournalDamaged as exc:
            log.warning("%s", exc)
            self.in_doubt = True
        except ImghostError as exc:
            log.warning("%s", exc)
        except Exception:
            log.exception("a bug")
        else:
            return True
        return False
