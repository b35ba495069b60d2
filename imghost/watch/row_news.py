"""What a person is told of pictures that were taken: how it stands with their links."""

from __future__ import annotations

from contextlib import suppress

from imghost.app import App
from imghost.errors import ConfigError, HostError, HostUnavailable, LoginExpired, MachineError
from imghost.imaging.strip import METADATA_REMOVED
from imghost.models import Message, Record
from imghost.pipeline import Accepted, Pipeline
from imghost.watch.telling import Teller, Topic

_FOUND_BY_ITSELF = frozenset({"clipboard", "folder"})
_LINK_IS_DEAD = Message("its link does not work any more")


class RowNews:
    """Tells it by `teller`; rows that are there when this is made are of earlier runs."""

    def __init__(self, app: App, teller: Teller) -> None:
        self._app = app
        self._teller = teller
        self._former = app.journal.last_id()

    def sent(self, record: Record, *, is_awaited: bool) -> None:
        """It has its link; told only of what an earlier run found, if nobody awaits it any more."""
        self._teller.over(record.host)
        is_former = record.id <= self._former and record.origin in _FOUND_BY_ITSELF
        if is_former and not is_awaited:
            told = Message(
                "{name}, from before imghost started; imghost history has the link",
                {"name": record.name},
            )
            self._teller.tell(Topic.SENT, told)

    def failed(self, record: Record) -> None:
        """It will have no link unless the user does something."""
        told = Message(
            "{name}: {reason}; the image is kept, and imghost retry {id} tries it again",
            {"name": record.name, "reason": record.reason or _LINK_IS_DEAD, "id": record.id},
        )
        self._teller.tell(Topic.FAILED, told, is_failure=True)

    def waits(self, record: Record, error: HostError | ConfigError) -> None:
        """It has its link later; told once until the host is well again."""
        fields: dict[str, str | Message] = {"host": record.host, "reason": error.message}
        if isinstance(error, HostUnavailable):
            topic = Topic.WAITING
            message = Message(
                "{reason}; what goes to {host} is kept, and sent when that has passed", {**fields}
            )
        else:
            topic = Topic.LOGIN if isinstance(error, LoginExpired) else Topic.PROBLEM
            message = Message(
                "{reason}; what goes to {host} is kept, and sent after that", {**fields}
            )
        self._teller.tell_once(topic, record.host, message, is_failure=True)

    def advise(self, pipeline: Pipeline, record: Record) -> None:
        """What whoever pastes its host's links must know, once for each host."""
        advice = pipeline.hosts(record.host).advice
        if not (advice and pipeline.config.notify.enabled):
            return
        with suppress(MachineError):  # the next link will do
            if self._app.facts.is_first(f"advice {record.host}"):
                self._teller.tell(Topic.ADVICE, advice)

    def changed(self, accepted: Accepted) -> None:
        """It is not as it was found; that its metadata is gone is no news."""
        for note in accepted.notes if accepted.image else ():
            if note.template != METADATA_REMOVED.template:
                self._teller.tell(
                    Topic.CHANGED, Message("{name}: {note}", {"name": accepted.name, "note": note})
                )
