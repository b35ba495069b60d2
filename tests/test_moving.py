"""Moving by a plan: each picture once, each post as soon as it can be, nothing more than asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import ConfigError, MachineError, SourceError
from imghost.models import Message
from imghost.posts.moving import (
    Choice,
    Fail,
    Leave,
    Moved,
    Plan,
    Replace,
    Upload,
    move,
    planned,
)
from imghost.posts.post import Post
from imghost.posts.scan import scan
from imghost.posts.using import Read, Use
from imghost.server.asked import FileInput, UploadOptions, UploadRequest
from imghost.server.wire import Failure, Settled

HERE = UploadOptions("local", "images", "url")
THERE = UploadOptions("bilibili", "album", "url")
WHY = Message("no")


def read(name: str, text: str, options: UploadOptions = HERE) -> Read:
    """A post of this text, whose pictures are files called as it calls them."""
    scanned = scan(text)
    path = Path(name)
    uses = tuple(Use(path, one, Path(one.target), options) for one in scanned.references)
    return Read(path, Post(path, text), uses, scanned.left)


def upload_all(use: Use) -> Choice:
    """Every file is uploaded."""
    assert isinstance(use.source, Path)
    return Upload(FileInput(use.source.as_posix()), use.options)


@dataclass
class World:
    """A host that gives each file a link unless it is told to fail, and a disk of posts."""

    failing: frozenset[str] = frozenset()
    unwritable: frozenset[str] = frozenset()
    requests: list[UploadRequest] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    happened: list[str] = field(default_factory=list)

    def upload(self, request: UploadRequest) -> Iterator[Settled]:
        """One answer for each input, in order."""
        self.requests.append(request)
        for index, file in enumerate(request.inputs):
            assert isinstance(file, FileInput)
            self.happened.append(file.path)
            if file.path in self.failing:
                yield Settled(index, None, failure=Failure.of(SourceError(WHY.template)))
            else:
                yield Settled(index, None, f"https://{request.options.host}/{file.path}")

    def write(self, post: Post, text: str) -> None:
        """Put the post on the disk."""
        if post.path.name in self.unwritable:
            raise MachineError("the disk is full")
        self.happened.append(post.path.name)
        self.written[post.path.name] = text

    def move(self, plan: Plan, progress: Callable[[int], object] = lambda _: None) -> list[Moved]:
        """Make a plan come true."""
        return list(move(plan, self.upload, self.write, progress))

    @property
    def uploaded(self) -> list[str]:
        """The files, in the order in which they came."""
        return [one.path for r in self.requests for one in r.inputs if isinstance(one, FileInput)]


def test_each_picture_is_uploaded_once_however_often_it_is_used() -> None:
    """In one post or several; each place gets the link."""
    posts = [read("a.md", "![](x.png) ![](y.png)\n![](x.png)"), read("b.md", "![](x.png)")]
    world = World()
    first, second = world.move(planned(posts, upload_all))
    assert world.uploaded == ["x.png", "y.png"]
    x, y = "https://local/x.png", "https://local/y.png"
    assert world.written == {"a.md": f"![]({x}) ![]({y})\n![]({x})", "b.md": f"![]({x})"}
    assert [*first.links.values()] == [x, y, x]
    assert [*second.links.values()] == [x]


def test_a_post_is_written_as_soon_as_its_last_picture_is_there() -> None:
    """What comes later cannot undo what is done, and a post of known pictures waits for none."""
    posts = [read("a.md", "![](x.png)"), read("b.md", "![](x.png)"), read("c.md", "![](y.png)")]
    world = World()
    world.move(planned(posts, upload_all))
    assert world.happened == ["x.png", "a.md", "b.md", "y.png", "c.md"]


def test_one_failure_costs_only_its_own_place() -> None:
    """The link that failed stays, those beside it are rewritten, and it is told with its line."""
    posts = [read("a.md", "![](x.png)\n\n![](bad.png)\n"), read("b.md", "![](y.png)")]
    world = World(failing=frozenset({"bad.png"}))
    first, second = world.move(planned(posts, upload_all))
    assert world.written["a.md"] == "![](https://local/x.png)\n\n![](bad.png)\n"
    assert [(told.line, told.what, told.why) for told in first.failed] == [(3, "bad.png", WHY)]
    assert second.links
    assert not second.failed


def test_a_post_that_cannot_be_written_is_as_it_was() -> None:
    """That is told once for the whole post, and the next one is moved."""
    posts = [read("a.md", "![](x.png) ![](y.png)"), read("b.md", "![](x.png)")]
    world = World(unwritable=frozenset({"a.md"}))
    first, second = world.move(planned(posts, upload_all))
    assert not first.links
    assert [(told.line, str(told.why)) for told in first.failed] == [(0, "the disk is full")]
    assert second.links


def test_what_the_selection_says_is_done() -> None:
    """Links that are known are written, what is left or fails stays, each told if there is why."""
    choices: dict[str, Choice] = {
        "known.png": Replace("https://known/x.png"),
        "fine.png": Leave(),
        "left.png": Leave(Message("on purpose")),
        "gone.png": Fail(Message("it is gone")),
    }
    post = read("a.md", "".join(f"![]({name})\n" for name in choices))
    world = World()
    (moved,) = world.move(planned([post], lambda use: choices[use.reference.target]))
    assert world.requests == []
    assert world.written["a.md"].splitlines()[0] == "![](https://known/x.png)"
    assert [(told.line, str(told.why)) for told in moved.left] == [(3, "on purpose")]
    assert [(told.line, str(told.why)) for told in moved.failed] == [(4, "it is gone")]


def test_a_link_that_is_dead_is_no_new_link() -> None:
    """A host that gives the same again has not helped: that is a failure which says what to do."""
    post = read("a.md", "![](https://local/x.png)")
    world = World()

    def same(_: Use) -> Choice:
        return Upload(FileInput("x.png"), HERE, dead="https://local/x.png", instead="--host s3")

    (moved,) = world.move(planned([post], same))
    assert world.written == {}
    (told,) = moved.failed
    assert told.why.fields == {"options": "--host s3"}


def test_a_link_that_stays_the_same_changes_nothing() -> None:
    """A post that has it already is not written."""
    post = read("a.md", "![](https://local/x.png)")
    world = World()
    (moved,) = world.move(planned([post], lambda _: Replace("https://local/x.png")))
    assert (world.written, dict(moved.links)) == ({}, {})


def test_posts_of_two_blogs_go_to_two_places() -> None:
    """One request for each place; a picture that both use goes to both."""
    posts = [read("a.md", "![](x.png)"), read("b.md", "![](x.png) ![](y.png)", THERE)]
    world = World()
    world.move(planned(posts, upload_all))
    assert [(r.options, len(r.inputs)) for r in world.requests] == [(HERE, 1), (THERE, 2)]
    assert world.written["b.md"] == "![](https://bilibili/x.png) ![](https://bilibili/y.png)"


def test_a_post_that_cannot_be_read_is_told() -> None:
    """And is no reason to stop."""
    posts = [Read(Path("a.md"), problem=WHY), read("b.md", "![](x.png)")]
    first, second = World().move(planned(posts, upload_all))
    assert [(told.line, told.why) for told in first.failed] == [(0, WHY)]
    assert second.links


def test_more_pictures_than_a_request_can_hold() -> None:
    """They go in several, and progress counts them all."""
    text = "\n".join(f"![]({n}.png)" for n in range(4500))
    world, counted = World(), list[int]()
    world.move(planned([read("a.md", text)], upload_all), counted.append)
    assert [len(r.inputs) for r in world.requests] == [4000, 500]
    assert counted == [*range(1, 4501)]
    assert world.written["a.md"].count("https://local/") == 4500


def test_whoever_stops_asking_stops_the_uploads() -> None:
    """What was not begun is not; what is written stays."""
    closed: list[bool] = []

    def upload(request: UploadRequest) -> Iterator[Settled]:
        try:
            yield from World().upload(request)
        finally:
            closed.append(True)

    posts = [read("a.md", "![](x.png)"), read("b.md", "![](y.png)")]
    world = World()
    moving = move(planned(posts, upload_all), upload, world.write, lambda _: None)
    next(moving)
    moving.close()
    assert closed == [True]
    assert [*world.written] == ["a.md"]


def test_what_is_wrong_with_all_of_it_is_raised() -> None:
    """A host that is none ends the run, with nothing written."""

    def upload(_: UploadRequest) -> Iterator[Settled]:
        raise ConfigError("unknown host")

    world = World()
    plan = planned([read("a.md", "![](x.png)")], upload_all)
    with pytest.raises(ConfigError):
        list(move(plan, upload, world.write, lambda _: None))
    assert world.written == {}


names = st.sampled_from([f"{n}.png" for n in range(6)])
texts = st.lists(names.map(lambda name: f"word ![]({name})\r\n"), max_size=6).map("".join)


@given(st.lists(texts, max_size=5), st.frozensets(names), st.booleans())
def test_nothing_but_what_went_well_changes(
    contents: list[str], failing: frozenset[str], crlf: bool
) -> None:
    """Whatever fails: each picture is asked for once, and only links of the others are new."""
    contents = contents if crlf else [text.replace("\r\n", "\n") for text in contents]
    posts = [read(f"{n}.md", text) for n, text in enumerate(contents)]
    world = World(failing=failing)
    moved = world.move(planned(posts, upload_all))
    assert len(world.uploaded) == len(set(world.uploaded))
    for post, ended in zip(posts, moved, strict=True):
        assert post.post
        expected = post.post.text
        for use in post.uses:
            name = use.reference.target
            if name not in failing:
                expected = expected.replace(f"({name})", f"(https://local/{name})")
        assert world.written.get(post.path.name, post.post.text) == expected
        assert len(ended.links) + len(ended.failed) == len(post.uses)
