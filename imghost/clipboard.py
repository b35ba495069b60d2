"""What a clipboard is: the contract that every desktop's keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Protocol

from imghost.models import Message
from imghost.values import dataclass

CUT = Message("the files were cut, not copied")
MARKED = Message("whoever copied it asks programs to leave it alone")
WITH_TEXT = Message("it came with text, as tables and documents do")
DRAWING = Message("it is an SVG drawing, which may carry scripts; copy it as a PNG")
NOT_HANDED_OVER = Message("the program that copied it did not hand it over")
TOO_LARGE = Message("it is larger than limits.input_bytes, or than 100 MB; copy it as a file")


@dataclass(frozen=True, slots=True)
class Held:
    """What the clipboard holds at one moment.

    `mark` names that moment to `replace`. `bitmap` is an image file's bytes, of unknown worth;
    `paths` are absolute paths of copied files, in their order; at most one of the two is there.
    `reason` says why something that looked like images is left alone. `ours`: this program put it
    there. `inherited`: whoever copied it is gone, and a clipboard manager holds it now. `empty`:
    nobody holds anything.
    """

    mark: object
    bitmap: bytes = field(default=b"", repr=False)
    paths: tuple[str, ...] = ()
    reason: Message | None = None
    ours: bool = False
    inherited: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What is put onto the clipboard: text, an image file's bytes with their type, or files."""

    text: str = ""
    picture: bytes = field(default=b"", repr=False)
    mime_type: str = ""
    paths: tuple[str, ...] = ()


class Clipboard(Protocol):
    """The desktop's clipboard.

    Its methods may be called from any thread, each ends within a few seconds whatever other
    programs do, and raises MachineError when the desktop is gone. While `changes` is iterated, it
    works on the thread that does so.
    """

    def changes(self) -> Iterator[None]:
        """One for each time that somebody copied, ourselves included, until `close`."""
        ...

    def read(self, max_bytes: int, *, wanted: bool = False) -> Held:
        """What is there now; a bitmap that is larger is left alone.

        `wanted`: the user asked for just this, so it does not count that it came with text or was
        cut.
        """
        ...

    def replace(self, mark: object, offer: Offer) -> bool:
        """Put the offer there unless somebody copied since `mark`; whether it is there now."""
        ...

    def put(self, offer: Offer) -> None:
        """Put the offer there, whatever was."""
        ...

    def close(self) -> None:
        """End `changes`, and leave what we put there to a clipboard manager if there is one."""
        ...
