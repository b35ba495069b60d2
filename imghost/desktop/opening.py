"""Opening a page or a file with the program that the desktop has for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading

from imghost.errors import MachineError


def open_page(url: str) -> None:
    """Show a page in the user's browser. Raises MachineError."""
    import webbrowser

    try:
        is_shown = webbrowser.open(url)
    except (OSError, webbrowser.Error):
        is_shown = False
    if not is_shown:
        raise MachineError("no browser was found; open {url} in yours", url=url)


def open_text(path: str) -> None:
    """Open a text file in the program that the user edits such files with. Raises MachineError."""
    try:
        _open_text(path)
    except OSError as exc:
        raise MachineError(
            "no program was found to edit {path}; open it in yours", path=path
        ) from exc


if sys.platform == "win32":

    def _open_text(path: str) -> None:
        import os

        try:
            os.startfile(path, "edit")  # noqa: S606 - a file of ours
        except OSError:  # nothing is known for its ending
            subprocess.Popen(["notepad.exe", path])  # noqa: S607 - Windows' own

else:

    def _open_text(path: str) -> None:
        words = ["open", "-t"] if sys.platform == "darwin" else ["xdg-open"]
        if shutil.which(words[0]) is None:
            raise FileNotFoundError(words[0])
        opener = subprocess.Popen(
            [*words, path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        threading.Thread(target=opener.wait, name="imghost-open", daemon=True).start()
