"""The embedded host's files over HTTP: whole, in part, styled, and nothing else."""

from __future__ import annotations

import hashlib
import os
import random
import string
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.dirs import Dirs
from imghost.hosts.local import find_file
from imghost.imaging.style import Style
from imghost.imaging.styled import styled
from imghost.models import Image
from imghost.server.answers import Part, part_asked
from imghost.server.app import make_app
from imghost.server.body import Recent
from imghost.server.files import Files
from imghost.server.guard import callers_of
from imghost.server.patience import Patience
from imghost.server.renderings import Renderings
from imghost.server.shelf import Shelf
from imghost.text import Speaker
from tests.fakes.pictures import animation, jpeg, png
from tests.fakes.serving import Answer, ask, connected, raw, serving

ALWAYS = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}
WAIT_S = 10.0
SECRET = b"-----BEGIN PRIVATE KEY-----"


@dataclass
class Site:
    """A running server, its files, and the styles it has drawn."""

    port: int
    folder: Path
    drawn: list[str]
    may_draw: threading.Event
    drawing: threading.Semaphore

    def store(self, data: bytes, ending: str, bucket: str = "images") -> str:
        """Put the bytes where the embedded host keeps them; their path on the server."""
        name = f"{hashlib.sha1(data).hexdigest()}.{ending}"
        path = self.folder / bucket / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return f"/bfs/{bucket}/{name}"

    def erase(self, path: str) -> None:
        """Erase it again."""
        (self.folder / path.removeprefix("/bfs/")).unlink()

    def ask(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        """One request."""
        return ask(self.port, path, headers, method=method)


@pytest.fixture
def site(dirs: Dirs) -> Iterator[Site]:
    """A server with an empty embedded host."""
    recent = Recent()
    drawn: list[str] = []
    may_draw, drawing = threading.Event(), threading.Semaphore(0)
    may_draw.set()

    def draw(original: Path, style: Style) -> Image:
        drawn.append(str(style))
        drawing.release()
        assert may_draw.wait(WAIT_S)
        return styled(original.read_bytes(), original.name, style)

    renderings = Renderings(Shelf(dirs.cache / "renderings", 10**8), recent, draw)
    files = Files(partial(find_file, dirs.local), renderings, recent, Speaker("en"))
    with serving(
        lambda port: make_app(files, [], callers_of(port), lambda *_: False, Speaker("en"))
    ) as port:
        yield Site(port, dirs.local, drawn, may_draw, drawing)
        may_draw.set()


@pytest.mark.parametrize(
    ("ending", "mime_type"),
    [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("gif", "image/gif"),
        ("webp", "image/webp"),
        ("avif", "image/avif"),
    ],
)
def test_a_file_is_given_as_it_is(site: Site, ending: str, mime_type: str) -> None:
    """Its bytes, the type of its name, a strong tag, and what keeps browsers safe."""
    path = site.store(b"bytes", ending)
    for _from_disk_then_memory in range(2):
        answer = site.ask(path)
        assert answer.status == 200
        assert answer.body == b"bytes"
        assert answer.headers.items() >= ALWAYS.items()
        assert answer.headers["content-type"] == mime_type
        assert answer.headers["content-length"] == "5"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["etag"] == f'"{hashlib.sha1(b"bytes").hexdigest()}"'
        assert "date" in answer.headers
        assert "server" not in answer.headers


def test_head_tells_the_same_without_the_bytes(site: Site) -> None:
    """HEAD has GET's headers, also of a rendering."""
    for path in (site.store(png(), "png"), site.store(png(), "png") + "@10w"):
        told, given_ = site.ask(path, method="HEAD"), site.ask(path)
        assert told.body == b""
        assert {**told.headers, "date": ""} == {**given_.headers, "date": ""}


def test_whoever_has_the_link_may_look(site: Site) -> None:
    """Images are public: any Host and any page may ask for them."""
    path = site.store(b"bytes", "png")
    headers = {
        "Host": "blog.example",
        "Origin": "https://blog.example",
        "Sec-Fetch-Site": "cross-site",
    }
    assert site.ask(path, headers).status == 200


def test_other_methods_are_refused(site: Site) -> None:
    """A public file can only be fetched."""
    path = site.store(b"bytes", "png")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = site.ask(path, method=method)
        assert answer.status == 405
        assert answer.headers["allow"] == "GET, HEAD"


def test_what_the_client_has_is_not_sent_again(site: Site) -> None:
    """The tag of a file or a rendering, given back, is answered with 304 and no bytes."""
    for path in (site.store(png(), "png"), site.store(png(), "png") + "@10w"):
        etag = site.ask(path).headers["etag"]
        answer = site.ask(path, {"If-None-Match": f'W/"x", {etag}'})
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers.items() >= ALWAYS.items()
        assert site.ask(path, {"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("size_bytes", [1000, 700_000, 5_000_000])
def test_a_range_is_given_alone(site: Site, size_bytes: int) -> None:
    """From memory, in pieces, and from the disk: exactly the bytes that were asked for."""
    data = random.Random(1).randbytes(size_bytes)
    path = site.store(data, "png")
    assert site.ask(path).body == data
    for span, wanted in (
        ("0-0", data[:1]),
        ("10-99", data[10:100]),
        (f"1-{size_bytes + 5}", data[1:]),
        ("-7", data[-7:]),
        (f"{size_bytes - 3}-", data[-3:]),
    ):
        answer = site.ask(path, {"Range": f"bytes={span}"})
        assert answer.status == 206
        assert answer.body == wanted
        start = data.index(wanted) if len(wanted) > 1 else 0
        last = start + len(wanted) - 1
        assert answer.headers["content-range"] == f"bytes {start}-{last}/{size_bytes}"


def test_a_range_behind_the_end_is_refused_with_the_size(site: Site) -> None:
    """416 tells how long the file is."""
    answer = site.ask(site.store(b"bytes", "png"), {"Range": "bytes=5-"})
    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */5"


WHOLE = Part(200, 0, 10)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ({}, WHOLE),
        ({"range": "bytes=0-3"}, Part(206, 0, 4)),
        ({"range": "BYTES=0-3"}, Part(206, 0, 4)),
        ({"range": "bytes=4-"}, Part(206, 4, 6)),
        ({"range": "bytes=-4"}, Part(206, 6, 4)),
        ({"range": "bytes=-40"}, Part(206, 0, 10)),
        ({"range": "bytes=9-9"}, Part(206, 9, 1)),
        ({"range": "bytes=10-"}, Part(416, 0, 0)),
        ({"range": "bytes=-0"}, Part(416, 0, 0)),
        ({"range": "bytes=5-4"}, WHOLE),
        ({"range": "bytes=-"}, WHOLE),
        ({"range": "bytes=0-1,3-4"}, WHOLE),
        ({"range": "lines=0-1"}, WHOLE),
        ({"range": "bytes=0-" + "9" * 5000}, WHOLE),
        ({"range": "bytes=0-3", "if-range": '"tag"'}, Part(206, 0, 4)),
        ({"range": "bytes=0-3", "if-range": '"old"'}, WHOLE),
        ({"range": "bytes=0-3", "if-range": 'W/"tag"'}, WHOLE),
        ({"if-none-match": '"tag"'}, Part(304, 0, 0)),
        ({"if-none-match": 'W/"tag"'}, Part(304, 0, 0)),
        ({"if-none-match": '"a", "tag"'}, Part(304, 0, 0)),
        ({"if-none-match": "*"}, Part(304, 0, 0)),
        ({"if-none-match": "tag"}, WHOLE),
        ({"if-none-match": '"tag"', "range": "bytes=0-3"}, Part(304, 0, 0)),
    ],
)
def test_conditions_and_ranges(asked: dict[str, str], part: Part) -> None:
    """The table of what a GET may ask of ten bytes known as "tag"."""
    headers = [(name.encode(), value.encode()) for name, value in asked.items()]
    assert part_asked("GET", headers, '"tag"', 10) == part


@given(st.binary(max_size=40) | st.from_regex(rb"bytes=[0-9]{0,9}-[0-9]{0,9}"), st.integers(1, 99))
def test_no_range_leads_out_of_the_file(asked: bytes, size_bytes: int) -> None:
    """Whatever a client asks for, it is given a part of the file, or nothing."""
    part = part_asked("GET", [(b"range", asked)], '"tag"', size_bytes)
    assert part.status in (200, 206, 416)
    assert 0 <= part.start <= part.start + part.size_bytes <= size_bytes
    assert (part.size_bytes == 0) == (part.status == 416)


def test_only_known_names_lead_to_files(site: Site, dirs: Dirs) -> None:
    """No spelling of a path leads out of the folder, or to anything but a stored image."""
    path = site.store(png(), "png")
    bucket, name = path.removeprefix("/bfs/").split("/")
    for folder in (dirs.local, dirs.local / bucket, dirs.data, dirs.local / "..png"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "secret").write_bytes(SECRET)
        (folder / "secret.png").write_bytes(SECRET)
    tricks = [
        "/bfs/",
        "/bfs",
        "/bfs/images",
        "/bfs/images/",
        "/bfs/images/secret",
        "/bfs/images/secret.png",
        "/bfs/secret",
        "/bfs/../secret",
        "/bfs/images/../secret.png",
        "/bfs/images/../../secret",
        "/bfs/..%2fsecret",
        "/bfs/%2e%2e/secret",
        "/bfs/%2e%2e%2fsecret",
        "/bfs/images/%252e%252e%252fsecret",
        "/bfs/images/..\\secret",
        "/bfs/images/..%5csecret",
        f"/bfs/images/{name}%00",
        f"/bfs/images/{name}%00.png",
        f"/bfs/images/{name}%0a",
        f"/bfs/images/{name}/",
        f"/bfs/images/./{name}",
        f"/bfs//images/{name}",
        f"/bfs/images//{name}",
        f"/bfs/IMAGES/{name}",
        f"/bfs/images/{name.upper()}",
        f"/bfs/images/{name}.png",
        f"/bfs/images/{name}%40%2e%2e%2fsecret",
        f"/bfs/images/../images/{name}",
        f"//bfs/images/{name}",
        f"/bfs{dirs.local}/secret",
        "/bfs/..png/secret.png",
        "/bfs/images/%ff%fe.png",
        "/bfs/images/" + "a" * 5000,
        f"http://127.0.0.1:{site.port}{path}",
    ]
    for target in tricks:
        head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nConnection: close\r\n\r\n"
        answer = raw(site.port, head.encode())
        assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")), target
        assert SECRET not in answer
    assert site.ask(quote(path, safe="/")).status == 200


def test_random_paths_find_only_the_stored_image(site: Site, dirs: Dirs) -> None:
    """Pieces of paths put together at random: what is found is the image, never another file."""
    data = png()
    path = site.store(data, "png")
    (dirs.data / "secret.png").write_bytes(SECRET)
    name = path.rsplit("/", 1)[1]
    pieces = ["/", "..", ".", "%2e", "%2f", "%00", "\\", "images", name, "secret.png", "@", "bfs"]
    chance = random.Random(7)
    for _ in range(400):
        parts = chance.choices([*pieces, *string.ascii_lowercase[:3]], k=chance.randrange(6))
        answer = site.ask("/bfs/" + "".join(parts))
        assert answer.status in (400, 404) or answer.body == data


def test_a_link_among_the_files_must_be_a_file(site: Site) -> None:
    """A folder with an image's name is no image."""
    path = site.store(b"bytes", "png")
    site.erase(path)
    (site.folder / path.removeprefix("/bfs/")).mkdir()
    assert site.ask(path).status == 404


def test_what_is_not_there_is_said_in_plain_text_and_not_cached(site: Site) -> None:
    """404 may change: nobody keeps it for a year."""
    answer = site.ask(f"/bfs/images/{'0' * 40}.png")
    assert answer.status == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body == b"there is no such image\n"


def test_a_query_changes_nothing(site: Site) -> None:
    """What follows a question mark is ignored."""
    path = site.store(png(), "png")
    assert site.ask(path + "?t=1@800w&x=../..").body == site.ask(path).body
    assert site.ask(path + "@10w?v=2").body == site.ask(path + "@10w").body


@pytest.mark.parametrize(
    ("style", "size", "form", "mime_type"),
    [
        ("@100w", (100, 75), "PNG", "image/png"),
        ("@100w_1e_1c.webp", (100, 75), "WEBP", "image/webp"),
        ("@60w_60h_1e_1c.jpg", (60, 60), "JPEG", "image/jpeg"),
        ("@.avif", (400, 300), "AVIF", "image/avif"),
        ("@50p.gif", (200, 150), "GIF", "image/gif"),
        ("%40100w.webp", (100, 75), "WEBP", "image/webp"),
    ],
)
def test_a_style_is_drawn_as_it_is_asked_for(
    site: Site, style: str, size: tuple[int, int], form: str, mime_type: str
) -> None:
    """The answer has the style's size and format, and says so."""
    answer = site.ask(site.store(png(400, 300), "png") + style)
    assert answer.status == 200
    assert answer.headers.items() >= ALWAYS.items()
    assert answer.headers["content-type"] == mime_type
    with PIL.Image.open(BytesIO(answer.body)) as image:
        assert (image.size, image.format) == (size, form)


def test_spellings_of_one_style_are_one_rendering(site: Site) -> None:
    """Whatever changes nothing does not make it drawn again; nothing else is the file."""
    data = png()
    path = site.store(data, "png")
    for style in ("@20w_1e_1c.webp", "@1c1E_20W.WEBP", "@5w_20w_1e_2c_progressive_!a.webp"):
        assert site.ask(path + style).status == 200
    assert site.drawn == ["@20w_1e_1c.webp"]
    for style in ("@", "@!a", "@1s_2o_3f"):
        assert site.ask(path + style).body == data


def test_an_animation_stays_one(site: Site) -> None:
    """A GIF of four frames is a WebP of four frames, and a JPEG of the first."""
    path = site.store(animation(frames=4), "gif")
    for style, frames in (("@30w.webp", 4), ("@30w.jpg", 1)):
        with PIL.Image.open(BytesIO(site.ask(path + style).body)) as image:
            assert getattr(image, "n_frames", 1) == frames


@pytest.mark.parametrize(
    ("style", "reason"),
    [
        ("@9z", b"9z in the style is not understood"),
        ("@3e", b"3e in the style is out of range"),
        ("@0w", b"0w in the style is out of range"),
        ("@2e_1c", b"2e in the style does not go together with 1c"),
        ("@100w.bmp", b".bmp is no format of a style"),
        ("@%1b%5b2J", b"\\x1b"),
    ],
)
def test_a_style_that_makes_no_sense_is_refused_with_the_reason(
    site: Site, style: str, reason: bytes
) -> None:
    """400 names the offending part, in plain text that cannot steer a terminal."""
    answer = site.ask(site.store(png(), "png") + style)
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert reason in answer.body
    assert site.ask(f"/bfs/images/{'0' * 40}.png{style}").status == 404


def test_an_erased_original_is_gone_with_all_its_styles(site: Site) -> None:
    """Neither memory nor the cache of renderings answers for a file that was erased."""
    path = site.store(png(), "png")
    for each in (path, path + "@20w"):
        assert site.ask(each).status == 200
    site.erase(path)
    for each in (path, path + "@20w"):
        assert site.ask(each).status == 404


def test_a_damaged_original_says_so(site: Site) -> None:
    """What cannot be decoded is given as it is, and its styles are answered with the reason."""
    data = png()[:-200]
    path = site.store(data, "png")
    assert site.ask(path).body == data
    answer = site.ask(path + "@20w")
    assert answer.status == 500
    assert b"save it again" in answer.body


def test_what_takes_too_long_is_refused_with_the_reason(site: Site) -> None:
    """More megapixels than can be drawn while somebody waits are a clear 4xx, at once."""
    screen = b"GIF89a" + struct.pack("<HH", 4000, 1000) + bytes.fromhex("800000 000000 ffffff")
    frame = bytes.fromhex("2c 0000 0000 0100 0100 00 02 02 4c01 00")  # one pixel
    answer = site.ask(site.store(screen + 100 * frame + b";", "gif") + "@20w.webp")
    assert answer.status == 422
    assert b"megapixels in all its frames" in answer.body


def test_a_style_that_its_format_cannot_hold_is_refused(site: Site) -> None:
    """WebP ends at 16,383 pixels."""
    answer = site.ask(site.store(png(17_000, 4), "png") + "@.webp")
    assert answer.status == 422
    assert b"16383" in answer.body


def test_a_client_that_hangs_up_leaves_the_server_well(site: Site) -> None:
    """Half an answer taken, and the next client gets a whole one."""
    data = os.urandom(6_000_000)
    path = site.store(data, "png")
    for _ in range(5):
        with connected(site.port) as peer:
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert peer.recv(1000)
    assert site.ask(path).body == data


def get(path: str) -> bytes:
    """A request."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def test_many_who_wait_for_a_drawing_lock_nobody_out(site: Site) -> None:
    """With more of them than the server has places, others are served, and some told to wait."""
    path = site.store(png(), "png")
    site.may_draw.clear()
    with ExitStack() as stack:
        peers = [stack.enter_context(connected(site.port)) for _ in range(Patience().connections)]
        for number, peer in enumerate(peers):
            peer.sendall(get(f"{path}@{20 + number % 3}w"))
        for peer in peers[-20:]:
            assert peer.recv(1000).startswith(b"HTTP/1.1 503 ")
        for _ in range(5):
            assert site.ask(path).status == 200
        site.may_draw.set()
        assert peers[0].recv(1000).startswith(b"HTTP/1.1 200 ")


def test_who_asks_for_too_much_is_told_when_to_come_again(site: Site) -> None:
    """503 says how long to wait, and nobody keeps it."""
    path = site.store(png(), "png")
    site.may_draw.clear()
    with ExitStack() as stack:
        for width in range(1, 17):
            peer = stack.enter_context(connected(site.port))
            peer.sendall(get(f"{path}@{width}w"))
        for _ in range(2):
            assert site.drawing.acquire(timeout=WAIT_S)
        answer = site.ask(f"{path}@50w")
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["cache-control"] == "no-store"
        site.may_draw.set()


def test_what_was_asked_for_by_those_who_left_is_not_drawn(site: Site) -> None:
    """Of a thousand requests that were given up none is left waiting to be drawn."""
    path = site.store(png(), "png")
    site.may_draw.clear()
    for number in range(1000):
        with connected(site.port) as peer:
            peer.sendall(get(f"{path}@{1 + number}w"))
    for _ in range(2):
        assert site.drawing.acquire(timeout=WAIT_S)
    site.may_draw.set()
    until = time.monotonic() + WAIT_S
    while site.ask(f"{path}@30w_5q.webp").status != 200:
        assert time.monotonic() < until
    assert len(site.drawn) < 20


def test_one_connection_serves_many_requests(site: Site) -> None:
    """Requests sent in one go are answered in order."""
    paths = [site.store(bytes([n]) * 10, "png") for n in range(20)]
    head = "GET {} HTTP/1.1\r\nHost: x\r\n{}\r\n"
    requests = "".join(head.format(path, "") for path in paths[:-1])
    answers = raw(site.port, (requests + head.format(paths[-1], "Connection: close\r\n")).encode())
    assert answers.count(b"HTTP/1.1 200 OK") == 20
    assert [answers.index(bytes([n]) * 10) for n in range(20)] == sorted(
        answers.index(bytes([n]) * 10) for n in range(20)
    )


def test_a_jpeg_is_drawn_from_a_jpeg(site: Site) -> None:
    """A style without a format keeps the original's."""
    answer = site.ask(site.store(jpeg(400, 300), "jpg") + "@40w")
    assert answer.headers["content-type"] == "image/jpeg"
