"""What can happen in the middle of a migration: no post is ever half new, and the rest is done."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image as Noise

from tests.fakes import bilibili, pictures
from tests.fakes.blog import Blog, large_blog, links, migrate, small_blog
from tests.fakes.program import DEADLINE_S, Program, Result, eventually

POSTS, PICTURES = 20, 41
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
ON_THEIR_WAY = 6  # two at the host, and as many threads besides that may have had an answer


@pytest.fixture
def blog(tmp_path: Path) -> Blog:
    """Twenty posts with two pictures each, and one that all have."""
    return large_blog(tmp_path / "blog", POSTS)


def texts(blog: Blog) -> list[str]:
    """The posts as they are."""
    return [path.read_text() for path in sorted(blog.folder.glob("*.md"))]


def assert_whole(
    blog: Blog, before: list[str], fake: bilibili.FakeBilibili, *, killed: bool = False
) -> None:
    """Every post is as it was, or has nothing but links that work; nothing else lies about.

    Who was `killed` may leave an unfinished post beside it, until the next run.
    """
    for former, text in zip(before, texts(blog), strict=True):
        if text != former:
            lines = text.splitlines()
            assert len(lines) == 3
            assert {line[4:-1] for line in lines} <= {*links(fake).values()}
    suffixes = {path.suffix for path in blog.folder.iterdir() if path.is_file()}
    assert suffixes - ({".tmp"} if killed else set()) == {".md", ".png"}


def assert_done(blog: Blog, before: list[str], fake: bilibili.FakeBilibili) -> None:
    """Every post is new."""
    assert_whole(blog, before, fake)
    assert all(text != former for text, former in zip(texts(blog), before, strict=True))
    assert len(fake.images) == PICTURES


class TestPosts:
    """Posts that cannot be read or written."""

    def test_others_are_moved(
        self, program: Program, fake: bilibili.FakeBilibili, tmp_path: Path
    ) -> None:
        """A post that is no text stays to the byte and is named; those beside it are done."""
        blog = small_blog(tmp_path / "small")
        foreign = "一张图片 ![](img/a.png)".encode("gb18030")
        (blog.folder / "foreign.md").write_bytes(foreign)
        result = migrate(program, blog.folder, code=9)
        assert len(result.lines) == 2
        assert str(blog.folder / "foreign.md") in result.err
        assert (blog.folder / "foreign.md").read_bytes() == foreign

    def test_missing_pictures_cost_only_themselves(
        self, program: Program, fake: bilibili.FakeBilibili, tmp_path: Path
    ) -> None:
        """They are named with post and line, and their links stay; so with what is no picture."""
        blog = small_blog(tmp_path / "small")
        (blog.folder / "text.png").write_text("no picture")
        post = blog.post("third.md", "![](img/none.png)\n![](text.png)\n![](img/a.png)\n")
        result = migrate(program, blog.folder, code=9)
        assert f"{post}:1: " in result.err
        assert f"{post}:2: " in result.err
        assert f"{post}:3: " not in result.err
        none, text, moved = post.read_text().splitlines()
        assert (none, text) == ("![](img/none.png)", "![](text.png)")
        assert moved.startswith("![](http")

    def test_a_post_that_changes_meanwhile_is_not_written(
        self, program: Program, fake: bilibili.FakeBilibili, tmp_path: Path
    ) -> None:
        """The edit stays, the post is named; the next run finishes it and sends nothing again."""
        blog = small_blog(tmp_path / "small")
        post, edited = blog.folder / "second.md", b"Edited ![](img/a.png)"
        goes_on = threading.Event()
        fake.answers.append(bilibili.Answer(-400, "a bad picture", after=goes_on))
        with program.start("migrate", "--yes", str(blog.folder)) as process:
            eventually(lambda: bool(fake.uploads))
            post.write_bytes(edited)
            goes_on.set()
            _, err = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 9
        assert str(post) in err.decode()
        assert post.read_bytes() == edited
        sent = len(fake.uploads)
        migrate(program, post)
        assert len(fake.uploads) <= sent + 1
        assert post.read_bytes().startswith(b"Edited ![](http")

    @pytest.mark.skipif(sys.platform == "win32", reason="only POSIX has these modes")
    def test_read_only_posts_are_told(
        self, program: Program, fake: bilibili.FakeBilibili, tmp_path: Path
    ) -> None:
        """Who may not write a post does not replace it by a new file either."""
        blog = small_blog(tmp_path / "small")
        post = blog.folder / "second.md"
        post.chmod(0o444)
        before = post.read_bytes()
        result = migrate(program, blog.folder, code=9)
        assert result.lines == [str(blog.folder / "first.md")]
        assert str(post) in result.err
        assert (post.read_bytes(), post.stat().st_mode & 0o777) == (before, 0o444)


class TestHosts:
    """Hosts that fail."""

    def test_a_host_that_is_away(
        self, program: Program, fake: bilibili.FakeBilibili, blog: Blog
    ) -> None:
        """All posts stay, all is kept, and the next run needs nothing but the host."""
        fake.answers.extend([bilibili.Answer(status=503)] * 3)
        before = texts(blog)
        result = migrate(program, "--wait", "0", blog.folder, code=9)
        assert_whole(blog, before, fake)
        assert f"{blog.folder / 'post000.md'}:1: " in result.err
        fake.answers.clear()
        migrate(program, blog.folder)
        assert_done(blog, before, fake)

    @pytest.mark.parametrize(("status", "code"), [(503, 6), (200, 7)])
    def test_the_only_picture_has_its_own_exit_code(
        self, program: Program, fake: bilibili.FakeBilibili, tmp_path: Path, status: int, code: int
    ) -> None:
        """A script can tell a host that is away from a login that ended."""
        blog = Blog(tmp_path / "one")
        blog.picture("a.png", 1)
        post = blog.post("one.md", "![](a.png)\n![](a.png)\n")
        refused = -101 if status == 200 else 0
        fake.answers.extend([bilibili.Answer(refused, status=status)] * 3)
        migrate(program, "--wait", "0", post, code=code)

    def test_one_refusal_stops_nothing(
        self, program: Program, fake: bilibili.FakeBilibili, blog: Blog
    ) -> None:
        """The one picture stays where it is, and is named; a host that stumbles is asked again."""
        fake.answers.append(bilibili.Answer(-400, "a bad picture"))
        fake.answers.append(bilibili.Answer(status=502))
        result = migrate(program, blog.folder, code=9)
        assert len(fake.images) == PICTURES - 1
        assert "a bad picture" in result.err
        left = [line for text in texts(blog) for line in text.splitlines() if "http" not in line]
        assert len(left) == result.err.count("a bad picture")


class TestEnds:
    """Runs that do not end by themselves."""

    @pytest.mark.parametrize("after", [0, 7, 25])
    def test_killed_and_run_again(
        self, program: Program, fake: bilibili.FakeBilibili, blog: Blog, after: int
    ) -> None:
        """Posts are old or new; the second run does the rest, and sends hardly anything again."""
        before = texts(blog)
        fake.delay_s = 0.02
        with program.start("migrate", "--yes", str(blog.folder)) as process:
            eventually(lambda: len(fake.uploads) > after)
            process.kill()
        assert_whole(blog, before, fake, killed=True)
        fake.delay_s = 0
        migrate(program, blog.folder)
        assert_done(blog, before, fake)
        assert len(fake.uploads) <= PICTURES + ON_THEIR_WAY

    def test_ctrl_c(self, program: Program, fake: bilibili.FakeBilibili, blog: Blog) -> None:
        """It ends at once with 130; it is said how to undo, and the next run goes on."""
        before = texts(blog)
        fake.delay_s = 0.1
        with program.start("migrate", "--yes", str(blog.folder)) as process:
            eventually(lambda: len(fake.uploads) > 12 and texts(blog) != before)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=5)
        assert process.returncode == 130
        assert "migrate --undo" in err.decode()
        assert "Traceback" not in err.decode()
        assert_whole(blog, before, fake)
        assert texts(blog) != before
        fake.delay_s = 0
        migrate(program, blog.folder)
        assert_done(blog, before, fake)

    def test_a_running_daemon_does_it(
        self, program: Program, fake: bilibili.FakeBilibili, blog: Blog
    ) -> None:
        """At its pace and with its journal; the posts are written by the command."""
        before = texts(blog)
        with program.serving():
            migrate(program, blog.folder)
            assert program.status["counts"]["done"] == PICTURES
        assert_done(blog, before, fake)
        assert len(fake.uploads) == PICTURES

    def test_a_daemon_that_dies(
        self, program: Program, fake: bilibili.FakeBilibili, blog: Blog
    ) -> None:
        """The command does the rest by itself, and sends nothing again that was sent."""
        before = texts(blog)
        fake.delay_s = 0.02
        with program.start("serve", stderr=subprocess.PIPE) as server:
            assert server.stderr
            server.stderr.readline()
            with program.start("migrate", "--yes", str(blog.folder)) as process:
                eventually(lambda: len(fake.uploads) > 9)
                server.kill()
                out, err = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, err
        assert len(out.splitlines()) == POSTS
        assert_done(blog, before, fake)
        assert len(fake.uploads) <= PICTURES + ON_THEIR_WAY


def _may_mount() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not _may_mount(), reason="this system lets nobody but root mount")
class TestFullDisk:
    """No room, in the middle of it."""

    def test_where_imghost_keeps_its_things(
        self, program: Program, fake: bilibili.FakeBilibili, blog: Blog
    ) -> None:
        """What was kept in time is moved, the rest is named; with room again the rest follows."""
        before = texts(blog)
        for path in blog.folder.glob("img/*.png"):
            path.write_bytes(pictures.encoded(Noise.effect_noise((300, 200), 99), "PNG"))
        result = on_small_disk(2000, program.home / "data", program, blog.folder)
        assert result.code == 9
        assert "the disk is full" in result.err
        assert result.lines
        moved = set(links(fake).values())
        for path, former in zip(sorted(blog.folder.glob("*.md")), before, strict=True):
            lines = zip(path.read_text().splitlines(), former.splitlines(), strict=True)
            for line, (now, old) in enumerate(lines, start=1):
                is_told = f"{path}:{line}: " in result.err or f"{path}: " in result.err
                assert now[4:-1] in moved if now != old else is_told
        migrate(program, blog.folder)
        assert_done(blog, before, fake)
        assert len(fake.uploads) <= PICTURES + ON_THEIR_WAY

    def test_where_the_posts_are(
        self, program: Program, fake: bilibili.FakeBilibili, blog: Blog
    ) -> None:
        """A post for which there is no room stays as it was, and is named."""
        post = blog.post("small/long.md", "![](../shared.png)\n" + "long " * 20_000)
        before = post.read_bytes()
        result = on_small_disk(150, post.parent, program, post)
        assert (result.code, result.out) == (9, "")
        assert "the disk is full" in result.err
        assert [path.name for path in post.parent.iterdir()] == ["long.md"]
        assert post.read_bytes() == before


def on_small_disk(size_kb: int, folder: Path, program: Program, posts: Path) -> Result:
    """Migrate while this folder is a disk of so many kilobytes; what is on it then stays there."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder.with_name("kept")
    script = (
        f'cp -a "$0" "{kept}" && mount -t tmpfs -o size={size_kb}k none "$0" && '
        f'cp -a "{kept}/." "$0" && {{ "$@"; code=$?; cp -a "$0/." "{kept}"; exit $code; }}'
    )
    limited = Program(program.home, program.environ, (*UNSHARE, script, str(folder)))
    result = limited.run("migrate", "--yes", posts)
    shutil.rmtree(folder)
    kept.rename(folder)
    return result
