"""Places that may not be looked at: they are told like any other trouble, and cost nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imghost.errors import SourceError
from imghost.posts.generators import Generator, base_of, generators_at
from imghost.posts.post import find_posts, read_post
from tests.fakes.blog import migrate, small_blog
from tests.fakes.program import Program

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders there have no such modes")


@pytest.fixture
def shut(tmp_path: Path, program: Program) -> Iterator[Path]:
    """A blog with a folder that may not be entered, not even by root."""
    if os.geteuid() == 0:
        kept_out = "-dac_override,-dac_read_search"
        program.prefix = ("setpriv", f"--bounding-set={kept_out}", f"--inh-caps={kept_out}")
    folder = tmp_path / "blog" / "shut"
    (folder / "inner").mkdir(parents=True)
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("migrate", "shut/post.md"), 4),
        (("migrate", "shut/inner"), 4),
        (("migrate", "shut/a.png"), 4),
        (("links", "check", "shut/*.md"), 4),
        (("export", "shut/a.tar"), 10),
        (("export", "shut/inner/a.tar"), 10),
        (("--config", "shut/inner/c.json", "config", "init"), 10),
        (("--config", "shut/inner/c.json", "config", "edit"), 10),
        (("--config", "shut/inner/c.json", "config", "check"), 3),
        (("--config", "shut/inner/c.json", "config", "set", "link.format", "html"), 10),
    ],
)
def test_a_command_names_it(
    program: Program, shut: Path, words: tuple[str, ...], code: int
) -> None:
    """It ends with the code of what it could not do, and takes nothing for a bug of its own."""
    result = program.run(*words, cwd=shut.parent)
    assert (result.code, result.out) == (code, ""), result.err
    assert "shut" in result.err
    assert "bug" not in result.err


def test_settings_that_cannot_be_read_are_none(
    program: Program, shut: Path, tmp_path: Path
) -> None:
    """A generator whose config is nobody's to read is known all the same."""
    blog = small_blog(tmp_path / "posts")
    (tmp_path / "config").symlink_to(shut)
    (blog.folder / "hugo.toml").touch(mode=0)
    assert len(migrate(program, blog.folder).lines) == 2


def test_pictures_of_posts_out_of_reach_stay(program: Program, shut: Path) -> None:
    """A folder that cannot be read is named, and what its posts use is not thrown away."""
    shut.chmod(0o700)
    blog = small_blog(shut.parent)
    blog.picture("shut/c.png", 7)
    blog.post("shut/third.md", "![](c.png)")
    migrate(program, blog.folder)
    blog.post("shut/third.md", "![](no.png)")
    shut.chmod(0)
    assert f"{shut} cannot be read" in migrate(program, blog.folder, code=9).err
    assert program.run("prune", "--older-than", "0s", "--yes").code == 0
    assert len(program.originals) == 4


@pytest.mark.parametrize("name", ["a.md", "a.png", "a"])
def test_no_name_is_too_long(tmp_path: Path, name: str) -> None:
    """What no system can open is not there."""
    path = tmp_path / ("a" * 300) / name
    with pytest.raises(SourceError, match="there is no post"):
        find_posts([str(path)])
    with pytest.raises(SourceError, match="cannot be read"):
        read_post(path)
    assert list(generators_at(path)) == []
    assert base_of(Generator.HUGO, path) == "/"
