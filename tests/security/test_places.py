"""Where a photo was taken is gone from what is linked, by whichever way it came in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from imghost.server.gallery.access import PAGE_HEADER
from tests.fakes import seat
from tests.fakes.editor import FORM, form
from tests.fakes.judges import hidden_in, pixels
from tests.fakes.needs import may_skip, missing
from tests.fakes.person import Person
from tests.fakes.phone import FORMATS, SECRET, photo
from tests.fakes.program import Program, eventually
from tests.fakes.serving import ask
from tests.fakes.wayland import sway

PAGE = re.compile(r'name="imghost-page" content="([^"]+)"')
TYPES = {name: f"image/{name.lower()}" for name in FORMATS}
COPIED = ("PNG", "JPEG", "WEBP")  # what programs offer as bytes
PASTE = "wl-paste -n -t text/plain || true"  # there may be no text
QUIET = ("--no-clipboard", "--no-tray")

display, person = seat.display, seat.person
needs_x11 = pytest.mark.skipif(
    bool(missing("test_clipboard_x11")) and may_skip(), reason="no X display here"
)
needs_wayland = pytest.mark.skipif(
    bool(missing("test_watch_wayland")) and may_skip(), reason="no Wayland here"
)

Way = Callable[[Program, Path], object]


@pytest.fixture
def program(home: Path) -> Program:
    """A program whose links others can open."""
    (home / "pictures").mkdir()
    program = Program(home / "imghost")
    public = {"local": {"public_url": "https://img.example.org"}}
    program.configure(hosts=public, watch={"folders": [str(home / "pictures")]})
    return program


def _port(program: Program) -> int:
    return urlsplit(program.door.url).port or 0


def _posted(program: Program, path: str, body: bytes, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = ask(_port(program), path, named, method="POST", body=body)
    assert answer.status == 200, answer.body


def _by_path(program: Program, photo: Path) -> None:
    assert program.run("upload", photo).code == 0


def _by_pipe(program: Program, photo: Path) -> None:
    assert program.run("upload", "-", stdin=photo.read_bytes()).code == 0


def _by_an_editor(program: Program, photo: Path) -> None:
    _posted(program, "/upload", json.dumps({"list": [str(photo)]}).encode())


def _by_a_form(program: Program, photo: Path) -> None:
    _posted(program, "/upload", form(("file", "a.png", photo.read_bytes())), Content_Type=FORM)


def _by_the_gallery(program: Program, photo: Path) -> None:
    (token,) = PAGE.findall(ask(_port(program), "/").body.decode())
    shown = {PAGE_HEADER: token}
    _posted(program, "/gallery/upload?name=a.png", photo.read_bytes(), **shown)


def _by_a_folder(program: Program, photo: Path) -> None:
    (program.home.parent / "pictures" / photo.name).write_bytes(photo.read_bytes())


def _by_a_post(program: Program, photo: Path) -> None:
    post = photo.with_suffix(".md")
    post.write_text(f"![]({photo.name})\n", encoding="utf-8")
    assert program.run("migrate", "--yes", post).code == 0
    assert "https://img.example.org/" in post.read_text(encoding="utf-8")


WAYS: tuple[Way, ...] = (
    *(_by_path, _by_pipe, _by_an_editor, _by_a_form, _by_the_gallery, _by_a_folder, _by_a_post),
)


@contextmanager
def _clean(program: Program, photos: dict[str, bytes]) -> Iterator[None]:
    """In the end there is a link for each photo, which shows the same and hides nothing."""
    yield
    eventually(lambda: program.status["counts"]["done"] == len(photos))
    folder = program.home / "data" / "local"
    linked = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert hidden_in(folder) == {}
    assert [data for data in linked if SECRET in data] == []
    assert sorted(map(pixels, linked)) == sorted(map(pixels, photos.values()))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.removeprefix("_"))
def test_by_commands_doors_folders_and_posts(program: Program, tmp_path: Path, way: Way) -> None:
    """Each format by each way, of which nothing but the place is lost."""
    photos = {name: photo(name, seed) for seed, name in enumerate(FORMATS)}
    with program.watching(*QUIET), _clean(program, photos):
        for name, data in photos.items():
            path = tmp_path / f"photo.{name.lower()}"
            path.write_bytes(data)
            way(program, path)


def test_by_a_command_alone(program: Program, tmp_path: Path) -> None:
    """Without a daemon the command does the same."""
    photos = {name: photo(name, seed) for seed, name in enumerate(FORMATS)}
    for name, data in photos.items():
        path = tmp_path / f"photo.{name.lower()}"
        path.write_bytes(data)
        _by_path(program, path)
    with program.serving(), _clean(program, photos):
        pass


@needs_x11
def test_by_a_clipboard(program: Program, person: Person, tmp_path: Path) -> None:
    """Pictures that were copied, and a file."""
    program.environ["DISPLAY"] = person.display
    photos = {name: photo(name, seed) for seed, name in enumerate((*COPIED, "AVIF"))}
    with program.watching("--no-tray"), _clean(program, photos):
        for count, name in enumerate(COPIED, start=1):
            person.copy(photos[name], TYPES[name])
            eventually(lambda: program.status["counts"]["done"] == count)  # noqa: B023 - at once
        path = tmp_path / "photo.avif"
        path.write_bytes(photos["AVIF"])
        person.copy_files(path)


@needs_wayland
def test_by_waylands_clipboard(program: Program) -> None:
    """Pictures that were copied on the other kind of desktop."""
    photos = {name: photo(name, seed) for seed, name in enumerate(COPIED)}
    with ExitStack() as stack:
        session = stack.enter_context(sway())
        names = ("WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")
        program.environ |= {name: session.environ[name] for name in names}
        stack.enter_context(program.watching("--no-tray"))
        stack.enter_context(_clean(program, photos))
        for name in COPIED:
            session.copy(TYPES[name], photos[name])
            eventually(lambda: b"img.example.org" in session.run("sh", "-c", PASTE))
