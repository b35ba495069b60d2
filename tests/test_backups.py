"""Undoing: every post that a run has changed is as it was, to the byte, unless it was edited."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import MachineError, SourceError, UsageError
from imghost.posts.backups import Run, undo
from imghost.posts.post import read_post
from tests.fakes.blog import Blog, migrate, small_blog
from tests.fakes.program import Program


@pytest.fixture
def blog(tmp_path: Path) -> Blog:
    """Two posts that use three pictures."""
    return small_blog(tmp_path / "blog")


def run_of(program: Program) -> str:
    """The last run."""
    return max(path.name for path in (program.home / "data" / "backups").iterdir())


def bytes_and_modes(blog: Blog) -> dict[str, tuple[bytes, int]]:
    """Of every file."""
    return {path: (data, mode) for path, (data, mode, _) in blog.state().items()}


def test_undo_puts_everything_back(program: Program, blog: Blog) -> None:
    """Bytes and modes, with marks, line ends and emoji; twice does no harm."""
    (blog.folder / "first.md").chmod(0o640)
    before = bytes_and_modes(blog)
    assert len(migrate(program, blog.folder).lines) == 2
    assert bytes_and_modes(blog) != before
    result = migrate(program, "--undo", run_of(program))
    assert result.lines == [str(blog.folder / "first.md"), str(blog.folder / "second.md")]
    assert bytes_and_modes(blog) == before
    assert migrate(program, "--undo", run_of(program)).out == ""
    assert len(migrate(program, blog.folder).lines) == 2


def test_names_steer_no_terminal(program: Program, blog: Blog) -> None:
    """Names of posts are shown with escapes; JSON has them as they are."""
    evil = blog.post("a\x1b]0;b\u202e.md", "![](img/a.png)")
    shown = migrate(program, evil).lines
    assert shown == [str(evil).replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")]
    assert migrate(program, "--undo", run_of(program)).lines == shown
    assert migrate(program, "--json", evil).json["posts"][0]["post"] == str(evil)


def test_edited_posts_stay(program: Program, blog: Blog) -> None:
    """Whatever was written since is the user's; those are named, and the others are put back."""
    before = bytes_and_modes(blog)
    migrate(program, blog.folder)
    first, second = blog.folder / "first.md", blog.folder / "second.md"
    edited = first.read_bytes() + b"more"
    first.write_bytes(edited)
    result = migrate(program, "--undo", run_of(program), code=9)
    assert result.lines == [str(second)]
    assert str(first) in result.err
    assert f"{program.home / 'data' / 'backups' / run_of(program) / '0'} has its" in result.err
    assert first.read_bytes() == edited
    assert second.read_bytes() == before[str(second)][0]


def test_a_post_that_is_gone_is_named(program: Program, blog: Blog) -> None:
    """It does not come back by itself: where its text lies is said."""
    migrate(program, blog.folder)
    gone = blog.folder / "first.md"
    gone.unlink()
    told = migrate(program, "--json", "--undo", run_of(program), code=9).json
    assert [one["changed"] for one in told["posts"]] == [False, True]
    assert f"{gone} is gone; {program.home}" in told["posts"][0]["reason"]
    assert not gone.exists()


def test_what_a_run_has_not_changed_is_not_undone(tmp_path: Path) -> None:
    """A post that could not be written has no part in the run, and nothing of it is kept."""
    changed, edited = tmp_path / "a.md", tmp_path / "b.md"
    for path in (changed, edited):
        path.write_text("old")
    run = Run(tmp_path / "backups", tmp_path / "tmp")
    run.write(read_post(changed), "new")
    former = read_post(edited)
    edited.write_text("edited")
    with pytest.raises(SourceError):
        run.write(former, "new")
    assert [one.path for one in undo(tmp_path / "backups", run.id)] == [changed]


