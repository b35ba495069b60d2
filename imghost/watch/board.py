"""The clipboard as imghost sees it: what somebody copied, and how often that was."""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from imghost.clipboard import Clipboard, Held, Offer
from imghost.errors import MachineError, SourceError
from imghost.models import Message
from imghost.survival import Survival

_QUIET_S = 0.1
_COUNTED = 50
_READ_AGAIN_S = 1.0
_REOPEN_S = 5.0
_TIMES_AT_MOST, _TIMES_WITHIN_S = 4, 30.0
_TAKEN_OVER_S = 3.0  # a manager that does not say who it is has what we put there by then

BEFORE = Message("it was there before imghost began to watch")
MEANWHILE = Message("it was copied while imghost was paused")
RESTORED = Message("another program keeps putting it back")

log = logging.getLogger(__name__)


class Board:
    """Follows one clipboard; `woken` is called, on its own thread, whenever something changed.

    `copies` counts what somebody copied, on from the number that is given. What a clipboard manager
    took over and what we put in a picture's place does not count; what is found when it begins,
    and what the user has put there, is counted but never handed on. A clipboard that cannot be
    opened or is lost is opened again after `reopen_s`; `problem` says meanwhile why there is none.
    `look`, `take` and `replace` are for one thread, the others for any.
    """

    def __init__(
        self,
        open_clipboard: Callable[[], Clipboard],
        woken: Callable[[], None],
        survive: Survival,
        *,
        copies: int = 0,
        clock: Callable[[], float] = time.monotonic,
        reopen_s: float = _REOPEN_S,
    ) -> None:
        self._open = open_clipboard
        self._woken = woken
        self._survive = survive
        self._clock = clock
        self._reopen_s = reopen_s
        self._judging = threading.Lock()
        self._clipboard: Clipboard | None = None
        self._closing = threading.Event()
        self._changed_at = -math.inf
        self._look_at = math.inf
        self._anew: Message | None = BEFORE
        self._content = ""
        self._restored_at = -math.inf
        self._mark: object = None
        self._came: list[float] = []
        self._copied_at: deque[float] = deque(maxlen=_COUNTED)
        self.copies = copies
        self.problem: Message | None = None
        self._thread = threading.Thread(target=self._follow, name="imghost-clipboard")
        self._thread.start()

    def close(self) -> None:
        """Follow it no longer; what we put there stays."""
        self._closing.set()
        self._close_clipboard()
        self._thread.join()

    def begin_anew(self) -> None:
        """It was paused: what was copied meanwhile is no news."""
        self._anew = MEANWHILE
        self._look_at = self._clock()

    @property
    def is_followed(self) -> bool:
        """Whether what is there when somebody copies next is known to be new."""
        return self._clipboard is not None and not self._anew

    def next_s(self, now: float) -> float:
        """How long until `look` has something to look at."""
        return max(0.0, self._look_at - now)

    def look(self, max_bytes: int, *, is_awaited: bool) -> Held | None:
        """What somebody copied since the last look, once it stands still.

        `is_awaited`: the link of what was copied last is still to come, so the same content is
        only in other hands.
        """
        if self._clock() < self._look_at:
            return None
        self._look_at = math.inf
        clipboard = self._clipboard
        if clipboard is None:
            return None
        try:
            held = clipboard.read(max_bytes)
        except MachineError as exc:
            log.info("the clipboard was not read: %s", exc)
            self._look_at = min(self._look_at, self._clock() + _READ_AGAIN_S)
            return None
        with self._judging:
            return self._judged(held, is_awaited=is_awaited)

    def replace(self, offer: Offer) -> bool:
        """Put the offer there unless somebody copied since the last look; whether it is there."""
        clipboard = self._clipboard
        if clipboard is None or self._anew:
            return False
        try:
            return clipboard.replace(self._mark, offer)
        except MachineError as exc:
            log.info("the clipboard was not replaced: %s", exc)
            return False

    def put(self, offer: Offer, content: str = "") -> bool:
        """Put the offer there because the user wants it.

        `content` is what that is; who takes it over, as managers do, has not copied it.
        """
        clipboard = self._clipboard
        if clipboard is None:
            return False
        with self._judging:  # a manager may take it over before the call returns
            try:
                clipboard.put(offer)
            except MachineError as exc:
                log.info("nothing was put onto the clipboard: %s", exc)
                return False
            self._count(self._clock())
            self._content, self._restored_at = content, self._clock()
        return True

    def take(self, max_bytes: int) -> Held:
        """What is there, at the user's word; a link may take its place. Raises SourceError."""
        held = self.held_now(max_bytes, wanted=True)
        with self._judging:
            self._anew, self._mark, self._content = None, held.mark, content_of(held)
            self._count(self._clock())
        return held

    def held_now(self, max_bytes: int, *, wanted: bool = False) -> Held:
        """What is there, whatever was looked at before. Raises SourceError if nobody can tell."""
        clipboard = self._clipboard
        if clipboard is None:
            problem = self.problem or Message("the clipboard is not watched just now; try again")
            raise SourceError(problem.template, **problem.fields)
        try:
            return clipboard.read(max_bytes, wanted=wanted)
        except MachineError as exc:
            raise SourceError(exc.message.template, **exc.message.fields) from exc

    def copies_at(self, then: float) -> int:
        """How often somebody had copied something at that time of the monotonic clock."""
        return self.copies - sum(at > then for at in list(self._copied_at))

    def _judged(self, held: Held, *, is_awaited: bool) -> Held | None:
        former, self._mark = self._mark, held.mark
        content = content_of(held)
        if reason := self._anew:
            self._anew, self._content = None, content
            self.copies += 1
            is_news = content and not held.ours and held.mark != former
            return Held(held.mark, reason=reason) if is_news else None
        if held.ours or held.empty:
            return None
        again = bool(content) and content == self._content
        is_restored = self._clock() - self._restored_at < _TAKEN_OVER_S
        if again and (is_awaited or held.inherited or is_restored):
            return None
        self._count(self._changed_at)  # reading it may have taken a while
        if not again:
            self._came.clear()
        self._content = content
        return Held(held.mark, reason=RESTORED) if self._keeps_coming() else held

    def _count(self, at: float) -> None:
        self._copied_at.append(at)
        self.copies += 1

    def _keeps_coming(self) -> bool:
        """Whether the same content came so often that no person can have copied it each time."""
        now = self._clock()
        self._came = [*(at for at in self._came if now - at < _TIMES_WITHIN_S), now]
        return bool(self._content) and len(self._came) > _TIMES_AT_MOST

    def _follow(self) -> None:
        while not self._closing.is_set():
            self._survive(self._follow_one)
            self._closing.wait(self._reopen_s)

    def _follow_one(self) -> None:
        try:
            clipboard = self._open()
            self.problem, self._anew = None, BEFORE
            self._clipboard = clipboard
            self._changed()
            for _ in () if self._closing.is_set() else clipboard.changes():
                self._changed()
        except MachineError as exc:
            if self.problem != exc.message:
                log.info("no clipboard: %s", exc)
            self.problem = exc.message
        finally:
            self._close_clipboard()
            self._woken()

    def _close_clipboard(self) -> None:
        """Close it once, whoever comes first: what it leaves to a manager takes its time."""
        with self._judging:
            clipboard, self._clipboard = self._clipboard, None
        if clipboard:
            clipboard.close()

    def _changed(self) -> None:
        now = self._clock()
        flaps = now - self._changed_at < _QUIET_S
        self._changed_at = now
        self._look_at = now + _QUIET_S if flaps else now
        self._woken()


def content_of(held: Held) -> str:
    """What tells equal contents apart from others; "" if there is no image."""
    if held.bitmap:
        return hashlib.sha256(held.bitmap).hexdigest()
    return "\0".join(held.paths)
