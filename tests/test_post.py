"""Posts as files: found, read as they are, and never written over somebody's change."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imghost.errors import MachineError, SourceError
from imghost.posts.post import Post, find_posts, read_post, write_post


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "blog"
    folder.mkdir()
    return folder


def made(folder: Path, *names: str) -> None:
    """Files with these names, and the folders around them."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def found(folder: Path, *inputs: str) -> list[str]:
    """The posts below the folder, as they are found."""
    paths = find_posts([str(folder / given) for given in inputs])
    return [path.relative_to(folder).as_posix() for path in paths]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8")), st.booleans())
def test_a_post_is_read_and_written_as_it_is(folder: Path, text: str, has_bom: bool) -> None:
    """Line ends of every kind, a byte order mark and all characters come back as they were."""
    path = folder / "post.md"
    data = (b"\xef\xbb\xbf" if has_bom else b"") + text.encode()
    path.write_bytes(data)
    post = read_post(path)
    assert post.data == data
    write_post(post, post.text + "\r\n图")
    assert path.read_bytes() == data + "\r\n图".encode()
    assert [file.name for file in folder.iterdir()] == ["post.md"]


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664])
def test_the_mode_stays(folder: Path, mode: int) -> None:
    """Whoever could read a post can read it afterwards, and nobody else."""
    path = folder / "post.md"
    path.write_text("a")
    path.chmod(mode)
    write_post(read_post(path), "b")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_link_to_a_post_stays_one(folder: Path) -> None:
    """The file that a symbolic link leads to is changed, and the link is not."""
    made(folder, "real/post.md", "blog/x")
    link = folder / "blog" / "post.md"
    link.symlink_to("../real/post.md")
    write_post(read_post(link), "new")
    assert link.is_symlink()
    assert (folder / "real" / "post.md").read_text() == "new"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a\nb\xff", "is not UTF-8 text in line 2"),
        ("中文".encode("gbk"), "is not UTF-8 text in line 1"),
        ("图".encode("utf-16"), "is not UTF-8 text in line 1"),
    ],
)
def test_other_encodings_are_refused(folder: Path, data: bytes, words: str) -> None:
    """What is no UTF-8 is named with the line, and left alone."""
    path = folder / "post.md"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=words) as caught:
        read_post(path)
    assert str(path) in str(caught.value)


def test_what_cannot_be_read_is_named(folder: Path) -> None:
    """A missing file, a folder and a pipe are errors that say which."""
    os.mkfifo(folder / "pipe")
    for path in (folder / "no.md", folder, folder / "pipe"):
        with pytest.raises(SourceError) as caught:
            read_post(path)
        assert str(path) in str(caught.value)


def test_what_is_far_too_large_is_not_read(folder: Path) -> None:
    """A file of gigabytes costs no memory, and is named."""
    with (folder / "huge.md").open("wb") as file:
        file.truncate(20 << 30)
    with pytest.raises(SourceError, match="too large for a post"):
        read_post(folder / "huge.md")


@pytest.mark.parametrize("change", ["edited", "gone"])
def test_a_post_that_changed_meanwhile_is_left(folder: Path, change: str) -> None:
    """What somebody saved after it was read stays, and no file of ours is left beside it."""
    path = folder / "post.md"
    path.write_text("read")
    post = read_post(path)
    path.write_text("saved") if change == "edited" else path.unlink()
    with pytest.raises(SourceError, match="was changed meanwhile"):
        write_post(post, "rewritten")
    assert [file.read_text() for file in folder.iterdir()] == ["saved"] * (change == "edited")


def test_a_change_while_it_is_written_is_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post that is saved when the new text is already on the disk keeps what was saved."""
    path = folder / "post.md"
    path.write_text("read")
    synced = os.fsync

    def sync_and_save(handle: int) -> None:
        synced(handle)
        path.write_text("saved")

    monkeypatch.setattr(os, "fsync", sync_and_save)
    with pytest.raises(SourceError, match="was changed meanwhile"):
        write_post(read_post(path), "rewritten")
    assert [file.read_text() for file in folder.iterdir()] == ["saved"]


def test_a_read_only_post_is_left(folder: Path) -> None:
    """A file that its owner may not write is not written, not even by root."""
    path = folder / "post.md"
    path.write_text("a")
    path.chmod(0o444)
    with pytest.raises(SourceError, match="is read-only"):
        write_post(read_post(path), "b")
    assert path.read_text() == "a"


def test_a_full_disk_leaves_the_post(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the new text does not fit, the old one is whole and nothing is left beside it."""
    path = folder / "post.md"
    path.write_text("a")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="the disk is full"):
        write_post(read_post(path), "b")
    assert [file.read_text() for file in folder.iterdir()] == ["a"]


def test_finds_posts_in_folders(folder: Path) -> None:
    """Markdown by its endings, in order of names, but nothing that is hidden."""
    made(folder, "b.md", "a/z.MARKDOWN", "a/a.mdx", "c.txt", ".git/d.md", ".e.md")
    made(folder, "node_modules/f.md", "public/g.md")
    assert found(folder, "") == ["b.md", "a/a.mdx", "a/z.MARKDOWN", "public/g.md"]


@pytest.mark.parametrize(
    ("marks", "others"),
    [
        (["hugo.toml"], ["public", "resources", "themes"]),
        (["_config.yml", "source/x"], ["public", "themes", "scaffolds"]),
        (["_config.yml"], ["_site", "vendor"]),
        (["astro.config.mjs"], ["dist"]),
    ],
)
def test_finds_no_posts_in_what_generators_make(
    folder: Path, marks: list[str], others: list[str]
) -> None:
    """Made pages and themes are passed over in a blog's root, and only there."""
    made(folder, *marks, "post.md", *(f"{name}/no.md" for name in others))
    made(folder, *(f"notes/{name}/yes.md" for name in others))
    assert found(folder, "") == ["post.md", *sorted(f"notes/{n}/yes.md" for n in others)]
    assert found(folder, others[0]) == [f"{others[0]}/no.md"]


def test_finds_what_is_named_once_and_in_order(folder: Path) -> None:
    """Files, folders and patterns are taken as they come; a file is a post whatever its name."""
    made(folder, "b.md", "c.txt", "d/e.md", "d/f.png", "g/h/i.md")
    (folder / "link.md").symlink_to("b.md")
    assert found(folder, "c.txt", "b.md", "link.md", "d", "d/e.md") == ["c.txt", "b.md", "d/e.md"]
    assert found(folder, "*") == ["b.md", "d/e.md", "g/h/i.md"]
    assert found(folder, "d/e.md", "d/f.png") == ["d/e.md"]  # as a shell spells d/*
    assert found(folder, "**/*.md") == ["b.md", "d/e.md", "g/h/i.md"]


def test_a_name_with_brackets_is_a_name(folder: Path) -> None:
    """A file is not taken for a pattern if it is there."""
    made(folder, "[2024] a.md", "2.md")
    assert found(folder, "[2024] a.md") == ["[2024] a.md"]


@pytest.mark.parametrize("given", ["no.md", "empty", "*.mdx"])
def test_an_input_without_posts_is_an_error(folder: Path, given: str) -> None:
    """A wrong path is told before anything is done."""
    (folder / "empty").mkdir()
    with pytest.raises(SourceError, match="there is no post"):
        found(folder, given)


def test_a_post_may_be_made_of_nothing(folder: Path) -> None:
    """A post without a byte is one."""
    made(folder, "a.md")
    (folder / "a.md").write_bytes(b"")
    assert read_post(folder / "a.md") == Post(folder / "a.md", "")
