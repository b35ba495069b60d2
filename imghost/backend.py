"""What the commands can have the daemon do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from imghost.app import App
from imghost.clipboard import Offer
from imghost.errors import DaemonError
from imghost.forget import forget
from imghost.models import State
from imghost.report import Watching, status_json
from imghost.server.asked import Json, UploadRequest
from imghost.server.wire import Settled
from imghost.text import Speaker

if TYPE_CHECKING:
    from imghost.imaging.prepare import Prepare
    from imghost.server.late import LateDoor
    from imghost.watch.watcher import Watcher


class Backend:
    """Each method may be called from several threads; `watcher` is None in a mere server.

    `door` is that of the editors while it is shut.
    """

    def __init__(
        self,
        app: App,
        say: Speaker,
        stop: Callable[[], None],
        watcher: Watcher | None,
        door: LateDoor | None = None,
    ) -> None:
        self._app = app
        self._say = say
        self._watcher = watcher
        self._door = door
        self.stop = stop

    def status(self) -> Json:
        """As `imghost status --json`."""
        return status_json(self._app, self.watching(), self._say)

    def watching(self) -> Watching:
        """What is watched, and what is missing."""
        watching = self._watcher.told() if self._watcher else Watching("serving")
        if self._door and (problem := self._door.problem):
            return replace(watching, missing=(*watching.missing, problem))
        return watching

    def pause(self, minutes: float | None) -> None:
        """Take nothing that is found. Raises DaemonError if nothing is watched at all."""
        self._present().pause(minutes)

    def resume(self, minutes: float | None) -> None:
        """Take what is found. Raises DaemonError if nothing is watched at all."""
        self._present().resume(minutes)

    def put_back(self) -> None:
        """Put back the picture that a link replaced. Raises SourceError, DaemonError."""
        self._present().put_back()

    def copy(self, text: str) -> bool:
        """Put a text onto the clipboard, if it is watched."""
        board = self._watcher.board if self._watcher else None
        return board.put(Offer(text)) if board else False

    def given(self) -> Sequence[int]:
        """The uploads whose links stand where pictures were copied. Raises SourceError."""
        return self._watcher.given() if self._watcher else ()

    def retry(self, ids: Sequence[int]) -> int:
        """Lift what holds uploads back; how many are queued."""
        return self._app.retry(ids)

    def discard(self, ids: Sequence[int]) -> int:
        """Erase those of these uploads that ask whether they may be sent; how many that were."""
        found = [record for record in map(self._app.journal.look_up, ids) if record]
        asking = [record for record in found if record.state is State.ASKING]
        for record in asking:
            forget(self._app, record, at_host=False)
        return len(asking)

    def upload(
        self, request: UploadRequest, gone: threading.Event, prepare: Prepare | None = None
    ) -> Iterator[Settled]:
        """Accept and send the inputs, as the app does, until nobody listens any more."""
        with closing(self._app.upload(request, prepare=prepare)) as settled:
            for one in settled:
                yield one
                if self._watcher:
                    self._watcher.wake()
                if gone.is_set():
                    return

    def _present(self) -> Watcher:
        if self._watcher is None:
            raise DaemonError(
                "the running imghost only serves; end it with imghost stop, and start imghost watch"
            )
        return self._watcher
