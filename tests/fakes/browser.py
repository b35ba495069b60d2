"""A real Chromium: how it is started, and a tab that remembers what went wrong in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)
WAIT_MS = 15_000
_LISTEN = """
window.refusals = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refusals.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
_DROP = """
([name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type }));
  for (const kind of ["dragover", "drop"]) {
    document.querySelector("main").dispatchEvent(new DragEvent(kind,
      { dataTransfer: carried, bubbles: true, cancelable: true }));
  }
}
"""
_PASTE = """
([name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true }));
}
"""


@dataclass
class Tab:
    """A page, and all that it complained of; `url` is where the gallery is."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str = "/") -> None:
        """Open a page of the gallery."""
        self.page.goto(self.url + path)

    def drop(self, name: str, data: bytes, mime_type: str = "image/png") -> None:
        """Drop a file onto the page."""
        self.page.evaluate(_DROP, [name, mime_type, _base64(data)])

    def paste(self, name: str, data: bytes) -> None:
        """Paste a file into the page."""
        self.page.evaluate(_PASTE, [name, "image/png", _base64(data)])

    @property
    def cards(self) -> Locator:
        """The uploads on the page."""
        return self.page.locator(".grid .card")

    @property
    def copied(self) -> str:
        """What stands on the clipboard."""
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    @property
    def focused(self) -> str:
        """What the keyboard speaks to: its text, or its name."""
        return str(
            self.page.evaluate(
                "(({ ariaLabel, textContent, name }) => ariaLabel || textContent.trim() || name)"
                "(document.activeElement)"
            )
        )

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, name: str, most: int = 60) -> None:
        """Press Tab until the keyboard speaks to what is called so."""
        for _ in range(most):
            if self.focused == name:
                return
            self.press("Tab")
        raise AssertionError(f"{name} is not reached; the last was {self.focused}")

    def must_be_content(self) -> None:
        """Nothing ran that should not, nothing was refused, nothing failed."""
        refused: list[Any] = self.page.evaluate("window.refusals")
        assert self.complaints + refused == []

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def open_tab(browser: Browser, url: str, **options: Any) -> Iterator[Tab]:
    """A tab without a past, in which pages may use the clipboard."""
    context = browser.new_context(
        permissions=["clipboard-read", "clipboard-write"],
        **{"viewport": {"width": 1440, "height": 900}} | options,
    )
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.add_init_script(_LISTEN)
        tab = Tab(page, url)
        page.on("console", tab._heard)  # noqa: SLF001 - its own
        page.on("dialog", tab._asked)  # noqa: SLF001 - its own
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        yield tab
    finally:
        context.close()


def _base64(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode()
