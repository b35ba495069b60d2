"""imghost links as a person runs it: posts whose host dies, and every picture brought back."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pictures
from tests.fakes.bilibili import FakeBilibili, settings
from tests.fakes.program import Program, Result, eventually

BLOG = "https://blog.example/"
HOUR_S = 3600.0
POST = """---
cover: a.png
---
Text with ![one](a.png "its title"), ![the same](<a.png>), `![code](a.png)`.

![two](b.png)
<img src="c.png" width="10">
"""
LINK = re.compile(r"https?://[\w.:/-]+[\w](?:@[\w.]+)?")


class Blog:
    """A person with posts and a Bilibili on loopback, whose links live as long as it says."""

    def __init__(self, home: Path, fake: FakeBilibili) -> None:
        self.fake = fake
        self.root = home / "blog"
        self.program = Program(home / "imghost")
        made = settings(fake)
        made["hosts"]["local"] = {"public_url": "https://img.example"}
        self.program.configure(**made)
        self.pictures = {pictures.png(seed=seed) for seed in range(3)}
        for name, data in zip(("a.png", "b.png", "c.png"), self.pictures, strict=True):
            self.write(name, data)
        self.post = self.write("one.md", POST.encode())
        self.other = self.write("two.md", b"![](b.png)\r\n")

    def write(self, name: str, data: bytes) -> Path:
        """Have a file in the blog."""
        self.root.mkdir(exist_ok=True)
        path = self.root / name
        path.write_bytes(data)
        return path

    def links(self, action: str, *words: str) -> Result:
        """Run `imghost links` for the blog."""
        return self.program.run("links", action, self.root, *words)

    def move(self) -> None:
        """Move all pictures to the configured host."""
        assert self.program.run("migrate", self.root, "--yes").code == 0

    def shown(self) -> list[str]:
        """The links in the posts."""
        return LINK.findall(self.post.read_text()) + LINK.findall(self.other.read_text())

    def alive(self) -> list[str]:
        """What the journal knows of the links."""
        return [row["alive"] for row in self.program.history]

    def in_files(self) -> set[bytes]:
        """The pictures that the embedded host shows."""
        folder = self.program.home / "data" / "local" / "images"
        named = {path.name: path.read_bytes() for path in folder.iterdir()}
        return {named[link.rpartition("/")[2]] for link in self.shown()}


@pytest.fixture
def blog(home: Path) -> Iterator[Blog]:
    """Two posts with local pictures."""
    with FakeBilibili() as fake:
        yield Blog(home, fake)


def test_a_host_that_drops_every_link_loses_no_picture(blog: Blog) -> None:
    """Dropped after an hour, found dead, refused where they died, brought back elsewhere."""
    blog.fake.lives_s = HOUR_S
    blog.move()
    moved = blog.post.read_bytes()
    assert blog.links("check").code == 9  # on loopback only the writer can see them
    blog.fake.passed_s += HOUR_S
    checked = blog.links("check")
    assert checked.code == 9
    assert len(checked.lines) == 3
    assert checked.lines[0].startswith(f"{blog.post}:2 (and 2 more): dead: http")
    assert "links rescue brings it back" in checked.lines[0]
    assert set(blog.alive()) == {"dead"}

    again = blog.links("rescue", "--yes")
    assert again.code == 9
    assert again.err.count("may die again\n") == 6
    assert again.err.count("add --all and one of: --host local, --bucket static\n") == 1
    assert blog.post.read_bytes() == moved

    blog.fake.passed_s += HOUR_S
    rescued = blog.links("rescue", "--host", "local", "--yes")
    assert (rescued.code, rescued.lines) == (0, [str(blog.post), str(blog.other)])
    assert len(blog.shown()) == 6
    assert blog.in_files() == blog.pictures
    assert b"](a.png)`." in blog.post.read_bytes()
    assert blog.links("check").code == 0
    run = re.search(r"--undo (\S+)", rescued.err)
    assert run
    assert blog.program.run("migrate", "--undo", run[1]).code == 0
    assert blog.post.read_bytes() == moved


def test_the_daemon_finds_what_died_within_the_hour(blog: Blog) -> None:
    """Seen alive right after the upload and dead an hour later, which history tells."""
    blog.fake.lives_s = HOUR_S
    blog.move()
    with blog.program.serving():
        eventually(lambda: set(blog.alive()) == {"alive"})
        blog.fake.passed_s += HOUR_S
        journal = sqlite3.connect(blog.program.home / "data" / "journal.db")
        with journal:  # an hour passes
            journal.execute("UPDATE uploads SET check_at = check_at - 3660")
        journal.close()
        eventually(lambda: set(blog.alive()) == {"dead"})
    assert blog.program.run("history").out.count("the link is dead") == 3


def test_an_offline_machine_condemns_nothing(blog: Blog) -> None:
    """With the host out of reach all is unknown and stays; --all brings the pictures back."""
    blog.move()
    moved, known = blog.post.read_bytes(), blog.alive()
    blog.fake.down = True
    checked = blog.links("check")
    assert checked.code == 9
    assert ": dead: " not in checked.out
    rescued = blog.links("rescue", "--host", "local", "--yes")
    assert (rescued.code, rescued.out) == (9, "")
    assert "links that gave no answer and stay: 3" in rescued.err
    assert blog.post.read_bytes() == moved
    assert blog.alive() == known
    assert blog.links("rescue", "--all", "--host", "local", "--yes").code == 0
    assert blog.in_files() == blog.pictures


def test_whether_the_blog_needs_the_tag(blog: Blog) -> None:
    """A host that refuses the blog's Referer is told, with the tag that helps."""
    blog.move()
    blog.program.set("verify.blog", BLOG)
    checked = blog.links("check", "--json")
    assert 'put <meta name="referrer" content="no-referrer"> into' in checked.err
    assert [one["needs_tag"] for one in checked.json] == [True] * 3
    first: dict[str, Any] = checked.json[0]
    assert (first["state"], first["kept"], len(first["places"])) == ("private", True, 3)
    assert first["places"][0] == {"post": str(blog.post), "line": 2}


