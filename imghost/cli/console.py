"""The terminal: results on stdout and nothing else there, everything said to a person on stderr."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Self, TextIO

from imghost.errors import MachineError, UsageError
from imghost.models import Message
from imghost.text import Speaker
from imghost.values import dataclass

_COLUMNS, _ROWS = 80, 24  # of a terminal that does not know
_BAR_CELLS = 30


@dataclass(frozen=True, slots=True)
class Item:
    """One result: a line for people and scripts, and what makes the same as JSON."""

    line: str
    data: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gives: results, printed as they come.

    `one`: its JSON is the only item's, not a list. `exit_code` is asked for after the last item.
    """

    items: Iterable[Item]
    one: bool = False
    exit_code: Callable[[], int] = int


class Console:
    """The three streams, in UTF-8 whatever the locale; `say` is set once the language is known."""

    def __init__(self, stdin: TextIO | None, stdout: TextIO | None, stderr: TextIO | None) -> None:
        self.stdin = stdin
        self._out = stdout
        self._err = stderr
        self.say = Speaker("en")
        self.quiet = False
        self.has_printed = False
        self._bar = ""

    @classmethod
    def of_process(cls) -> Self:
        """This process's streams; a program without a console has none."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
        return cls(sys.stdin, sys.stdout, sys.stderr)

    @property
    def watched(self) -> bool:
        """Whether a person sees stderr as it is written."""
        return not self.quiet and self._err is not None and self._err.isatty()

    @property
    def asked(self) -> bool:
        """Whether a person can be asked something."""
        return self.watched and self.stdin is not None and self.stdin.isatty()

    def print(self, answer: Answer, *, as_json: bool) -> int:
        """Print the results; the exit code."""
        if as_json:
            data = [item.data() for item in answer.items]
            self.bar("")
            told = data[0] if answer.one else data
            self.line(
                "\n".join(map(_escaped, json.dumps(told, ensure_ascii=False, indent=2).split("\n")))
            )
        else:
            for item in answer.items:
                self.bar("")
                self.line(item.line)
        self.bar("")
        return answer.exit_code()

    def tell(self, message: Message | str, **fields: str | float | Message) -> None:
        """Say something to the person, on a line of its own."""
        if self._err is not None:
            bar = self._bar
            self.bar("")
            self._show(f"imghost: {self.say(message, **fields)}\n")
            self.bar(bar)

    def note(self, message: Message | str, **fields: str | float | Message) -> None:
        """Say something that --quiet leaves out."""
        if not self.quiet:
            self.tell(message, **fields)

    def ask(self, question: str, **fields: str | float | Message) -> bool:
        """Put a yes-or-no question; anything but yes is no."""
        if self._err is None or self.stdin is None:
            return False
        if not self._show(self.say(question, **fields) + " "):
            return False
        return self.stdin.readline().strip().lower() in ("y", "yes", "是")

    def ask_hidden(self, question: str, **fields: str | float | Message) -> str:
        """Ask for a text that is not shown; without a person, a line of standard input.

        Raises EOFError if the person ends the input instead, UsageError for one that is too long.
        """
        from imghost.cli.hidden import MAX_HIDDEN, ask_hidden

        if self.stdin is None:
            return ""
        if self.asked:
            text = ask_hidden(self.say(question, **fields) + " ")
        else:
            text = self.stdin.readline(MAX_HIDDEN + 1)
        if len(text) > MAX_HIDDEN:
            raise UsageError(
                "the line is longer than {max} characters; copy only what is asked for",
                max=MAX_HIDDEN,
            )
        return text.strip()

    def room(self) -> tuple[int, int]:
        """The columns and rows in which a person sees stderr; none if nobody does."""
        if not self.watched or self._err is None:
            return 0, 0
        columns, rows = os.get_terminal_size(self._err.fileno())
        return columns or _COLUMNS, rows or _ROWS

    def draw(self, lines: Iterable[str]) -> None:
        """Show lines of a picture to the person."""
        if self._err is not None:
            self.bar("")
            self._show("".join(f"{line}\n" for line in lines))

    def bar(self, text: str) -> None:
        """Show a line that the next one replaces, if a person is watching."""
        if self.watched and self._err is not None and (text or self._bar):
            self._show(f"\r\x1b[K{text}")
            self._bar = text

    def abandon(self) -> None:
        """Nobody reads stdout any more: keep Python from complaining when it ends."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def _show(self, text: str) -> bool:
        """Write to stderr; whether that worked: if it is full or closed, the work goes on."""
        if self._err is None:
            return False
        try:
            self._err.write(text)
            self._err.flush()
        except OSError:
            return False
        return True

    def line(self, text: str) -> None:
        """Print a line of a result."""
        if self._out is None:
            return
        try:
            self._out.write(text + "\n")
            self._out.flush()
            self.has_printed = True
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise MachineError(
                "the output cannot be written: {detail}; what was uploaded stands in imghost "
                "history",
                detail=exc.strerror or str(exc),
            ) from exc


def progress_bar(done: int, total: int) -> str:
    """A bar with counts, for a line of its own."""
    filled = _BAR_CELLS * done // total if total else _BAR_CELLS
    return f"[{'#' * filled}{'.' * (_BAR_CELLS - filled)}] {done}/{total}"


def _escaped(line: str) -> str:
    """A line of JSON in which nothing can steer a terminal, and whose values are the same."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
