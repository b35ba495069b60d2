"""Writing an archive: each original with all that is known of it, while others go on working."""

from __future__ import annotations

import errno
import glob
import json
import os
import re
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

from imghost import __version__
from imghost.archive.checked import has_hash, pieces
from imghost.archive.form import (
    END,
    FILES,
    FORM,
    JOURNAL,
    MANIFEST,
    PICTURES,
    POSTS,
    ROWS,
    UNKNOWN_ENDING,
    Kept,
    Progress,
)
from imghost.disk import machine_errors, replacing, tidy_folder
from imghost.errors import UsageError
from imghost.hosts.local import files_in, find_file
from imghost.imaging.sniff import HEAD_BYTES, format_of
from imghost.keep.recovery import is_copy
from imghost.models import EXTENSIONS, Message
from imghost.values import dataclass

_STEM_CHARACTERS = 40
_LEFT_S = 3600.0
_NO_STEM = re.compile(r"[^\w. -]+")


@dataclass(slots=True)
class Exported:
    """What went into an archive; `left_out` says what could not, and why."""

    originals: int = 0
    uploads: int = 0
    copies: int = 0
    files: int = 0
    size_bytes: int = 0
    left_out: list[Message] = field(default_factory=list)


def export(kept: Kept, path: Path, progress: Progress, *, overwrite: bool = False) -> Exported:
    """Write all that is kept to `path`, which is whole or not there.

    `progress` is told how many originals of how many are in. What a killed export to the same path
    left beside it goes after an hour. Raises UsageError for a path that cannot be, MachineError.
    """
    with machine_errors(path):
        _check_place(path, overwrite=overwrite)
    unfinished = f"{glob.escape(path.name)}.{'[0-9a-f]' * 8}.part"
    tidy_folder(path.parent, unfinished, older_than_s=_LEFT_S)
    with replacing(path, path.with_name(f"{path.name}.{os.urandom(4).hex()}.part")) as file:
        writing = _Writing(kept, file)
        writing.all(progress)
        _check_place(path, overwrite=overwrite)
    return writing.exported


def _check_place(path: Path, *, overwrite: bool) -> None:
    if path.is_dir():
        raise UsageError("{path} is a folder; name the archive's file", path=str(path))
    if not path.parent.is_dir():
        raise UsageError("there is no folder {path}; make it first", path=str(path.parent))
    if path.exists() and not overwrite:
        raise UsageError(
            "{path} exists already; name another file, or add --overwrite", path=str(path)
        )


class _Writing:
    def __init__(self, kept: Kept, file: BinaryIO) -> None:
        self._kept = kept
        self._file = file
        self._same: set[tuple[str, str]] = set()
        self._buckets = {bucket for bucket, _ in files_in(kept.local)}
        self.exported = Exported()

    def all(self, progress: Progress) -> None:
        now = datetime.now(UTC).timestamp()
        told = {"imghost": __version__, "form": FORM, "journal": JOURNAL, "created_at": now}
        self._add_text(MANIFEST, _json(told), now)
        originals = self._kept.journal.originals()
        for n, original in enumerate(originals):
            progress(n, len(originals))
            self._add_original(original)
        for names in files_in(self._kept.local):
            if names not in self._same:
                self._add_local_file(*names)
        if self._kept.posts.exists():
            self._add_text(POSTS, self._kept.posts.read_bytes(), now)
        progress(len(originals), len(originals))
        counts = self.exported
        self._add_text(END, _json({"originals": counts.originals, "files": counts.files}), now)
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))
        counts.size_bytes = self._file.tell()

    def _add_original(self, original: str) -> None:
        slips: list[dict[str, Any]] = self._kept.journal.slips(original)
        if not slips:  # forgotten meanwhile
            return
        name, at = _told_of(slips[0])
        is_in = self._add_picture(original, name, at)
        told = {
            "uploads": [{k: v for k, v in slip.items() if k != "owner"} for slip in slips],
            "local": self._same_files(original, slips) if is_in else [],
        }
        data = _json(told)
        self._add_text(f"{ROWS}/{original}.{crc32(data):08x}.json", data, at)
        copies = sum(map(is_copy, slips))
        self.exported.copies += copies
        self.exported.uploads += sum(slip["original"] == original for slip in slips) - copies

    def _add_picture(self, original: str, name: str, at: float) -> bool:
        """Whether it could be added: it may also have been let go."""
        path = self._kept.store.path(original)
        if not path.exists():
            return False
        file = _open_sound(path, original)
        if file is None:
            self._leave_out(name)
            return False
        with file:
            ending = EXTENSIONS.get(format_of(file.read(HEAD_BYTES)), UNKNOWN_ENDING)
            self._add_file(f"{PICTURES}/{_stem(name, at)}.{original}.{ending}", file, at)
        self.exported.originals += 1
        return True

    def _same_files(self, original: str, slips: Sequence[Mapping[str, Any]]) -> list[str]:
        """The embedded host's files with the very bytes of an original."""
        same = {
            (bucket, name)
            for slip in slips
            if not is_copy(slip) and slip["sha256"] == original and slip["format"]
            for name in [f"{slip['sha1']}.{EXTENSIONS[slip['format']]}"]
            for bucket in self._buckets
            if find_file(self._kept.local, bucket, name)
        }
        self._same |= same
        self.exported.files += len(same)
        return sorted(f"{bucket}/{name}" for bucket, name in same)

    def _add_local_file(self, bucket: str, name: str) -> None:
        path = find_file(self._kept.local, bucket, name)
        if path is None:
            return
        file = _open_sound(path, path.stem)
        if file is None:
            self._leave_out(f"{bucket}/{name}")
            return
        with file:
            self._add_file(f"{FILES}/{bucket}/{name}", file, os.fstat(file.fileno()).st_mtime)
        self.exported.files += 1

    def _leave_out(self, name: str) -> None:
        self.exported.left_out.append(
            Message("{name} was changed on the disk, and is left out", {"name": name})
        )

    def _add_text(self, name: str, data: bytes, at: float) -> None:
        self._add(name, len(data), [data], at)

    def _add_file(self, name: str, file: BinaryIO, at: float) -> None:
        file.seek(0)
        self._add(name, os.fstat(file.fileno()).st_size, pieces(file), at)

    def _add(self, name: str, size_bytes: int, content: Iterable[bytes], at: float) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size_bytes, int(at), 0o600
        self._file.write(member.tobuf(tarfile.PAX_FORMAT))  # a TarFile would remember each
        start = self._file.tell()
        for piece in content:
            self._file.write(piece)
        if self._file.tell() != start + size_bytes:
            raise OSError(errno.EIO, f"{name} changed while it was read")
        self._file.write(bytes(-size_bytes % tarfile.BLOCKSIZE))


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _open_sound(path: Path, expected: str) -> BinaryIO | None:
    """The file, if it can be read and has this hash."""
    try:
        file = path.open("rb")
    except OSError:
        return None
    try:
        if has_hash(pieces(file), expected):
            file.seek(0)
            return file
    except OSError:
        pass
    file.close()
    return None


def _told_of(slip: Mapping[str, Any]) -> tuple[str, float]:
    """What an original is called, and since when it is here."""
    if is_copy(slip):
        return slip["url"].partition("?")[0].rstrip("/").rpartition("/")[2], slip["kept_at"]
    return slip["name"], slip["created_at"]


def _stem(name: str, at: float) -> str:
    """The beginning of a file's name that tells people which picture it is, on any system."""
    date = datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d")
    return f"{date} {_NO_STEM.sub('_', Path(name).stem)[:_STEM_CHARACTERS].strip(' .')}".strip()
