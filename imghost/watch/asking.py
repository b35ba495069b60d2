"""Asking: what would be sent where, and what becomes of it when the user has said so."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from imghost.app import App
from imghost.desktop.notify import Button
from imghost.forget import forget
from imghost.models import Message, Record, State
from imghost.senders import Senders
from imghost.watch.telling import Teller, Topic


class Asker:
    """Asks about single rows, by notices with buttons; safe from several threads at once.

    `answered` is called when there is something to `heed`: buttons are pressed on a thread that
    must not wait for a disk.
    """

    def __init__(
        self, app: App, senders: Senders, teller: Teller, answered: Callable[[], None]
    ) -> None:
        self._app = app
        self._senders = senders
        self._teller = teller
        self._answered = answered
        self._answers: deque[tuple[int, bool]] = deque()

    def ask(self, record: Record, name: str) -> None:
        """Ask whether the picture, which was found by this name, may be sent."""
        say = self._teller.say
        told = Message(
            "{name} would go to {host}/{bucket}; imghost retry {id} sends it, "
            "imghost history rm {id} discards it",
            {
                "name": name or record.name,
                "host": record.host,
                "bucket": record.bucket,
                "id": record.id,
            },
        )
        buttons = (
            Button(say("Upload"), lambda: self._answer(record.id, is_wanted=True)),
            Button(say("Discard"), lambda: self._answer(record.id, is_wanted=False)),
        )
        picture = self._app.store.path(record.original)
        self._teller.tell(Topic.ASKING, told, picture=picture, buttons=buttons)

    def heed(self) -> None:
        """Do as the user answered."""
        while self._answers:
            self._heed(*self._answers.popleft())

    def _answer(self, record_id: int, *, is_wanted: bool) -> None:
        self._answers.append((record_id, is_wanted))
        self._answered()

    def _heed(self, record_id: int, is_wanted: bool) -> None:  # noqa: FBT001 - a pair as it comes
        """The answer to an old notice may come after another one."""
        record = self._app.journal.look_up(record_id)
        if record is None or record.state is not State.ASKING:
            return
        if is_wanted:
            self._app.retry([record.id])
            self._senders.send_queued()
        else:
            forget(self._app, record, at_host=False)
