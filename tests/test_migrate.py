"""`imghost migrate` as a person runs it on a folder of posts: real processes, a fake Bilibili."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.fakes import bilibili, pictures
from tests.fakes.blog import POST, Blog, links, migrate, small_blog
from tests.fakes.program import Program
from tests.fakes.terminal import terminal


@pytest.fixture
def blog(tmp_path: Path) -> Blog:
    """Two posts that use three pictures, one of them both."""
    return small_blog(tmp_path / "blog")


class TestMoving:
    """From files to a host."""

    def test_pictures_go_up_and_links_go_in(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """Each picture once; only the destinations change, to the byte; changed posts on stdout."""
        before = blog.state()
        result = migrate(program, blog.folder)
        assert result.lines == [str(blog.folder / "first.md"), str(blog.folder / "second.md")]
        assert len(fake.uploads) == 3
        url = {
            n: links(fake)[(blog.folder / f"img/{n}.png").read_bytes()] for n in ("cover", "a", "b")
        }
        assert (blog.folder / "first.md").read_bytes() == (
            POST.replace("cover: img/cover.png", f"cover: {url['cover']}")
            .replace("![A view](img/a.png", f"![A view]({url['a']}")
            .replace('src="img/b.png"', f'src="{url["b"]}"')
            .encode()
        )
        assert (blog.folder / "second.md").read_bytes() == (
            f"\ufeffAgain ![]({url['a']}).\r\n\r\nEnd\r\n".encode()
        )
        for path, (data, mode, _) in before.items():
            assert Path(path).stat().st_mode == mode
            if not path.endswith(".md"):
                assert Path(path).read_bytes() == data

    def test_twice_changes_nothing(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """The second run uploads nothing, fetches nothing, and touches no file."""
        migrate(program, blog.folder)
        state, fetched = blog.state(), len(fake.fetches)
        again = migrate(program, blog.folder)
        assert (again.out, blog.state()) == ("", state)
        assert again.err == "imghost: nothing is to be moved\n"
        assert (len(fake.uploads), len(fake.fetches)) == (3, fetched)

    def test_it_is_said_what_will_be_done(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """The count and the time first, and in the end how to undo."""
        first, *_, last = migrate(program, blog.folder).err.splitlines()
        told = "pictures to upload to bilibili (openplatform): 3, which takes about 1 s"
        assert first == f"imghost: {told}"
        assert "new links: 4, in posts: 2; imghost migrate --undo " in last
        assert migrate(program, "--quiet", blog.folder).err == ""

    def test_a_dry_run_shows_the_difference(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """A diff with placeholders on stdout; nothing is sent, kept or changed."""
        state = blog.state()
        result = migrate(program, "--dry-run", "--style", "@800w.webp", blog.folder)
        changed = [
            line for line in result.lines if line[:1] in "+-" and line[:3] not in ("+++", "---")
        ]
        assert changed[:2] == [
            "-cover: img/cover.png",
            "+cover: https://bilibili.invalid/openplatform/cover.png@800w.webp",
        ]
        assert len(changed) == 8
        assert "@@" in result.out
        assert ".invalid" in result.err
        assert blog.state() == state
        assert (fake.uploads, program.history, program.originals) == ([], [], [])

    @pytest.mark.skipif(sys.platform == "win32", reason="only POSIX has these modes")
    def test_a_dry_run_promises_nothing_that_is_known_to_fail(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """A read-only post and a file that is no picture are told, as the move itself would."""
        (blog.folder / "second.md").chmod(0o444)
        (blog.folder / "text.png").write_text("no picture")
        third = blog.post("third.md", "![](text.png)\n![](img/a.png)\n")
        result = migrate(program, "--dry-run", blog.folder, code=9)
        assert "second.md is read-only" in result.err
        assert f"{third}:1: text.png is text, not an image" in result.err
        assert "text.png@" not in result.out
        assert "second.md" not in result.out
        assert "-![](img/a.png)" in result.out

    def test_the_answer_as_json(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """Each post with its old and new links, what failed and what was left, and the run."""
        blog.post("first.md", "![](img/a.png)\n\n![](img/none.png) ![](drawing.svg)\n")
        told = migrate(program, "--json", blog.folder, code=9).json
        first, second = told["posts"]
        assert set(told) == {"run", "posts"}
        assert first["post"] == str(blog.folder / "first.md")
        assert [(one["line"], one["old"]) for one in first["links"]] == [(1, "img/a.png")]
        assert first["links"][0]["new"] == second["links"][0]["new"]
        assert [(one["line"], one["what"]) for one in first["failed"]] == [(3, "img/none.png")]
        assert [one["line"] for one in first["left"]] == [3]
        assert migrate(program, "--json", "--undo", told["run"]).json["run"] == told["run"]

    def test_the_place_and_the_style_are_the_users(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """Host, bucket and style of the command line win over those of the blog and the config."""
        settings = {"host": "local", "bucket": "blog", "style": "@100w"}
        (blog.folder / ".imghost.json").write_text(json.dumps(settings))
        words = ("--host", "bilibili", "--bucket", "album", "--style", "@800w.webp")
        migrate(program, *words, blog.folder)
        text = (blog.folder / "second.md").read_text(encoding="utf-8-sig")
        assert f"{fake.url}/bfs/album/" in text
        assert ".png@800w.webp)" in text

    def test_a_blog_says_where_its_pictures_go(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """Its `.imghost.json` holds for migrate and upload, for files below it and no others."""
        outside = blog.folder.parent / "outside.png"
        outside.write_bytes(pictures.png(seed=9))
        settings = {"bucket": "album", "style": "@100w"}
        (blog.folder / ".imghost.json").write_text(json.dumps(settings))
        words = [blog.folder / "img/a.png", outside, blog.folder / "img/b.png"]
        uploaded = program.run("upload", *words).lines
        assert ["album" in link and link.endswith("@100w") for link in uploaded] == [
            *(True, False, True)
        ]
        migrate(program, blog.folder)
        assert f"]({uploaded[0]})" in (blog.folder / "second.md").read_text(encoding="utf-8-sig")

    def test_bad_settings_of_a_blog_are_told(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """With the file's name, for both commands, before anything is sent."""
        (blog.folder / ".imghost.json").write_text('{"hots": "local"}')
        for command in (("migrate", blog.folder), ("upload", blog.folder / "img/a.png")):
            result = program.run(*command)
            assert result.code == 3
            assert ".imghost.json" in result.err
        assert fake.uploads == []

    def test_a_style_that_is_none_is_refused(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """At once, before anything is said, also where nothing is to be moved."""
        for _ in range(2):
            result = program.run("migrate", "--style", "@99z", "--yes", blog.folder)
            assert (result.code, len(result.err.splitlines())) == (3, 1)
            migrate(program, blog.folder)

    def test_nothing_is_published_unasked(
        self, program: Program, blog: Blog, fake: bilibili.FakeBilibili
    ) -> None:
        """Where nobody can be asked, --yes is needed as soon as there is something to send."""
        state = blog.state()
        result = program.run("migrate", blog.folder)
        assert (result.code, result.out, blog.state()) == (2, "", state)
        assert "nothing was changed, for nobody can be asked" in result.err
        assert fake.uploads == []
        assert program.run("migrate", "--dry-run", blog.folder).code == 0
        migrate(program, blog.folder)
        assert program.run("migrate", blog.folder).code == 0

    def test_links_that_only_this_computer_opens(self, program: Program, blog: Blog) -> None:
        """A blog gets them only after a warning and a yes, also when all pictures are there."""
        warning = "links of local show on this computer only; name --host bilibili or s3"
        for _ in range(2):
            result = program.run("migrate", blog.folder)
            assert result.code == 2
            assert warning in result.err
            assert "http" not in (blog.folder / "second.md").read_text(encoding="utf-8-sig")
            program.run("upload", *sorted((blog.folder / "img").iterdir()))
        assert warning in program.run("migrate", "--dry-run", blog.folder).err
        assert "pictures to upload" not in result.err
        program.set("hosts.local.public_url", "https://img.example")
        assert len(program.run("migrate", blog.folder).lines) == 2

    @pytest.mark.skipif(sys.platform == "win32", reason="only POSIX has these terminals")
    def test_no_is_no(self, program: Program, blog: Blog, fake: bilibili.FakeBilibili) -> None:
        """Whoever presses Enter at the question changes nothing, and reads that."""
        state = blog.state()
        with terminal(program, "migrate", str(blog.folder)) as person:
            person.until("Go on? [y/N]")
            person.type("\n")
            person.until("nothing was changed")
            assert person.ended() == 0
        assert (fake.uploads, blog.state()) == ([], state)

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            ((), 2, "name posts"),
            (("none",), 4, "none"),
            (("img/a.png",), 4, "img/a.png is a picture; name the post"),
            (("--host", "flickr", "."), 3, "unknown host flickr"),
            (("--undo", "none"), 2, "no run none"),
            (("--undo", "none", "."), 2, "name posts"),
        ],
    )
    def test_misuse_is_told(
        self, program: Program, blog: Blog, words: tuple[str, ...], code: int, said: str
    ) -> None:
        """In words, with the exit code of the table."""
        result = program.run("migrate", *words, cwd=blog.folder)
        assert result.code == code
        assert said in result.err
