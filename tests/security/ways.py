"""The ways by which files come to a running daemon, and what is told of each file by each way."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from imghost.imaging.sniff import HEAD_BYTES
from imghost.server.gallery.access import PAGE_HEADER
from imghost.sources.candidates import Verdict, judge
from tests.fakes.editor import FORM, form
from tests.fakes.person import Person
from tests.fakes.program import Program, eventually
from tests.fakes.serving import ask

SLOW_S = 10.0
PATIENT_S = 3 * SLOW_S
QUIET = ("--no-clipboard", "--no-tray")
_LOOK_S = 0.1
_PAGE = re.compile(r'name="imghost-page" content="([^"]+)"')

Told = dict[Path, str]
"""Of each file why it was refused, "" if it was linked."""
Way = Callable[[Program, Sequence[Path]], Told]


class TooSlow(AssertionError):
    """Some file held up its way for longer than it may."""


def _one_by_one(paths: Iterable[Path], told: Callable[[Path], str]) -> Told:
    reasons = {}
    for path in paths:
        began = time.monotonic()
        try:
            reasons[path] = told(path)
        except (TimeoutError, subprocess.TimeoutExpired) as exc:
            raise TooSlow(f"{path}: {exc}") from exc
        if (took_s := time.monotonic() - began) > SLOW_S:
            raise TooSlow(f"{path} took {took_s:.1f} s")
    return reasons


def _posted(program: Program, path: str, body: bytes, **headers: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    port = urlsplit(program.door.url).port or 0
    return dict(json.loads(ask(port, path, named, method="POST", body=body).body))


def _at_the_door(program: Program, body: bytes, **headers: str) -> str:
    told = _posted(program, "/upload", body, **headers)
    assert bool(told["success"]) == all(told["result"]), told
    return "" if told["success"] else told["message"]


def by_path(program: Program, paths: Sequence[Path]) -> Told:
    """As editors name files."""
    return _one_by_one(
        paths,
        lambda path: _at_the_door(program, json.dumps({"list": [str(path)]}).encode()),
    )


def by_form(program: Program, paths: Sequence[Path]) -> Told:
    """As browsers and scripts send files."""
    return _one_by_one(
        paths,
        lambda path: _at_the_door(
            program, form(("file", path.name, path.read_bytes())), Content_Type=FORM
        ),
    )


def by_gallery(program: Program, paths: Sequence[Path]) -> Told:
    """Dropped onto its page."""
    (token,) = _PAGE.findall(ask(urlsplit(program.door.url).port or 0, "/").body.decode())
    shown = {PAGE_HEADER: token}
    where = "/gallery/upload?name=a.png"
    return _one_by_one(
        paths, lambda path: _posted(program, where, path.read_bytes(), **shown)["error"]
    )


def by_pipe(program: Program, paths: Sequence[Path]) -> Told:
    """Through standard input."""

    def told(path: Path) -> str:
        result = program.run("upload", "-", stdin=path.read_bytes())
        assert "Traceback" not in result.err
        assert (result.code == 0) == bool(result.out.strip()), result
        return result.err if result.code else ""

    return _one_by_one(paths, told)


def by_post(program: Program, paths: Sequence[Path]) -> Told:
    """In a post that shows one in each line."""
    folder = program.home.with_name("blog")
    names = _copied(paths, folder)
    post = folder / "post.md"
    post.write_text("".join(f"![]({name})\n" for name in names), encoding="utf-8")
    began = time.monotonic()
    with program.start("migrate", "--yes", str(post)) as command:
        err = command.communicate(timeout=SLOW_S * len(paths))[1].decode()
    if (took_s := time.monotonic() - began) > SLOW_S + len(paths):
        raise TooSlow(f"a post of {len(paths)} pictures took {took_s:.1f} s")
    assert "Traceback" not in err
    reasons = dict(re.findall(rf"{re.escape(str(post))}:(\d+): (.+)", err))
    lines = post.read_text(encoding="utf-8").splitlines()
    told = {}
    for number, (line, name) in enumerate(zip(lines, names, strict=True), start=1):
        told[names[name]] = "" if f"({name})" not in line else reasons[str(number)]
    return told


def by_folder(program: Program, paths: Sequence[Path]) -> Told:
    """Saved all at once where it watches; what looks like no picture is passed over in silence.

    What decodes them lets all other programs go first, so it may be slower.
    """
    names = _copied(paths, program.home.with_name("pictures"))
    told = {path: "no picture" for name, path in names.items() if not _is_meant(name, path)}
    hashes = {path: sha256(path.read_bytes()).hexdigest() for path in paths}
    news_at = time.monotonic()
    while len(told) < len(paths):
        left = {one["name"]: one["reason"] for one in program.status["left_alone"]}
        kept = {path.name for path in program.originals}
        new = {path: left[name] for name, path in names.items() if left.get(name)}
        new |= {path: "" for path in paths if hashes[path] in kept}
        if new.keys() - told.keys():
            news_at = time.monotonic()
        told = new | told
        if time.monotonic() - news_at > PATIENT_S:
            raise TooSlow(f"nothing is told of {next(p for p in paths if p not in told)}")
        threading.Event().wait(_LOOK_S)
    return told


def _is_meant(name: str, path: Path) -> bool:
    with path.open("rb") as file:
        return judge(name, file.read(HEAD_BYTES)) is Verdict.IMAGE


def _copied(paths: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Each under a name of its own, which tells no more than its ending."""
    folder.mkdir(exist_ok=True)
    names = {f"{number}{path.suffix}": path for number, path in enumerate(paths)}
    for name, path in names.items():
        shutil.copyfile(path, folder / name)
    return names


def by_clipboard(person: Person) -> Way:
    """Copied by somebody at a display; that of the daemon."""

    def told(program: Program, path: Path) -> str:
        former = program.status["left_alone"]  # the latest only
        person.copy(path.read_bytes())
        eventually(lambda: bool(person.text()) or program.status["left_alone"] != former)
        return "" if person.text() else program.status["left_alone"][-1]["reason"]

    def by_copying(program: Program, paths: Sequence[Path]) -> Told:
        return _one_by_one(paths, partial(told, program))

    return by_copying


WAYS: tuple[Way, ...] = (by_path, by_form, by_gallery, by_pipe, by_post, by_folder)
SHARES = (*(by_path, by_form, by_gallery, by_folder) * 3, by_pipe, by_post)


def dealt(paths: Sequence[Path]) -> Iterator[tuple[Way, list[Path]]]:
    """The files shared out among all ways, few to those that take a process each."""
    of = list(zip(cycle(SHARES), paths))
    shares = ((way, [path for one, path in of if one is way]) for way in WAYS)
    return ((way, share) for way, share in shares if share)
