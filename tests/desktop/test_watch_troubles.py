"""When a host or a picture makes trouble: nothing is lost, and the user is told once."""

from __future__ import annotations

import itertools
import zlib
from contextlib import ExitStack
from pathlib import Path

from imghost.gate import PROBE_S
from imghost.watch.telling import Topic
from tests.fakes import bilibili, pictures
from tests.fakes.notifications import Notifications
from tests.fakes.person import Person, seen
from tests.fakes.program import DEADLINE_S, Program, eventually

PNG = "image/png"
HUGE_PX = 30_000
RENEWED = "9f8e7d%2C1999999999%2C6c5b4*71"


def _told(notices: Notifications, topic: Topic) -> list[str]:
    return notices.texts(str(topic.value))


def _wait_until_told(notices: Notifications, topic: Topic, count: int) -> None:
    eventually(lambda: len(_told(notices, topic)) == count)


def _wait_for_reason(program: Program, words: str) -> None:
    """Wait until these words say why the last thing was left alone."""

    def is_told() -> bool:
        left_alone = program.status["left_alone"]
        return bool(left_alone) and words in left_alone[-1]["reason"]

    eventually(is_told)


def _wait_until_queued(program: Program, count: int) -> None:
    eventually(lambda: program.status["counts"]["queued"] == count)


def _huge() -> bytes:
    """A PNG file with more pixels than anybody should unpack."""
    head = HUGE_PX.to_bytes(4) * 2 + bytes([8, 2, 0, 0, 0])
    chunks = {b"IHDR": head, b"IDAT": zlib.compress(bytes(1000)), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(itertools.starmap(_chunk, chunks.items()))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def test_a_host_that_is_down(program: Program, person: Person, notices: Notifications) -> None:
    """What is copied meanwhile is sent when the host is back: one notice, the last link given."""
    with ExitStack() as stack:
        first = stack.enter_context(bilibili.FakeBilibili())
        program.configure(**bilibili.settings(first), watch={"draft_after_s": 0})
        stack.enter_context(program.watching())
        port = first.port
        first.close()
        copied = [pictures.png(seed=seed) for seed in (1, 2)]
        for count, picture in enumerate(copied, start=1):
            person.copy(picture)
            _wait_until_queued(program, count)
        again = stack.enter_context(bilibili.FakeBilibili(port))
        (link,) = person.linked(within_s=PROBE_S + DEADLINE_S)  # five tries may have failed by now
        assert seen(link) == copied[1]
        eventually(lambda: program.status["counts"]["done"] == 2)
        assert len(again.images) == 2
        assert [seen(row["url"]) for row in program.history] == copied[::-1]
        eventually(lambda: bool(_told(notices, Topic.WAITING)))
    (told,) = _told(notices, Topic.WAITING)
    assert "bilibili" in told


def test_a_draft_link(program: Program, person: Person, fake: bilibili.FakeBilibili) -> None:
    """While the host takes its time there is a link that only we can see; then the real one."""
    program.set("watch.draft_after_s", 0.3)
    fake.delay_s = 3
    with program.watching():
        person.copy(pictures.png())
        (draft,) = person.linked()
        assert not draft.startswith(fake.url)
        assert seen(draft) == pictures.png()
        eventually(lambda: person.links() not in ([], [draft]))
        (link,) = person.links()
        assert link.startswith(fake.url)
        assert seen(link) == pictures.png()
    assert [row["url"] for row in program.history] == [link]


def test_a_slow_host(
    program: Program, person: Person, fake: bilibili.FakeBilibili, tmp_path: Path
) -> None:
    """The links of files that were copied together stay together, however late the last comes."""
    program.set("watch.draft_after_s", 0)
    program.set("hosts.bilibili.parallel", 1)
    fake.delay_s = 3.5
    paths = [tmp_path / f"{n}.png" for n in range(4)]
    copied = [pictures.png(seed=seed) for seed in range(4)]
    for path, data in zip(paths, copied, strict=True):
        path.write_bytes(data)
    with program.watching():
        person.copy_files(*paths)
        first, second = person.linked(2)
        links = person.linked(4)
        assert {first, second} < set(links)
        assert [seen(link) for link in links] == copied


def test_an_expired_login(
    program: Program, person: Person, fake: bilibili.FakeBilibili, notices: Notifications
) -> None:
    """What is copied is held, with one notice, and sent when the login is renewed."""
    fake.sessdata = RENEWED
    program.set("watch.draft_after_s", 0)
    with program.watching():
        for seed in (1, 2):
            person.copy(pictures.png(seed=seed))
            _wait_until_queued(program, seed)
        assert len(fake.uploads) == 1
        assert person.pasted(PNG) == pictures.png(seed=2)
        renewed = program.run("config", "set", "hosts.bilibili.sessdata", stdin=RENEWED.encode())
        assert renewed.code == 0
        (link,) = person.linked()
        assert seen(link) == pictures.png(seed=2)
        eventually(lambda: program.status["counts"]["done"] == 2)
        eventually(lambda: bool(_told(notices, Topic.LOGIN)))
    assert len(_told(notices, Topic.LOGIN)) == 1
    assert _told(notices, Topic.WAITING) == _told(notices, Topic.FAILED) == []


def test_a_refused_picture(
    program: Program, person: Person, fake: bilibili.FakeBilibili, notices: Notifications
) -> None:
    """A picture that the host will never take is kept, and told of with what to do."""
    fake.answers.append(bilibili.Answer(-617, "文件过大"))
    with program.watching():
        person.copy(pictures.png())
        eventually(lambda: bool(_told(notices, Topic.FAILED)))
        assert "imghost retry 1" in _told(notices, Topic.FAILED)[0]
        assert person.pasted(PNG) == pictures.png()
        assert program.run("retry", "1").code == 0
        eventually(lambda: program.status["counts"]["done"] == 1)


def test_what_is_told_with_links(program: Program, person: Person, notices: Notifications) -> None:
    """That a picture was converted is told each time, who sees the links of a host only once."""
    for count in (1, 2):
        with program.watching():
            person.copy(pictures.encoded(pictures.picture(seed=count), "TIFF"), "image/tiff")
            (link,) = person.linked()
            assert seen(link)[:4] in (b"\x89PNG", b"RIFF")
            _wait_until_told(notices, Topic.CHANGED, count)
            _wait_until_told(notices, Topic.ADVICE, 1)
    (told,) = _told(notices, Topic.ADVICE)
    assert "public_url" in told


def test_what_is_no_picture(
    program: Program, person: Person, notices: Notifications, tmp_path: Path
) -> None:
    """What cannot be decoded, is too large or is gone stays on the clipboard, and is told of."""
    with program.watching():
        person.copy(pictures.png()[:-40])
        _wait_for_reason(program, "ends too early")
        assert person.pasted(PNG) == pictures.png()[:-40]
        person.copy(b"no picture")
        _wait_for_reason(program, "is text, not an image")
        person.copy(_huge())
        _wait_for_reason(program, "limits.still_mpix")
        person.copy_files(tmp_path / "gone.png")
        _wait_for_reason(program, "there is no file")
        assert "text/uri-list" in person.offered()
        eventually(lambda: bool(_told(notices, Topic.REFUSED)))
    assert program.originals == []
