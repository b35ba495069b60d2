"""Somebody at an X display, who copies in programs and pastes what is there then."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from Xlib.ext import xfixes

from tests.fakes.program import DEADLINE_S, eventually
from tests.fakes.x11 import Client, Requestor

_PATIENCE_S = 2.0
_GTK_OWNER = Path(__file__).with_name("gtk_owner.py")
_LINK = re.compile(r"!\[.*\]\((http://[^()\s]+)\)")


class _Paste(Requestor):
    """A program with little patience: whoever holds the clipboard may go while it is asked."""

    def event(self, fits: Callable[[Any], bool], limit_s: float = _PATIENCE_S) -> Any:
        return super().event(fits, limit_s)


class Person(Client):
    """`display`: the name of theirs."""

    def __init__(self, display: str) -> None:
        super().__init__(display)
        self.display = display
        self._environ = os.environ | {"DISPLAY": display}
        self.x.xfixes_query_version()
        mask = xfixes.XFixesSetSelectionOwnerNotifyMask
        self.x.xfixes_select_selection_input(self.window, self.atom("CLIPBOARD"), mask)

    def copy(self, data: bytes, mime_type: str = "image/png") -> None:
        """Copy by xclip, which stays until something else is copied, and says so too early."""
        former = self.owner()
        while self.x.pending_events():
            self.x.next_event()
        subprocess.run(
            ["xclip", "-selection", "clipboard", "-t", mime_type],
            env=self._environ,
            input=data,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=DEADLINE_S,
        )
        self.event(lambda it: isinstance(it, xfixes.SelectionNotify) and it.owner.id != former)

    def copy_files(self, *paths: Path) -> None:
        """Copy files by xclip."""
        self.copy("".join(f"{path.as_uri()}\r\n" for path in paths).encode(), "text/uri-list")

    @contextmanager
    def gtk(self, *words: str | Path) -> Iterator[None]:
        """A GTK program that copies, and runs to the end of the block."""
        command = ["/usr/bin/python3", _GTK_OWNER, *words]
        with subprocess.Popen(
            command, env=self._environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as program:
            try:
                assert program.stdout
                assert program.stdout.readline() == b"ready\n"
                yield
            finally:
                program.kill()

    def offered(self) -> list[str]:
        """The formats of what is on the clipboard; none if whoever copied it does not say."""
        if not self.owner():
            return []
        with _Paste(self.display) as program, suppress(AssertionError):
            atoms = program.ask("TARGETS")
            return [program.x.get_atom_name(atom) for atom in atoms.value] if atoms else []
        return []

    def text(self) -> str:
        """What a paste of text gives, "" if that is nothing."""
        return self.pasted("UTF8_STRING").decode()

    def pasted(self, target: str) -> bytes:
        """What a paste of this format gives, nothing if it cannot be had now."""
        if target in self.offered():
            with _Paste(self.display) as program, suppress(AssertionError):
                return program.paste(target) or b""
        return b""

    def links(self) -> list[str]:
        """The addresses of what a paste gives, if that is Markdown images, one a line."""
        found = [_LINK.fullmatch(line) for line in self.text().split("\n")]
        return [link[1] for link in found if link] if all(found) else []

    def linked(self, count: int = 1, within_s: float = DEADLINE_S) -> list[str]:
        """The addresses, once so many can be pasted."""
        eventually(lambda: len(self.links()) == count, within_s)
        return self.links()


def seen(url: str) -> bytes:
    """What a browser gets at an address."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=DEADLINE_S)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        assert response.status == 200, (url, response.status)
        return response.read()
    finally:
        connection.close()
