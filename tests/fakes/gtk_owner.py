"""A GTK program that copied something; run by the system's Python, which has GTK.

    gtk_owner.py picture WIDTH_PX HEIGHT_PX   a picture of noise, encoded when it is asked for
    gtk_owner.py files copy|cut PATH...       files, as a file manager offers them

It says "ready" when it holds the clipboard, and ends with its standard input.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402 - the version comes first

GNOME, URIS, TEXT = "x-special/gnome-copied-files", "text/uri-list", "UTF8_STRING"


def hold_picture(width_px: int, height_px: int) -> None:
    """Hold a picture."""
    noise = GLib.Bytes.new(os.urandom(width_px * height_px * 3))
    picture = GdkPixbuf.Pixbuf.new_from_bytes(
        noise, GdkPixbuf.Colorspace.RGB, False, 8, width_px, height_px, width_px * 3
    )
    Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_image(picture)


def hold_files(verb: str, paths: list[str]) -> Any:
    """Hold files."""
    uris = [Path(path).as_uri() for path in paths]
    formats = {
        GNOME: "\n".join([verb, *uris]),
        URIS: "".join(uri + "\r\n" for uri in uris),
        TEXT: "\n".join(paths),
    }

    def give(_widget: object, data: Any, _info: int, _time: int) -> None:
        data.set(data.get_target(), 8, formats[data.get_target().name()].encode())

    widget = Gtk.Invisible()
    for name in formats:
        target = Gdk.Atom.intern(name, False)
        Gtk.selection_add_target(widget, Gdk.SELECTION_CLIPBOARD, target, 0)
    widget.connect("selection-get", give)
    Gtk.selection_owner_set(widget, Gdk.SELECTION_CLIPBOARD, 0)
    return widget


def main(what: str, first: str, *rest: str) -> None:
    """Hold it until standard input ends."""
    if what == "picture":
        hold_picture(int(first), int(rest[0]))
    widget = hold_files(first, list(rest)) if what == "files" else None
    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, Gtk.main_quit)
    GLib.idle_add(lambda: os.write(1, b"ready\n") and False)
    Gtk.main()
    del widget


if __name__ == "__main__":
    main(*sys.argv[1:])
