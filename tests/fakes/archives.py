"""Machines with a journal, originals and files of the embedded host, and archives between them."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from imghost.archive.bringing import Imported, bring_in
from imghost.archive.form import FORM, JOURNAL, Kept
from imghost.archive.writing import Exported, export
from imghost.hosts.local import files_in
from imghost.keep.database import Database
from imghost.keep.journal import Entry, Journal
from imghost.keep.learning import Learner
from imghost.keep.recovery import JournalFile
from imghost.keep.store import Store
from imghost.models import Image, Message, Record, State, Stored, Target
from imghost.pipeline import FRESH_S

TARGET = Target("local", "images")
FAR = Target("far", "blog")
NOW = 1_700_000_000.0
_DONE_HOSTS = {"local": "http://127.0.0.1:36677", "far": "https://far.example"}


def image(seed: int, *, stripped: bool = False) -> Image:
    """What begins as a PNG does; `stripped`: what is sent is not the original."""
    data = b"\x89PNG\r\n\x1a\n" + (b"sent" if stripped else b"") + b"picture %d" % seed
    return Image(data, "png", 4, 3, 1, hashlib.sha256(data).hexdigest(), f"图 {seed}.png")


@dataclass
class Machine:
    """A data folder, as a process that works with it sees it."""

    root: Path
    kept: Kept
    db: Database

    def add(
        self,
        seed: int,
        state: State = State.DONE,
        target: Target = TARGET,
        *,
        url: str = "",
        stripped: bool = False,
        at: float = NOW,
    ) -> Record:
        """Accept a picture, and bring it to this state."""
        original, sent = image(seed), image(seed, stripped=stripped)
        journal = Journal(self.db, lambda: at)
        self.kept.store.keep(original.sha256, original.data)
        entry = Entry(original.sha256, sent, "recipe", target, "command", (Message("as it is"),))
        claimed = State.ASKING if state is State.ASKING else State.UPLOADING
        record, is_new = journal.accept(entry, claimed, "me")
        if is_new and state is State.DONE:
            key = f"{sent.sha1}.png"
            link = url or f"{_DONE_HOSTS[target.host]}/bfs/{target.bucket}/{key}"
            if target.host == "local":
                self.put_file(target.bucket, sent.data)
            stored = Stored(target.host, target.bucket, key, link, len(sent.data))
            journal.done(record.id, "me", stored)
        elif is_new and state is State.QUEUED:
            journal.give_back(record.id, "me", Message("the host is down"))
        elif is_new and state is State.FAILED:
            journal.fail(record.id, "me", Message("the host refused"))
        return journal.get(record.id)

    def put_file(self, bucket: str, data: bytes) -> None:
        """Have a file of the embedded host."""
        path = self.kept.local / bucket / f"{hashlib.sha1(data).hexdigest()}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    @property
    def rows(self) -> list[Record]:
        """What it knows, the oldest first."""
        return self.kept.journal.history()[::-1]

    @property
    def originals(self) -> set[str]:
        """The hashes of its originals, each of which is sound."""
        hashes = set(self.kept.store.hashes())
        assert all(self.kept.store.read(sha256) for sha256 in hashes)
        return hashes

    @property
    def files(self) -> dict[str, bytes]:
        """Its embedded host's files."""
        return {
            f"{bucket}/{name}": (self.kept.local / bucket / name).read_bytes()
            for bucket, name in files_in(self.kept.local)
        }

    def all_files(self) -> dict[Path, bytes]:
        """Whatever stands below its folder but for the journal."""
        paths = (p for p in self.root.rglob("*") if p.is_file() and "journal" not in p.name)
        return {path: path.read_bytes() for path in paths}

    def export(self, path: Path, *, overwrite: bool = False) -> Exported:
        """Write an archive."""
        return export(self.kept, path, lambda _done, _total: None, overwrite=overwrite)

    def bring_in(self, path: Path) -> Imported:
        """Bring one in."""
        return bring_in(self.kept, path, TARGET, lambda _done, _total: None)


@contextmanager
def machine(root: Path) -> Iterator[Machine]:
    """A machine with nothing on it."""
    tmp = root / "tmp"
    store = Store(root / "originals", root / "outgoing", tmp)
    file = JournalFile(root / "journal.db", store, TARGET)
    file.open(thorough=False)
    local, posts = root / "local", root / "posts.json"
    kept = Kept(store, Journal(file.db), Learner(file.db, FRESH_S), local, posts, tmp)
    try:
        yield Machine(root, kept, file.db)
    finally:
        file.close()
        assert not [*tmp.glob("*")]


class Forged:
    """An archive as whoever knows the form can make it."""

    def __init__(self, **manifest: object) -> None:
        self._content = b""
        told = {"imghost": "0.1.0", "form": FORM, "journal": JOURNAL, "created_at": NOW}
        self.add("imghost.json", json.dumps(told | manifest).encode())

    def add(self, name: str, data: bytes = b"", **header: Any) -> Forged:
        """A member, whatever its header says of it."""
        member = tarfile.TarInfo(name)
        member.size = len(data)
        for field, value in header.items():
            setattr(member, field, value)
        is_told = member.size >= 0  # which only GNU's form can have otherwise
        head = member.tobuf(tarfile.PAX_FORMAT if is_told else tarfile.GNU_FORMAT)
        return self.raw(head + data + bytes(-len(data) % 512))

    def picture(self, data: bytes, sha256: str = "") -> Forged:
        """An original, under its hash or another one."""
        sha256 = sha256 or hashlib.sha256(data).hexdigest()
        return self.add(f"pictures/a.{sha256}.png", data)

    def rows(self, sha256: str, *rows: Mapping[str, Any], **more: object) -> Forged:
        """What is said of an original."""
        return self.text(sha256, json.dumps({"uploads": rows} | more).encode())

    def text(self, sha256: str, data: bytes) -> Forged:
        """The same in other words."""
        return self.add(f"journal/{sha256}.{crc32(data):08x}.json", data)

    def raw(self, data: bytes) -> Forged:
        """Bytes that may be no member."""
        self._content += data
        return self

    def written(self, path: Path) -> Path:
        """The archive, with its end."""
        self.add("end.json", b"{}")
        path.write_bytes(self._content + bytes(1024))
        return path


def row_of(seed: int, **values: object) -> dict[str, Any]:
    """A row as an archive tells it."""
    sent = image(seed)
    return {
        "id": 1,
        "original": sent.sha256,
        "sha256": sent.sha256,
        "sha1": sent.sha1,
        "host": "far",
        "bucket": "blog",
        "name": "a.png",
        "origin": "command",
        "format": "png",
        "width_px": 4,
        "height_px": 3,
        "frames": 1,
        "size_bytes": len(sent.data),
        "state": "done",
        "reason": "",
        "notes": "[]",
        "key": "k",
        "url": "https://far.example/k",
        "created_at": NOW,
        "alive": "alive",
        "seen_at": NOW,
        "check_at": 0.0,
        "inputs": [
            {
                "original": sent.sha256,
                "host": "far",
                "bucket": "blog",
                "recipe": "recipe",
                "upload": 1,
            }
        ],
    } | values
