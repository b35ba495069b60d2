"""Moving pictures: each is brought to its host once, and the posts get its new link."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import field
from pathlib import Path

from imghost.errors import MachineError, SomeFailed, SourceError
from imghost.imaging.style import split_style
from imghost.models import Message
from imghost.posts.post import Post
from imghost.posts.references import Reference
from imghost.posts.rewrite import rewrite
from imghost.posts.using import Read, Use
from imghost.server.asked import Input, UploadOptions, UploadRequest
from imghost.server.wire import Failure, Settled
from imghost.values import dataclass

SAME_AGAIN = "its new link is the dead one, and may die again"
"""Why a link stays; where else to try it is the field "options", to be told once."""
_AT_ONCE = 4000  # inputs of one request: as many as it can hold


@dataclass(frozen=True, slots=True)
class Upload:
    """What is given in is uploaded, and its link takes the old one's place.

    `dead`: a link that the new one must not be; `instead`: options to try if it is.
    """

    given: Input
    options: UploadOptions
    dead: str = field(default="", compare=False)
    instead: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Replace:
    """There is a link already."""

    link: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The picture stays where it is; `why` is told, if there is something to tell."""

    why: Message | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """The picture cannot be had."""

    why: Message


Choice = Upload | Replace | Leave | Fail
Select = Callable[[Use], Choice]
"""What becomes of a picture."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something to tell of a place in a post; line 0 is all of it.

    `exit_code`: of a command that was to do nothing else.
    """

    post: Path
    line: int
    what: str
    why: Message
    exit_code: int = SomeFailed.exit_code


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a post: its new links, and what failed or was left."""

    post: Path
    links: Mapping[Reference, str]
    failed: Sequence[Told]
    left: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of the pictures of some posts; a choice for each use."""

    posts: Sequence[tuple[Read, Sequence[Choice]]]

    @property
    def uploads(self) -> list[Upload]:
        """The uploads, each once, in the order in which the posts need them."""
        chosen = (choice for _, choices in self.posts for choice in choices)
        return list(dict.fromkeys(choice for choice in chosen if isinstance(choice, Upload)))

    @property
    def is_idle(self) -> bool:
        """Whether every picture stays where it is, and none had to."""
        chosen = (choice for _, choices in self.posts for choice in choices)
        return all(isinstance(choice, Leave) for choice in chosen)


def planned(posts: Iterable[Read], select: Select) -> Plan:
    """Select what becomes of each picture. Raises as `select` does."""
    return Plan([(read, [*map(select, read.uses)]) for read in posts])


def move(
    plan: Plan,
    upload: Callable[[UploadRequest], Iterator[Settled]],
    write: Callable[[Post, str], object],
    progress: Callable[[int], object],
) -> Generator[Moved, None, None]:
    """Have the uploads made, and write each post as soon as the last of its own has ended.

    `write` puts a new text in the place of a post's; if it raises SourceError or MachineError, the
    post is as it was. `progress` is told how many uploads have ended. Raises as `upload` does.
    """
    links: dict[Upload, str | Failure] = {}
    with closing(_uploaded(plan.uploads, upload)) as uploaded:
        for read, choices in plan.posts:
            for choice in choices:
                while isinstance(choice, Upload) and choice not in links:
                    ended, links[ended] = next(uploaded)
                    progress(len(links))
            became = [_became(choice, links) for choice in choices]
            yield _written(read, became, write)


def _uploaded(
    uploads: Sequence[Upload], upload: Callable[[UploadRequest], Iterator[Settled]]
) -> Generator[tuple[Upload, str | Failure], None, None]:
    for options in dict.fromkeys(one.options for one in uploads):
        alike = [one for one in uploads if one.options == options]
        for start in range(0, len(alike), _AT_ONCE):
            part = alike[start : start + _AT_ONCE]
            request = UploadRequest(tuple(one.given for one in part), options)
            for settled in upload(request):
                yield part[settled.index], _link(settled)


def _link(settled: Settled) -> str | Failure:
    if settled.failure:
        return settled.failure
    return settled.text or _failed(Message("its host gives no link; see imghost history"))


def _failed(why: Message) -> Failure:
    return Failure(SomeFailed.exit_code, why)


def _became(choice: Choice, links: Mapping[Upload, str | Failure]) -> str | Failure | Leave:
    match choice:
        case Upload(dead=dead, instead=instead):
            link = links[choice]
            if dead and isinstance(link, str) and _place(link) == _place(dead):
                return _failed(Message(SAME_AGAIN, {"options": instead}))
            return link
        case Replace(link):
            return link
        case Fail(why):
            return _failed(why)
        case Leave():
            return choice


def _place(link: str) -> str:
    """What a link leads to, whatever its style, by http or https."""
    return split_style(link)[0].partition("://")[2]


def _written(
    read: Read, became: Sequence[str | Failure | Leave], write: Callable[[Post, str], object]
) -> Moved:
    pairs = list(zip(read.uses, became, strict=True))
    links = {u.reference: b for u, b in pairs if isinstance(b, str) and b != u.reference.target}
    failed = [_told(u, b.message, b.exit_code) for u, b in pairs if isinstance(b, Failure)]
    left = [_told(u, b.why) for u, b in pairs if isinstance(b, Leave) and b.why]
    left += [Told(read.path, one.line, "", one.what) for one in read.left]
    if read.problem:
        failed.append(Told(read.path, 0, "", read.problem))
    if read.post and links:
        try:
            write(read.post, rewrite(read.post.text, links))
        except (SourceError, MachineError) as exc:
            return Moved(read.path, {}, [*failed, Told(read.path, 0, "", exc.message)], left)
    return Moved(read.path, links, failed, left)


def _told(use: Use, why: Message, exit_code: int = SomeFailed.exit_code) -> Told:
    return Told(use.post, use.reference.line, use.reference.target, why, exit_code)
