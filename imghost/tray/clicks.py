"""What a click in the tray's menu does, off the thread that it comes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from imghost import __version__, config_file
from imghost.app import App
from imghost.backend import Backend
from imghost.choosing import Choice, Chooser
from imghost.desktop.opening import open_page, open_text
from imghost.errors import ImghostError, SourceError
from imghost.forget import forget
from imghost.models import Message, Record, State
from imghost.survival import nobody
from imghost.watch.telling import Teller, Topic
from imghost.watch.wishes import Wishes

_ABOUT = Message(
    "imghost {version}: copy an image, paste a link. MIT licence", {"version": __version__}
)


class Clicks:
    """Done on the threads of `submit`; what goes wrong is told.

    `address` is the server's, without a slash at its end; `done` is called after each.
    """

    def __init__(
        self,
        app: App,
        backend: Backend,
        chooser: Chooser,
        wishes: Wishes,
        teller: Teller,
        submit: Callable[[Callable[[], None]], object],
        address: str,
    ) -> None:
        self._app = app
        self._backend = backend
        self._chooser = chooser
        self._wishes = wishes
        self._teller = teller
        self._submit = submit
        self._address = address
        self.done: Callable[[], None] = nobody

    def choose(self, choice: Choice, value: str) -> None:
        """Have this count for the next picture."""
        self._do(self._chooser.choose, choice, value)

    def pause(self, minutes: float | None) -> None:
        """Take nothing."""
        self._do(self._backend.pause, minutes)

    def resume(self, minutes: float | None) -> None:
        """Take what comes."""
        self._do(self._backend.resume, minutes)

    def take_copied(self) -> None:
        """Upload what is on the clipboard."""
        self._wishes.take_copied()

    def put_back(self) -> None:
        """Put the picture back that a link replaced."""
        self._do(self._backend.put_back)

    def copy_last(self, count: int) -> None:
        """Copy the links of the last so many pictures, the oldest first."""
        self._do(lambda: self._copy(self._app.journal.latest_done(count)[::-1]))

    def copy(self, record_id: int) -> None:
        """Copy a picture's link again."""
        self._do(lambda: self._copy([self._app.journal.get(record_id)]))

    def take_anyway(self, number: int) -> None:
        """Take what was left alone."""
        self._wishes.take_anyway(number)

    def retry(self, record_id: int | None) -> None:
        """Send what waits, or the picture that asks."""
        self._do(self._retry, record_id)

    def discard(self, record_id: int) -> None:
        """Erase the picture that asks or failed."""
        self._do(self._discard, record_id)

    def open_page(self, path: str) -> None:
        """Open a page of the gallery."""
        self._do(open_page, f"{self._address}{path}")

    def open_config(self) -> None:
        """Open the config file in an editor."""
        self._do(self._open_config)

    def tell_about(self) -> None:
        """Say what this is."""
        self._teller.tell(Topic.ABOUT, _ABOUT)

    def quit(self) -> None:
        """End imghost."""
        self._backend.stop()

    def _copy(self, records: list[Record]) -> None:
        pipeline = self._app.checked_pipeline()
        order = pipeline.order()
        links = filter(None, (pipeline.text(record, order) for record in records))
        if not (text := "\n".join(links)):
            raise SourceError("there is no link to copy yet")
        if not self._backend.copy(text):
            from imghost.copying import copy_text

            copy_text(self._chooser.file.environ, text)

    def _retry(self, record_id: int | None) -> None:
        self._backend.retry([] if record_id is None else [record_id])

    def _discard(self, record_id: int) -> None:
        record = self._app.journal.look_up(record_id)
        if record and record.state in (State.ASKING, State.FAILED):
            forget(self._app, record, at_host=False)

    def _open_config(self) -> None:
        path = self._chooser.file.path
        if not path.exists():
            config_file.create(path)
        open_text(str(path))

    def _do(self, work: Callable[..., object], *args: object) -> None:
        self._submit(partial(self._told, partial(work, *args)))

    def _told(self, work: Callable[[], object]) -> None:
        try:
            work()
        except ImghostError as exc:
            self._teller.tell(Topic.PROBLEM, exc.message)
            raise
        finally:
            self.done()