def test_later_runs_are_undone_first(program: Program, blog: Blog) -> None:
    """A run that was built upon is not undone under the later one; in turn both are."""
    before = bytes_and_modes(blog)
    migrate(program, blog.folder)
    first = run_of(program)
    migrate(program, "--bucket", "blog", blog.folder)
    second = run_of(program)
    assert first != second
    migrate(program, "--undo", first, code=9)
    migrate(program, "--undo", second)
    migrate(program, "--undo", first)
    assert bytes_and_modes(blog) == before


@pytest.mark.parametrize("damage", [b"{", b"[" * 100_000, None])
def test_a_damaged_backup_costs_only_itself(
    program: Program, blog: Blog, damage: bytes | None
) -> None:
    """It is named, and the next one is put back, even if it is a pipe now."""
    migrate(program, blog.folder)
    backup = program.home / "data" / "backups" / run_of(program) / "0"
    backup.unlink()
    if damage is None:
        os.mkfifo(backup, 0o600)
    else:
        backup.write_bytes(damage)
    result = migrate(program, "--undo", run_of(program), code=9)
    assert result.lines == [str(blog.folder / "second.md")]
    assert "cannot be read" in result.err


def test_what_a_killed_run_left_beside_posts_goes(tmp_path: Path) -> None:
    """A run begins in each folder by deleting unfinished posts, and nothing else."""
    post = tmp_path / "a.md"
    post.write_text("old")
    for name in (".imghost-0a1b.tmp", ".imghost.json", "b.tmp"):
        (tmp_path / name).write_text("")
    Run(tmp_path / "backups", tmp_path / "tmp").write(read_post(post), "new")
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left == {"a.md", ".imghost.json", "b.tmp"}


@pytest.mark.parametrize("run", ["none", "", "..", ".", "../backups", "/"])
def test_there_is_no_such_run(tmp_path: Path, run: str) -> None:
    """Only names of runs are looked up, whatever is asked for."""
    post = tmp_path / "a.md"
    post.write_text("old")
    made = Run(tmp_path / "backups", tmp_path / "tmp")
    made.write(read_post(post), "new")
    with pytest.raises(UsageError, match=made.id):
        list(undo(tmp_path / "backups", run))
    assert post.read_text() == "new"


def test_runs_of_one_second_are_two(tmp_path: Path) -> None:
    """Each has a name of its own, the later one behind the former."""
    post = tmp_path / "a.md"
    post.write_text("0")
    made = [Run(tmp_path / "backups", tmp_path / "tmp") for _ in range(3)]
    for n, run in enumerate(made):
        run.write(read_post(post), f"{n}")
    assert len({run.id for run in made}) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="only POSIX has these modes")
def test_backups_are_private(program: Program, blog: Blog) -> None:
    """Drafts are nobody else's."""
    migrate(program, blog.folder)
    backups = program.home / "data" / "backups"
    for path in (backups, *backups.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0


def test_without_a_backup_nothing_is_written(tmp_path: Path) -> None:
    """A post of which no backup can be kept stays as it is."""
    post = tmp_path / "a.md"
    post.write_text("old")
    (tmp_path / "backups").write_text("a file is in the way")
    with pytest.raises(MachineError):
        Run(tmp_path / "backups", tmp_path / "tmp").write(read_post(post), "new")
    assert post.read_text() == "old"


@given(st.lists(st.tuples(st.text(), st.text(), st.booleans()), max_size=12))
def test_whatever_stood_there_stands_there_again(
    tmp_path_factory: pytest.TempPathFactory, posts: list[tuple[str, str, bool]]
) -> None:
    """Any text with or without a mark, in the order of the run, beyond ten posts too."""
    root = tmp_path_factory.mktemp("undo")
    run = Run(root / "backups", root / "tmp")
    before = {}
    for n, (old, new, has_bom) in enumerate(posts):
        path = root / f"{n}.md"
        path.write_bytes((b"\xef\xbb\xbf" if has_bom else b"") + _utf8(old))
        before[path] = path.read_bytes()
        run.write(read_post(path), _utf8(new).decode())
    undone = list(undo(root / "backups", run.id)) if posts else []
    assert [one.path for one in undone] == list(before)
    assert all(one.problem is None for one in undone)
    assert {path: path.read_bytes() for path in before} == before


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
