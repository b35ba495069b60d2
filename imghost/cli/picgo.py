"""--picgo: what programs expect that call PicGo's command and know failure by its text alone."""

from __future__ import annotations

from imghost.cli.console import Console
from imghost.models import Message

OPTION = "--picgo"
_ERROR = "[PicGo ERROR]: "
_NOTHING = "nothing was given to upload; imghost upload --help tells more"


class PicgoConsole(Console):
    """Prints links when all is well; else not one of them, and what was said, marked as errors.

    A short list, or an empty line, would have Obsidian delete the pictures that it names.
    """

    _said: tuple[str, ...] = ()
    _lines: tuple[str, ...] = ()

    def line(self, text: str) -> None:
        """Hold a line of a result back until it is known how all ends."""
        self._lines += (text,)
        self.has_printed = True

    def tell(self, message: Message | str, **fields: str | float | Message) -> None:
        """Say it to the person, and remember it as what may have gone wrong."""
        super().tell(message, **fields)
        self._said += (self.say(message, **fields),)

    def note(self, message: Message | str, **fields: str | float | Message) -> None:
        """Say something that is no failure."""
        if not self.quiet:
            super().tell(message, **fields)

    def finish(self, code: int) -> int:
        """Print what there is to be printed at the end; the exit code."""
        lines = self._lines
        if code:
            lines = tuple(f"{_ERROR}{said}" for said in self._said or (self.say(_NOTHING),))
        for text in lines:
            super().line(text)
        return code


def take_flag(words: list[str]) -> bool:
    """Take --picgo out of the words, wherever it stands among the options; whether it was there."""
    options = words[: words.index("--")] if "--" in words else words
    if OPTION not in options:
        return False
    words.remove(OPTION)
    return True
