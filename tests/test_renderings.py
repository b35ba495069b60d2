"""Renderings: made once, kept within a bound, made again when broken."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from imghost.errors import ImageError
from imghost.imaging.style import Style
from imghost.models import Image
from imghost.server.body import Body, InFile, Recent
from imghost.server.renderings import BusyError, Renderings
from imghost.server.shelf import Shelf

T = TypeVar("T")

NARROW, WIDE = Style.parse("@100w.webp"), Style.parse("@200w.webp")
WAIT_S = 10.0


class Painter:
    """Makes an image of some size for original and style; counts, and can be held up."""

    def __init__(self, size_bytes: int = 1000) -> None:
        self.size_bytes = size_bytes
        self.made: list[str] = []
        self.at_once = self.most_at_once = 0
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.may_end.set()
        self._lock = threading.Lock()

    def __call__(self, original: Path, style: Style) -> Image:
        """Paint."""
        data, name = original.read_bytes(), original.name
        with self._lock:
            self.made.append(f"{name}{style}")
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.release()
        assert self.may_end.wait(WAIT_S)
        with self._lock:
            self.at_once -= 1
        if data == b"broken":
            raise ImageError("{name} is damaged", name=name)
        drawn = (data + str(style).encode()).ljust(self.size_bytes, b".")
        return Image(drawn, "webp", 1, 1, 1, hashlib.sha256(drawn).hexdigest(), name)


class Studio:
    """A folder of originals and one of renderings, as a process finds them."""

    def __init__(self, root: Path) -> None:
        self.originals = root / "originals"
        self.folder = root / "renderings"
        self.originals.mkdir()

    def original(self, number: int, data: bytes = b"pixels") -> Path:
        """A stored original."""
        path = self.originals / f"{number:040x}.png"
        path.write_bytes(data)
        return path

    def kept(self) -> list[Path]:
        """The renderings on disk."""
        return [path for path in self.folder.glob("*@*") if path.is_file()]

    def run(
        self,
        painter: Painter,
        work: Callable[[Renderings], Awaitable[T]],
        *,
        max_bytes: int = 1_000_000,
        in_memory: int = 0,
    ) -> T:
        """What the work comes to with the renderings of one process, which then ends."""
        recent = Recent(in_memory, in_memory)
        renderings = Renderings(Shelf(self.folder, max_bytes), recent, painter)

        async def main() -> T:
            return await work(renderings)

        return asyncio.run(main())

    def get(
        self, painter: Painter, original: Path, style: Style = NARROW, *, max_bytes: int = 1_000_000
    ) -> bytes:
        """One rendering, asked for in a process of its own."""
        return content(
            self.run(painter, lambda all_: all_.get(original, style), max_bytes=max_bytes)
        )


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """An empty one."""
    return Studio(tmp_path)


def ask_for(renderings: Renderings, original: Path, width_px: int) -> asyncio.Task[Body]:
    """Somebody who asks for the original in that width."""
    return asyncio.create_task(renderings.get(original, Style(width_px=width_px)))


def content(body: Body) -> bytes:
    """The bytes of an answer."""
    if isinstance(body.content, bytes):
        return body.content
    whole = body.content.path.read_bytes()
    return whole[body.content.start : body.content.start + body.content.size_bytes]


def test_all_who_ask_at_once_get_the_one_rendering(studio: Studio) -> None:
    """Twenty requests for one style are one piece of work."""
    painter = Painter()
    original = studio.original(1)

    async def ask_together(renderings: Renderings) -> list[Body]:
        return await asyncio.gather(*(renderings.get(original, NARROW) for _ in range(20)))

    bodies = studio.run(painter, ask_together)
    assert len({content(body) for body in bodies}) == 1
    assert len(painter.made) == 1


def test_two_are_made_at_once_at_most(studio: Studio) -> None:
    """Six styles keep two workers busy, not more and not fewer."""
    painter = Painter()
    painter.may_end.clear()
    original = studio.original(1)
    styles = [Style.parse(f"@{width}w") for width in range(1, 7)]

    async def ask_together(renderings: Renderings) -> None:
        asked = [asyncio.create_task(renderings.get(original, style)) for style in styles]
        for _ in range(2):
            assert await asyncio.to_thread(painter.begun.acquire, timeout=WAIT_S)
        painter.may_end.set()
        await asyncio.gather(*asked)

    studio.run(painter, ask_together)
    assert painter.most_at_once == 2
    assert len(painter.made) == 6


def test_a_client_that_leaves_does_not_end_it_for_the_others(studio: Studio) -> None:
    """Whoever stays gets the rendering that the first one asked for and left."""
    painter = Painter()
    painter.may_end.clear()
    original = studio.original(1)

    async def leave(renderings: Renderings) -> Body:
        first = asyncio.create_task(renderings.get(original, NARROW))
        assert await asyncio.to_thread(painter.begun.acquire, timeout=WAIT_S)
        second = asyncio.create_task(renderings.get(original, NARROW))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        painter.may_end.set()
        return await second

    assert content(studio.run(painter, leave)).startswith(b"pixels@100w")
    assert len(painter.made) == 1


def test_what_nobody_waits_for_any_more_is_not_begun(studio: Studio) -> None:
    """Of those that wait for their turn only the wanted ones are made; one may come back."""
    painter = Painter()
    painter.may_end.clear()
    original = studio.original(1)

    async def leave(renderings: Renderings) -> None:
        asked = [ask_for(renderings, original, width) for width in (1, 2)]
        for _ in range(2):
            assert await asyncio.to_thread(painter.begun.acquire, timeout=WAIT_S)
        asked += [ask_for(renderings, original, width) for width in range(3, 11)]
        await asyncio.sleep(0)
        for task in asked[2:]:
            task.cancel()
        await asyncio.wait(asked[2:])
        again = ask_for(renderings, original, 5)
        painter.may_end.set()
        await asyncio.gather(*asked[:2], again)

    studio.run(painter, leave)
    assert len(painter.made) == 3
    assert painter.made[2].endswith("@5w")


def test_no_more_are_begun_than_can_be_made_soon(studio: Studio) -> None:
    """Of a hundred styles at once sixteen are made; the others are refused, and fine later."""
    painter = Painter()
    painter.may_end.clear()
    original = studio.original(1)

    async def ask_for_all(renderings: Renderings) -> int:
        asked = [ask_for(renderings, original, width) for width in range(1, 101)]
        for _ in range(2):
            assert await asyncio.to_thread(painter.begun.acquire, timeout=WAIT_S)
        painter.may_end.set()
        ends = await asyncio.gather(*asked, return_exceptions=True)
        await renderings.get(original, Style.parse("@100w"))
        return sum(isinstance(end, BusyError) for end in ends)

    assert studio.run(painter, ask_for_all) == 84
    assert len(painter.made) == 17


def test_no_more_wait_than_leave_room_for_others(studio: Studio) -> None:
    """Of a hundred who want the same one 64 wait for it; the others are told to come again."""
    painter = Painter()
    painter.may_end.clear()
    original = studio.original(1)

    async def ask_together(renderings: Renderings) -> int:
        asked = [ask_for(renderings, original, 1) for _ in range(100)]
        assert await asyncio.to_thread(painter.begun.acquire, timeout=WAIT_S)
        painter.may_end.set()
        ends = await asyncio.gather(*asked, return_exceptions=True)
        return sum(isinstance(end, BusyError) for end in ends)

    assert studio.run(painter, ask_together) == 36
    assert len(painter.made) == 1


def test_a_rendering_survives_a_restart(studio: Studio) -> None:
    """The next process finds it on disk, with the same type and tag."""
    painter = Painter()
    original = studio.original(1)
    first = studio.run(painter, lambda all_: all_.get(original, NARROW))
    second = studio.run(painter, lambda all_: all_.get(original, NARROW))
    assert content(first) == content(second)
    assert (first.mime_type, first.etag) == (second.mime_type, second.etag)
    assert len(painter.made) == 1


def test_what_is_asked_for_again_comes_from_memory(studio: Studio) -> None:
    """A small rendering needs its file no more, and still counts there as used."""
    painter = Painter()
    original = studio.original(1)

    async def ask_twice(renderings: Renderings) -> Body:
        await renderings.get(original, NARROW)
        os.utime(studio.kept()[0], (1, 1))
        return await renderings.get(original, NARROW)

    body = studio.run(painter, ask_twice, in_memory=10_000)
    assert isinstance(body.content, bytes)
    assert studio.kept()[0].stat().st_mtime > 1


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[:-1], id="cut"),
        pytest.param(lambda data: data[:-1] + b"x", id="one byte"),
        pytest.param(lambda data: b"webp\n" + data, id="its line"),
        pytest.param(lambda data: b"exe " + data.partition(b" ")[2], id="its format"),
        pytest.param(lambda data: bytes(len(data)), id="zeros"),
        pytest.param(lambda data: b"\xff" * 50, id="no text"),
    ],
)
@pytest.mark.parametrize("in_memory", [0, 10_000])
def test_a_broken_rendering_is_made_again(
    studio: Studio, spoil: Callable[[bytes], bytes], in_memory: int
) -> None:
    """Whatever befell the file, the answer is right, and so is the file afterwards."""
    painter = Painter()
    original = studio.original(1)
    right = studio.get(painter, original)
    (file,) = studio.kept()
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))
    again = studio.run(painter, lambda all_: all_.get(original, NARROW), in_memory=in_memory)
    assert content(again) == right
    assert len(painter.made) == 2
    assert file.read_bytes() == whole


def test_a_rendering_that_vanished_is_made_again(studio: Studio) -> None:
    """Emptying the cache folder costs only time."""
    painter = Painter()
    original = studio.original(1)
    right = studio.get(painter, original)
    studio.kept()[0].unlink()
    assert studio.get(painter, original) == right
    assert len(studio.kept()) == 1


def test_the_folder_stays_below_its_bound(studio: Studio) -> None:
    """Forty renderings of 1,000 bytes in 10,000 bytes: never more than that on disk."""
    painter = Painter()
    original = studio.original(1)

    async def ask_all(renderings: Renderings) -> None:
        for width in range(1, 41):
            await renderings.get(original, Style.parse(f"@{width}w"))
            assert sum(path.stat().st_size for path in studio.kept()) <= 10_000

    studio.run(painter, ask_all, max_bytes=10_000)
    assert len(studio.kept()) >= 7


def test_the_least_recently_used_goes_first(studio: Studio) -> None:
    """What was looked at stays, though it is the oldest; also across restarts."""
    painter = Painter()
    originals = [studio.original(n) for n in range(1, 5)]
    for age, original in enumerate(originals[:3], start=1):
        studio.get(painter, original, max_bytes=3500)
        (file,) = studio.folder.glob(f"{original.name}@*")
        os.utime(file, (age, age))
    studio.get(painter, originals[0], max_bytes=3500)
    studio.get(painter, originals[3], max_bytes=3500)
    left = {path.name.partition("@")[0] for path in studio.kept()}
    assert originals[0].name in left
    assert originals[1].name not in left
    assert originals[3].name in left


def test_a_lower_bound_holds_from_the_next_rendering_on(studio: Studio) -> None:
    """What a former run left is counted."""
    painter = Painter()
    for n in range(1, 9):
        studio.get(painter, studio.original(n))
    studio.get(painter, studio.original(9), max_bytes=3000)
    assert sum(path.stat().st_size for path in studio.kept()) <= 3000


@pytest.mark.parametrize("max_bytes", [0, 999])
def test_what_is_too_large_to_keep_is_still_answered(studio: Studio, max_bytes: int) -> None:
    """A cache of no size is no reason to fail."""
    painter = Painter()
    assert len(studio.get(painter, studio.original(1), max_bytes=max_bytes)) == 1000
    assert studio.kept() == []


def test_a_disk_that_cannot_take_it_is_no_reason_to_fail(studio: Studio) -> None:
    """A rendering that cannot be kept is answered all the same."""
    studio.folder.write_text("a file where the folder should be")
    assert len(studio.get(Painter(), studio.original(1))) == 1000


def test_what_a_killed_process_left_is_cleared_away(studio: Studio) -> None:
    """Unfinished files do not gather."""
    tmp = studio.folder / "tmp"
    tmp.mkdir(parents=True)
    (tmp / "unfinished").write_bytes(b"x")
    painter = Painter()
    for n in range(1, 5):
        studio.get(painter, studio.original(n), max_bytes=2000)
    assert list(tmp.iterdir()) == []


def test_an_original_erased_meanwhile_leaves_no_rendering(studio: Studio) -> None:
    """Erasing an image while it is drawn erases the drawing too."""
    painter = Painter()
    painter.may_end.clear()
    original = studio.original(1)

    async def erase(renderings: Renderings) -> None:
        asked = asyncio.create_task(renderings.get(original, NARROW))
        assert await asyncio.to_thread(painter.begun.acquire, timeout=WAIT_S)
        original.unlink()
        renderings.forget(original)
        painter.may_end.set()
        await asked

    with pytest.raises(FileNotFoundError):
        studio.run(painter, erase)
    assert studio.kept() == []


def test_forgetting_erases_all_of_one_original_alone(studio: Studio) -> None:
    """The renderings of an erased image go, those of others stay."""
    painter = Painter()
    mine, other = studio.original(1), studio.original(2)

    async def work(renderings: Renderings) -> None:
        for original in (mine, other):
            for style in (NARROW, WIDE):
                await renderings.get(original, style)
        renderings.forget(mine)

    studio.run(painter, work)
    assert [path.name.partition("@")[0] for path in studio.kept()] == [other.name] * 2


def test_an_error_reaches_all_who_wait_and_is_not_kept(studio: Studio) -> None:
    """A damaged original fails each who asked; once it is whole it is drawn."""
    painter = Painter()
    original = studio.original(1, b"broken")

    async def ask_together(renderings: Renderings) -> list[Body | BaseException]:
        asked = [renderings.get(original, NARROW) for _ in range(3)]
        return await asyncio.gather(*asked, return_exceptions=True)

    assert all(isinstance(error, ImageError) for error in studio.run(painter, ask_together))
    assert len(painter.made) == 1
    original.write_bytes(b"whole")
    assert studio.get(painter, original).startswith(b"whole")


def test_memory_is_bounded_and_the_oldest_leaves_first() -> None:
    """Of four bodies only the last two fit; one that is too large never enters."""
    recent = Recent(max_bytes=20, max_item_bytes=10)
    for name in "abc":
        recent.put(name, Body("image/png", f'"{name}"', bytes(10)))
    recent.get("b")
    recent.put("d", Body("image/png", '"d"', bytes(10)))
    recent.put("e", Body("image/png", '"e"', bytes(11)))
    recent.put("f", Body("image/png", '"f"', InFile(Path("f"), 0, 1)))
    assert [name for name in "abcdef" if recent.get(name)] == ["b", "d"]


def test_a_body_put_twice_counts_once() -> None:
    """Replacing a body does not use up the memory's share."""
    recent = Recent(max_bytes=20, max_item_bytes=10)
    for _ in range(5):
        recent.put("a", Body("image/png", '"a"', bytes(10)))
    recent.put("b", Body("image/png", '"b"', bytes(10)))
    assert recent.get("a")
    assert recent.get("b")
