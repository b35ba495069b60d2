"""A desktop's clipboard in memory, with programs that copy, a clipboard manager, and a person."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from imghost.clipboard import CUT, MARKED, TOO_LARGE, WITH_TEXT, Held, Offer
from imghost.errors import MachineError
from imghost.models import Message

NO_DESKTOP = "there is no desktop"
_US, _PROGRAM, _MANAGER = "imghost", "a program", "a manager"


@dataclass(frozen=True, slots=True)
class Content:
    """What somebody put there; `reason`: why whoever reads it leaves it alone."""

    owner: str
    text: str = ""
    picture: bytes = b""
    paths: tuple[str, ...] = ()
    reason: Message | None = None
    inherited: bool = False


class Desktop:
    """What all programs share; safe from several threads at once.

    `content` is what a person would paste. A read waits while `answers` is not set, and then fails
    with the next of `failures`, if there is one. `restores`: how often the manager puts back what
    imghost replaced. `reads` counts, and so does `closes`.
    """

    def __init__(self) -> None:
        self.content: Content | None = None
        self.answers = threading.Event()
        self.answers.set()
        self.failures: deque[MachineError] = deque()
        self.restores = 0
        self.reads = self.closes = 0
        self.changed = threading.Condition(threading.RLock())
        self.mark = 0
        self.life = 1
        self.is_there = True

    def open(self, _poll_s: float = 0.0) -> MemoryClipboard:
        """The clipboard, for imghost. Raises MachineError while there is no desktop."""
        return MemoryClipboard(self)

    @property
    def text(self) -> str:
        """What a person pastes into an editor."""
        return self.content.text if self.content else ""

    def copy_text(self, text: str) -> None:
        """A person copies text."""
        self.put(Content(_PROGRAM, text))

    def copy_picture(self, picture: bytes, *, text: str = "") -> None:
        """A person copies a picture, or what is text as well as a picture."""
        self.put(Content(_PROGRAM, text, picture, reason=WITH_TEXT if text else None))

    def copy_marked(self, picture: bytes) -> None:
        """A password manager copies."""
        self.put(Content(_PROGRAM, picture=picture, reason=MARKED))

    def copy_files(self, *paths: object, are_cut: bool = False) -> None:
        """A person copies or cuts files."""
        names = tuple(map(str, paths))
        self.put(Content(_PROGRAM, paths=names, reason=CUT if are_cut else None))

    def take_over(self, *, inherited: bool = False) -> None:
        """A manager offers the same under its own name; `inherited`: as it is known to do."""
        with self.changed:
            assert self.content
            self.put(replace(self.content, owner=_MANAGER, inherited=inherited))

    def vanish(self) -> None:
        """Who copied last ends, and nobody has taken it over."""
        self.put(None)

    def go_away(self) -> None:
        """The session ends."""
        with self.changed:
            self.is_there = False
            self.life += 1
            self.changed.notify_all()

    def come_back(self) -> None:
        """Another session begins, with what the former one left."""
        self.is_there = True

    def put(self, content: Content | None) -> None:
        """Somebody takes the clipboard."""
        with self.changed:
            self.content = content
            self.mark += 1
            self.changed.notify_all()

    def put_ours(self, offer: Offer) -> None:
        """It is taken by imghost, which a manager may not like."""
        with self.changed:
            former = self.content
            self.put(Content(_US, offer.text, offer.picture, offer.paths))
            if self.restores and former:
                self.restores -= 1
                self.put(replace(former, owner=_MANAGER))


class MemoryClipboard:
    """Keeps the contract of Clipboard; a mark is the number of changes."""

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self._life = desktop.life
        self._told = desktop.mark
        self._is_closed = False
        self._check()

    def changes(self) -> Iterator[None]:
        """One for each change; several that come at once are one."""
        desktop = self._desktop
        while True:
            with desktop.changed:
                desktop.changed.wait_for(self._has_news)
                if self._is_closed:
                    return
                self._check()
                self._told = desktop.mark
            yield

    def read(self, max_bytes: int, *, wanted: bool = False) -> Held:
        """What is there once whoever copied it answers."""
        desktop = self._desktop
        desktop.reads += 1
        desktop.answers.wait()
        with desktop.changed:
            self._check()
            if desktop.failures:
                raise desktop.failures.popleft()
            return _held(desktop.mark, desktop.content, max_bytes, wanted=wanted)

    def replace(self, mark: object, offer: Offer) -> bool:
        """Put the offer there unless there was a change since."""
        with self._desktop.changed:
            self._check()
            if mark != self._desktop.mark:
                return False
            self._desktop.put_ours(offer)
            return True

    def put(self, offer: Offer) -> None:
        """Put the offer there."""
        with self._desktop.changed:
            self._check()
            self._desktop.put_ours(offer)

    def close(self) -> None:
        """End `changes`."""
        with self._desktop.changed:
            self._desktop.closes += 1
            self._is_closed = True
            self._desktop.changed.notify_all()

    def _has_news(self) -> bool:
        return self._is_closed or not self._is_alive() or self._told != self._desktop.mark

    def _is_alive(self) -> bool:
        return self._desktop.is_there and self._life == self._desktop.life

    def _check(self) -> None:
        if not self._is_alive():
            raise MachineError(NO_DESKTOP)


def _held(mark: int, content: Content | None, max_bytes: int, *, wanted: bool) -> Held:
    if content is None:
        return Held(mark, empty=True)
    is_large = len(content.picture) > max_bytes
    left_alone = None if wanted and content.reason is not MARKED else content.reason
    if reason := left_alone or (TOO_LARGE if is_large else None):
        return Held(mark, reason=reason, inherited=content.inherited)
    return Held(
        mark,
        content.picture,
        content.paths,
        ours=content.owner == _US,
        inherited=content.inherited,
    )
