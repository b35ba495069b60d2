"""Asking: what would be sent where, and what becomes of it when the user has said so."""

from __future__ import annotations

from imghost.app import App
from imghost.desktop.notify import Button
from imghost.forget import forget
from imghost.models import Message, Record, State
from imghost.senders import Senders
from imghost.watch.telling import Teller, Topic


class Asker:
    """Asks about single rows, by notices with buttons; safe from several threads at once."""

    def __init__(self, app: App, senders: Senders, teller: Teller) -> None:
        self._app = app
        self._senders = senders
        self._teller = teller

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
            Button(say("Upload"), lambda: self._answered(record.id, is_wanted=True)),
            Button(say("Discard"), lambda: self._answered(record.id, is_wanted=False)),
        )
        picture = self._app.store.path(record.original)
        self._teller.tell(Topic.ASKING, told, picture=picture, buttons=buttons)

    def _answered(self, record_id: int, *, is_wanted: bool) -> None:
        """A button was pressed; that of an old notice may come after another answer."""
        record = self._app.journal.look_up(record_id)
        if record is None or record.state is not State.ASKING:
            return
        if is_wanted:
            self._app.retry([record.id])
            self._senders.send_queued()
        else:
            forget(self._app, record, at_host=False)
