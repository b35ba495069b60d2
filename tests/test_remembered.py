"""Posts that imghost knows: what they show is not thrown away."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.posts.remembered import links_in_use, remember
from tests.fakes.blog import Blog, migrate, small_blog
from tests.fakes.program import Program

A, B, C = (f"https://pictures.example/{name}.png" for name in "abc")


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """Where the posts are remembered."""
    return tmp_path / "data" / "posts.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two posts, of one picture each."""
    made = tmp_path / "posts"
    made.mkdir()
    (made / "a.md").write_text(f"![]({A}@800w.webp)")
    (made / "b.md").write_text(f"![]({B})")
    return made


def remembered(known: Path, *inputs: Path, **links: str) -> set[str]:
    """Remember the posts `a` and `b` of the folder with these links; what is in use then."""
    folder = inputs[0] if inputs[0].is_dir() else inputs[0].parent
    found = {folder / f"{name}.md": [link] for name, link in links.items()}
    remember(known, known.parent / "tmp", map(str, inputs), found)
    return links_in_use(known)


def test_links_count_as_they_are_now(known: Path, folder: Path) -> None:
    """A post that was changed since uses what it shows now, with its style."""
    assert remembered(known, folder, a=A, b=B) == {f"{A}@800w.webp", B}
    (folder / "b.md").write_text(f"![]({C})")
    assert links_in_use(known) == {f"{A}@800w.webp", C}


def test_posts_may_be_renamed_and_new_ones_come(known: Path, folder: Path) -> None:
    """Of a folder that was named all posts are known, whatever they are called by now."""
    remembered(known, folder, a=A, b=B)
    (folder / "b.md").rename(folder / "published.md")
    (folder / "new.md").write_text(f"![]({C})")
    assert links_in_use(known) == {f"{A}@800w.webp", B, C}


def test_what_is_gone_counts_as_it_was(known: Path, folder: Path) -> None:
    """A drive that is not there today is no reason to throw away what its posts show."""
    remembered(known, folder, a=A, b=B)
    folder.rename(folder.with_name("elsewhere"))
    assert links_in_use(known) == {A, B}


def test_a_post_that_cannot_be_read_counts_as_it_was(known: Path, folder: Path) -> None:
    """Beside it, the others count as they are."""
    remembered(known, folder, a=A, b=B)
    (folder / "b.md").write_bytes(b"\xff\xfe")
    (folder / "a.md").write_text(f"![]({C})")
    assert links_in_use(known) == {A, B, C}


def test_a_run_that_cannot_read_a_post_knows_what_it_showed(known: Path, folder: Path) -> None:
    """Whatever a later run finds beside it; once the post is read again, it counts as it is."""
    remembered(known, folder, a=A, b=B)
    (folder / "b.md").write_bytes(b"\xff\xfe")
    remember(known, known.parent / "tmp", [str(folder)], {folder / "a.md": [A]}, [folder / "b.md"])
    assert links_in_use(known) >= {A, B}
    (folder / "b.md").write_text(f"![]({C})")
    assert links_in_use(known) == {f"{A}@800w.webp", C}


def test_single_posts_are_known_too(known: Path, folder: Path) -> None:
    """A post that was named itself says nothing of those beside it."""
    assert remembered(known, folder / "a.md", a=A) == {f"{A}@800w.webp"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"/x": 3, "/y": [1, null]}', b"\xff"])
def test_a_damaged_memory_is_an_empty_one(known: Path, folder: Path, content: bytes) -> None:
    """And is made anew by the next run."""
    known.parent.mkdir()
    known.write_bytes(content)
    assert links_in_use(known) == set()
    assert remembered(known, folder, b=B) == {f"{A}@800w.webp", B}


def test_two_runs_at_once_are_both_remembered(known: Path, tmp_path: Path) -> None:
    """Nobody's posts are lost because another run ends at the same moment."""
    with ThreadPoolExecutor(4, thread_name_prefix="run") as pool:
        for done in [
            pool.submit(
                remember, known, known.parent / "tmp", [], {tmp_path / f"{n}.md": [f"{A}?{n}"]}
            )
            for n in range(20)
        ]:
            done.result()
    assert links_in_use(known) == {f"{A}?{n}" for n in range(20)}


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0"), min_size=1), st.lists(st.text())
    )
)
def test_names_and_links_may_be_anything(
    tmp_path_factory: pytest.TempPathFactory, posts: dict[str, list[str]]
) -> None:
    """Whatever characters the system allows in names, what was noted is read again."""
    known = tmp_path_factory.mktemp("known") / "posts.json"
    gone = {known.parent / "gone" / name: links for name, links in posts.items()}
    remember(known, known.parent, [], gone)
    assert links_in_use(known) >= {link for links in posts.values() for link in links}
    assert json.loads(known.read_bytes()).keys() == {str(path) for path in gone}


class TestPrune:
    """`imghost prune` after `imghost migrate`."""

    @pytest.fixture
    def blog(self, tmp_path: Path, program: Program) -> Blog:
        """A blog whose three pictures were moved."""
        made = small_blog(tmp_path / "blog")
        migrate(program, made.folder)
        return made

    def prune(self, program: Program, *words: str) -> int:
        """Delete all originals that may go; how many went."""
        result = program.run("prune", "--older-than", "0s", "--yes", "--json", *words)
        assert result.code == 0, result.err
        return int(result.json["originals"])

    def test_what_posts_use_stays(self, program: Program, blog: Blog) -> None:
        """Only what no known post shows goes."""
        other = blog.picture("other.png", 9)
        program.run("upload", other)
        assert self.prune(program) == 1
        assert len(program.originals) == 3
        text = (blog.folder / "first.md").read_text()
        (blog.folder / "first.md").write_text(text.replace("<img", "<no"))
        assert self.prune(program) == 1

    def test_all_means_all(self, program: Program, blog: Blog) -> None:
        """Whoever says so lets everything go."""
        assert self.prune(program, "--all") == 3

    def test_a_dry_run_is_not_remembered(self, program: Program, blog: Blog) -> None:
        """It has no effect at all."""
        shutil.copytree(blog.folder, blog.folder.with_name("copy"))
        before = (program.home / "data" / "posts.json").read_bytes()
        migrate(program, "--dry-run", blog.folder.with_name("copy"))
        assert (program.home / "data" / "posts.json").read_bytes() == before