def test_what_was_pruned_is_kept_again_and_rescued(blog: Blog) -> None:
    """Fetched while they live, once, they come back from the copies."""
    blog.move()
    assert blog.program.run("prune", "--older-than", "0s", "--all", "--yes").code == 0
    assert blog.program.originals == []
    kept = blog.links("keep")
    assert (kept.code, kept.out) == (0, "")
    assert "pictures kept now: 3" in kept.err
    assert len(blog.program.originals) == 3
    asked = len(blog.fake.fetches)
    assert blog.links("keep", "--json").json == []
    assert len(blog.fake.fetches) == asked
    blog.fake.images.clear()
    with blog.program.serving():
        assert blog.links("rescue", "--host", "local", "--yes").code == 0
    assert blog.in_files() == blog.pictures


def test_what_is_lost_is_named(blog: Blog) -> None:
    """Dead pictures of which nothing is kept are told with post and line; the rest comes back."""
    blog.move()
    blog.fake.images.clear()
    gone = blog.program.originals[0]
    gone.unlink()
    rescued = blog.links("rescue", "--host", "local", "--yes", "--json")
    assert rescued.code == 9
    told = [one for post in rescued.json["posts"] for one in post["failed"]]
    assert {one["reason"] for one in told} == {"it is dead, and nothing of it is kept here"}
    assert re.search(rf"{blog.root}/\w+\.md:\d+: http\S+: it is dead, and nothing", rescued.err)
    assert len([link for link in blog.shown() if "images" in link]) == 6 - len(told)
    kept = blog.links("keep")
    assert kept.code == 9
    assert "answered 404" in kept.out


def test_pictures_of_the_writers_own_network(blog: Blog) -> None:
    """Nobody fetches or rescues them: each command says that they belong beside the post."""
    link = "http://192.168.1.5/x.png"
    blog.write("one.md", f"![]({link})\n".encode())
    blog.write("two.md", b"")
    advice = "save the picture beside the post"
    checked, kept = blog.links("check"), blog.links("keep")
    assert (checked.code, kept.code) == (9, 9)
    assert f"private: {link}" in checked.out
    assert advice in checked.out
    assert advice in kept.out
    assert "imghost migrate" not in checked.out + kept.out
    rescued = blog.links("rescue")
    assert (rescued.code, rescued.err) == (0, "imghost: nothing is to be moved\n")
    left = blog.program.run("migrate", blog.root)
    assert (left.code, "--remote" in left.err, advice in left.err) == (0, False, True)
    tried = blog.program.run("migrate", "--remote", "--dry-run", blog.root)
    assert (tried.code, tried.out, advice in tried.err) == (9, "", True)


def test_our_own_links_are_moved_to_a_host(blog: Blog) -> None:
    """What only this computer shows is told with the command that brings it out."""
    assert blog.program.run("migrate", "--host", "local", "--yes", blog.root).code == 0
    blog.program.set("hosts.local.public_url", "")
    checked = blog.links("check")
    assert checked.out.count("imghost migrate --host HOST moves it") == 3


def test_each_action_has_its_own_help(blog: Blog) -> None:
    """Only the options that it takes, with an example; what is missing or unknown is refused."""
    run = blog.program.run
    pages = {action: run("links", action, "--help").out for action in ("check", "keep", "rescue")}
    for action, page in pages.items():
        assert f"Example: imghost links {action} ~/blog" in page
        assert ("--host" in page) == ("--dry-run" in page) == (action == "rescue")
        assert "patterns in quotes" in page
    assert "ends with 9" in pages["check"]
    assert "check,keep,rescue" in run("links", "--help").out
    for words in (("check", "--host", "s3", "."), ("mend", "."), ()):
        assert run("links", *words, cwd=blog.root).code == 2


def test_bad_input(blog: Blog) -> None:
    """A post that cannot be read is told, the others are checked; wrong options are refused."""
    blog.write("bad.md", b"![](\xff.png)")
    blog.write("one.md", b"![](a.png)")
    blog.other.write_bytes(b"no picture")
    checked = blog.links("check")
    assert (checked.code, checked.out) == (9, "")
    assert "bad.md is not UTF-8" in checked.err
    assert blog.links("check", "--all").code == 2
    assert blog.program.run("links", "check", blog.root / "none.md").code == 4
    assert blog.program.run("links", "mend", blog.root).code == 2


def test_posts_without_links_are_fine(blog: Blog) -> None:
    """Local pictures are no links: nothing is asked, nothing is wrong."""
    for action in ("check", "keep", "rescue"):
        assert (blog.links(action).code, blog.links(action).out) == (0, "")
    assert blog.fake.fetches == []


def test_a_dry_run_changes_nothing(blog: Blog) -> None:
    """What rescue would change is shown as a diff."""
    blog.move()
    blog.fake.images.clear()
    before = blog.post.read_bytes()
    tried = blog.links("rescue", "--host", "local", "--dry-run")
    assert re.search(r"^\+!\[two]\(https://local.invalid/images/b.png\)$", tried.out, re.MULTILINE)
    assert blog.post.read_bytes() == before
    assert len(blog.program.history) == 3
