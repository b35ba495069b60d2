"""Bringing an archive in: what is sound joins what is here, while others go on working."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import chain
from pathlib import Path
from typing import Any

from imghost.archive.checked import pieces, put
from imghost.archive.form import (
    END,
    FILE,
    FORM,
    JOURNAL,
    MANIFEST,
    PICTURE,
    POSTS,
    ROW,
    Kept,
    Progress,
)
from imghost.archive.reading import Member, members, opened
from imghost.archive.told import MAX_JSON_BYTES, doubt, is_version, json_of, list_in, named_safely
from imghost.errors import SourceError
from imghost.hosts.local import place_of
from imghost.imaging.check import safe_name
from imghost.imaging.sniff import HEAD_BYTES, format_of
from imghost.keep.learning import IMPORTED, Lesson
from imghost.keep.recovery import is_copy
from imghost.models import Message, State, Target
from imghost.posts.remembered import remember_links
from imghost.values import dataclass

_MAX_SAME_FILES = 20
_MAX_SKIPPED = 100
_DAMAGED = Message("the archive's beginning is damaged; nothing was changed: export it again")
_NOT_READABLE = Message("it cannot be made from its original again")
_TOO_MANY = Message("the same picture stands in too many buckets; the rest is left out")
_NO_FILE = Message("it is no name of the built-in host's")
_SAID = {
    Lesson.NO_PICTURE: Message("it was not sent, and its picture is missing"),
    Lesson.UNUSABLE: Message("an upload in it makes no sense"),
}


@dataclass(slots=True)
class Imported:
    """What came in: originals, copies and files that were not here, uploads by their lessons.

    `skipped` says what did not come in, and why, of the first of them; `skips` is how many there
    were.
    """

    originals: int = 0
    copies: int = 0
    files: int = 0
    uploads: dict[Lesson, int] = field(default_factory=lambda: dict.fromkeys(Lesson, 0))
    skips: int = 0
    skipped: list[Message] = field(default_factory=list)

    def skip(self, name: str, reason: Message) -> None:
        """Something did not come in; damage between members has no name."""
        self.skips += 1
        if len(self.skipped) < _MAX_SKIPPED:
            named = Message("{name}: {reason}", {"name": name, "reason": reason})
            self.skipped.append(named if name else reason)


def bring_in(kept: Kept, path: Path, target: Target, progress: Progress) -> Imported:
    """Have all that is sound in the archive at `path`; what is here already stays as it is.

    Pictures of which nothing is known ask whether they may go to `target`. `progress` is told how
    many bytes of how many were read. Raises SourceError for what is no archive, and then nothing
    was changed; MachineError when the disk does not obey: then it may be done again.
    """
    with opened(path) as file:
        bringing = _Bringing(kept, target)
        size_bytes = path.stat().st_size
        for member in members(file, bringing.imported.skip):
            bringing.take(member)
            progress(file.tell(), size_bytes)
            if bringing.has_ended:
                break
        return bringing.end()


class _Bringing:
    def __init__(self, kept: Kept, target: Target) -> None:
        self._kept = kept
        self._target = target
        self._unexplained: dict[str, str] = {}
        self._has_begun = self.has_ended = False
        self.imported = Imported()

    def take(self, member: Member) -> None:
        """Bring in what a member holds. Raises SourceError only for the first one."""
        if not self._has_begun:
            self._begin(member)
            return
        try:
            self._take(member)
        except SourceError as exc:
            self.imported.skip(member.name, exc.message)

    def end(self) -> Imported:
        """All members were taken. Raises SourceError if there were none."""
        if not self._has_begun:
            raise SourceError(_DAMAGED.template)
        if not self.has_ended:
            self.imported.skip("", Message("the archive is cut off before its end"))
        for original, name in self._unexplained.items():
            if not self._kept.journal.records_of(original):
                self._learn(name, original, [self._unknown(original, name)])
        return self.imported

    def _begin(self, member: Member) -> None:
        told = json_of(member) if member.name == MANIFEST else {}
        form, journal = told.get("form"), told.get("journal")
        if not (is_version(form) and is_version(journal)):
            raise SourceError(_DAMAGED.template)
        if form > FORM or journal > JOURNAL:
            raise SourceError(
                "the archive was written by a newer imghost; nothing was changed: install that one"
            )
        self._has_begun = True

    def _take(self, member: Member) -> None:
        if found := PICTURE.fullmatch(member.name):
            self._picture(member, found[1])
        elif found := ROW.fullmatch(member.name):
            self._rows(member, found[1], int(found[2], 16))
        elif found := FILE.fullmatch(member.name):
            self._local_file(member, found[1], found[2])
        elif member.name == POSTS:
            told = member.read(MAX_JSON_BYTES)
            remember_links(self._kept.posts, self._kept.tmp, told)
        elif member.name == END:
            self.has_ended = True
        else:
            raise SourceError("it is nothing that imghost export writes")

    def _picture(self, member: Member, original: str) -> None:
        path = self._kept.store.path(original)
        self.imported.originals += self._put_picture(path, member, original)
        self._unexplained[original] = member.name.partition("/")[2].split(f".{original}")[0]

    def _rows(self, member: Member, original: str, crc: int) -> None:
        told = json_of(member, crc)
        named = map(named_safely, list_in(told, "uploads"))
        rows = [row for row in named if self._is_believed(member, row)]
        if self._learn(member.name, original, rows):
            self._unexplained.pop(original, None)
        if self._kept.store.path(original).is_file():
            places = list_in(told, "local")
            for place in places[:_MAX_SAME_FILES]:
                self._same_file(original, str(place))
            for place in places[_MAX_SAME_FILES:]:
                self.imported.skip(str(place), _TOO_MANY)

    def _is_believed(self, member: Member, row: Mapping[str, Any]) -> bool:
        reason = None if is_copy(row) else doubt(row)
        if reason:
            self.imported.uploads[Lesson.UNUSABLE] += 1
            self.imported.skip(member.name, reason)
        return reason is None

    def _learn(self, name: str, original: str, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the journal knows of the original by these rows."""
        store, journal = self._kept.store, self._kept.journal
        lessons = self._kept.learner.learn(original, rows, store.path(original).is_file)
        for row, lesson in zip(rows, lessons, strict=True):
            if is_copy(row):
                self.imported.copies += lesson is Lesson.NEW
            else:
                self.imported.uploads[lesson] += 1
            if lesson in _SAID:
                self.imported.skip(name, _SAID[lesson])
            elif lesson is Lesson.BETTER:
                store.drop_outgoing(row["sha256"])
        if store.path(original).is_file():
            store.write_slips(original, journal.slips)
        return any(lesson not in _SAID for lesson in lessons)

    def _same_file(self, original: str, place: str) -> None:
        """Have the embedded host's file that is the original itself."""
        path = place_of(self._kept.local, *place.split("/", 1)) if "/" in place else None
        if path is None:
            self.imported.skip(place, _NO_FILE)
            return
        try:
            with self._kept.store.path(original).open("rb") as file:
                self.imported.files += put(path, pieces(file), path.stem, self._kept.tmp)
        except (OSError, SourceError):
            self.imported.skip(place, _NOT_READABLE)

    def _local_file(self, member: Member, bucket: str, name: str) -> None:
        path = place_of(self._kept.local, bucket, name)
        if path is None:
            raise SourceError("its name is none of the built-in host's")
        self.imported.files += self._put_picture(path, member, path.stem)

    def _put_picture(self, path: Path, member: Member, expected: str) -> bool:
        content = member.pieces()
        first = next(content, b"")
        if not format_of(first[:HEAD_BYTES]):
            raise SourceError("it is no picture that imghost knows")
        return put(path, chain([first], content), expected, self._kept.tmp)

    def _unknown(self, original: str, name: str) -> dict[str, Any]:
        """A row for an original of which nothing is known."""
        store, now = self._kept.store, time.time()
        return {
            "original": original,
            "sha256": original,
            "sha1": "",
            "host": self._target.host,
            "bucket": self._target.bucket,
            "name": safe_name(name),
            "origin": IMPORTED,
            "format": "",
            "size_bytes": store.original_bytes(original),
            "state": State.ASKING,
            "created_at": now,
            "seen_at": 0.0,
            "inputs": [{"original": original, "recipe": IMPORTED}],
        }
