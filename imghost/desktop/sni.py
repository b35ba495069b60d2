"""org.kde.StatusNotifierItem: what panels ask of an icon, and in which form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

from dbus_fast import PropertyAccess
from dbus_fast.annotations import DBusBool, DBusInt32, DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from imghost.desktop.dbusmenu import MENU_PATH, Nothing

if TYPE_CHECKING:
    from PIL.Image import Image

PATH = "/StatusNotifierItem"
_LARGEST_PX = 48

Pixmaps = Annotated[list[tuple[int, int, bytes]], DBusSignature("a(iiay)")]
ToolTip = Annotated[
    tuple[str, list[tuple[int, int, bytes]], str, str], DBusSignature("(sa(iiay)ss)")
]


class NotifierItem(ServiceInterface):
    """What the panel asks of the icon; every property is there, for some panels give up else."""

    def __init__(self, name: str, clicked: Callable[[], None]) -> None:
        super().__init__("org.kde.StatusNotifierItem")
        self._name = name
        self._clicked = clicked
        self.words = name
        self.state = "Active"
        self.pixmaps: list[tuple[int, int, bytes]] = []

    def look(self, pixmaps: list[tuple[int, int, bytes]], state: str) -> None:
        """Look like this, and be in this state."""
        is_new = state != self.state
        self.pixmaps, self.state = pixmaps, state
        if is_new:
            self.new_status()
        self.tell_look()

    def tell_look(self) -> None:
        """Have panels fetch the picture again that they show."""
        self.new_icon()
        if self.state == "NeedsAttention":
            self.new_attention_icon()

    @dbus_method(name="Activate")
    def activate(self, _x: DBusInt32, _y: DBusInt32) -> Nothing:
        """It was clicked."""
        asyncio.get_running_loop().call_soon(self._clicked)

    @dbus_method(name="SecondaryActivate")
    def secondary_activate(self, _x: DBusInt32, _y: DBusInt32) -> Nothing:
        """The middle button does nothing."""

    @dbus_method(name="ContextMenu")
    def context_menu(self, _x: DBusInt32, _y: DBusInt32) -> Nothing:
        """Panels show the menu by themselves."""

    @dbus_method(name="Scroll")
    def scroll(self, _delta: DBusInt32, _orientation: DBusStr) -> Nothing:
        """The wheel does nothing."""

    @dbus_signal(name="NewIcon")
    def new_icon(self) -> Nothing:
        """It looks different now."""

    @dbus_signal(name="NewAttentionIcon")
    def new_attention_icon(self) -> Nothing:
        """The same, when it wants to be seen; some panels fetch each alone."""

    @dbus_signal(name="NewToolTip")
    def new_tool_tip(self) -> Nothing:
        """It says something else now."""

    @dbus_signal(name="NewTitle")
    def new_title(self) -> Nothing:
        """The same, for panels without tool tips."""

    @dbus_signal(name="NewStatus")
    def new_status(self) -> DBusStr:
        """It is shown, hidden, or wants to be seen."""
        return self.state

    @dbus_property(access=PropertyAccess.READ, name="Category")
    def category(self) -> DBusStr:
        """What sorts it among the others."""
        return "ApplicationStatus"

    @dbus_property(access=PropertyAccess.READ, name="Id")
    def identity(self) -> DBusStr:
        """By which panels remember whether it is to be hidden."""
        return self._name

    @dbus_property(access=PropertyAccess.READ, name="Title")
    def title(self) -> DBusStr:
        """Its name in lists of icons."""
        return self._name

    @dbus_property(access=PropertyAccess.READ, name="Status")
    def status(self) -> DBusStr:
        """Passive, Active or NeedsAttention."""
        return self.state

    @dbus_property(access=PropertyAccess.READ, name="WindowId")
    def window_id(self) -> DBusInt32:
        """There is no window."""
        return 0

    @dbus_property(access=PropertyAccess.READ, name="IconName")
    def icon_name(self) -> DBusStr:
        """Its picture comes as bytes."""
        return ""

    @dbus_property(access=PropertyAccess.READ, name="IconThemePath")
    def icon_theme_path(self) -> DBusStr:
        """The same."""
        return ""

    @dbus_property(access=PropertyAccess.READ, name="IconPixmap")
    def icon_pixmap(self) -> Pixmaps:
        """Its picture in several sizes."""
        return self.pixmaps

    @dbus_property(access=PropertyAccess.READ, name="OverlayIconName")
    def overlay_icon_name(self) -> DBusStr:
        """Nothing is laid over it."""
        return ""

    @dbus_property(access=PropertyAccess.READ, name="OverlayIconPixmap")
    def overlay_icon_pixmap(self) -> Pixmaps:
        """The same."""
        return []

    @dbus_property(access=PropertyAccess.READ, name="AttentionIconName")
    def attention_icon_name(self) -> DBusStr:
        """It looks the same when it wants to be seen."""
        return ""

    @dbus_property(access=PropertyAccess.READ, name="AttentionIconPixmap")
    def attention_icon_pixmap(self) -> Pixmaps:
        """The same; some panels show what is here whatever the status."""
        return self.pixmaps if self.state == "NeedsAttention" else []

    @dbus_property(access=PropertyAccess.READ, name="AttentionMovieName")
    def attention_movie_name(self) -> DBusStr:
        """Nothing moves."""
        return ""

    @dbus_property(access=PropertyAccess.READ, name="ToolTip")
    def tool_tip(self) -> ToolTip:
        """All in its title: panels read the text below it each in another markup."""
        return "", [], self.words, ""

    @dbus_property(access=PropertyAccess.READ, name="ItemIsMenu")
    def item_is_menu(self) -> DBusBool:
        """A click does more than open the menu."""
        return False

    @dbus_property(access=PropertyAccess.READ, name="Menu")
    def menu(self) -> DBusObjectPath:
        """Where its menu is."""
        return MENU_PATH


def pixmaps_of(image: Image) -> list[tuple[int, int, bytes]]:
    """The picture in the sizes for panels that its file has: width, height, ARGB in network order.

    They fetch all of them again with every change, so the largest are left out.
    """
    file = getattr(image, "ico", None)
    every: Sequence[tuple[int, int]] = sorted(file.sizes()) if file else [image.size]
    sizes = [size for size in every if size[0] <= _LARGEST_PX] or every[:1]
    images = [(file.getimage(size) if file else image).convert("RGBA") for size in sizes]
    return [(one.width, one.height, _argb(one)) for one in images]


def _argb(image: Image) -> bytes:
    from PIL.Image import merge

    red, green, blue, alpha = image.split()
    return merge("RGBA", (alpha, red, green, blue)).tobytes()
