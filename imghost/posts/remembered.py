"""The posts that imghost knows, so that what they show is not thrown away."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from imghost.disk import is_folder, write_atomically
from imghost.errors import ImghostError, MachineError, SourceError
from imghost.lock import FileLock
from imghost.posts.post import find_posts
from imghost.posts.using import read_posts
from imghost.server.asked import UploadOptions

_WAIT_S = 10.0

_Known = dict[str, list[str]]


def remember(
    file: Path,
    tmp: Path,
    inputs: Iterable[str],
    links: Mapping[Path, Collection[str]],
    unread: Iterable[Path] = (),
) -> None:
    """Note the links of posts in a file, under the folder that was named, so that new ones count.

    `inputs` are what the user named; `unread` the posts that could not be read, and whose former
    links stay known; `tmp` is a folder for the unfinished file. Raises MachineError.
    """
    named = [Path(given).absolute() for given in inputs]
    folders = [folder for folder in named if is_folder(folder)]

    def place_of(post: Path) -> str:
        return str(next((folder for folder in folders if post.is_relative_to(folder)), post))

    new: dict[str, set[str]] = {}
    for post, found in links.items():
        new.setdefault(place_of(post), set()).update(found)
    partly = new.keys() & set(map(place_of, unread))

    def noted(known: _Known) -> _Known:
        former = {place: known.get(place, ()) for place in partly}
        return known | {
            place: sorted(found.union(former.get(place, ()))) for place, found in new.items()
        }

    _note(file, tmp, noted)


def remember_links(file: Path, tmp: Path, told: bytes) -> None:
    """Note the links that the content of another such file tells of, but none of its places.

    Whoever made it could have named any. Raises SourceError if it is none, MachineError.
    """
    try:
        links = {link for found in _read(told).values() for link in found}
    except ValueError as exc:
        raise SourceError("it cannot be read; it is damaged") from exc
    nowhere = str(file / "imported")  # below a file there is nothing to be read
    if links:
        _note(
            file, tmp, lambda known: known | {nowhere: sorted(links.union(known.get(nowhere, ())))}
        )


def _note(file: Path, tmp: Path, changed: Callable[[_Known], _Known]) -> None:
    with FileLock(file.with_suffix(".lock")) as lock:
        if not lock.acquire(wait_s=_WAIT_S):
            raise MachineError("another imghost keeps {path} busy; try again", path=str(file))
        write_atomically(file, json.dumps(changed(_known(file)), indent=1).encode(), tmp)


def links_in_use(file: Path) -> set[str]:
    """The links in all posts that are known, as they are now; of what is gone, as they were."""
    return {link for place, former in _known(file).items() for link in _links(place, former)}


def _links(place: str, former: list[str]) -> list[str]:
    """The links in a post, or in those of a folder; the former ones too if not all can be read."""
    try:
        posts = list(read_posts(find_posts([place]), UploadOptions()))
    except ImghostError:
        return former
    found = [link for post in posts for link in post.links]
    return found + former if any(post.problem for post in posts) else found


def _known(file: Path) -> _Known:
    try:
        return _read(file.read_bytes())
    except (OSError, ValueError):
        return {}


def _read(data: bytes) -> _Known:
    """Raises ValueError for what is no such file."""
    try:
        known = json.loads(data)
    except RecursionError as exc:
        raise ValueError("too deep") from exc
    if not isinstance(known, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as for any other text that is not ours
    return {
        place: [link for link in links if isinstance(link, str)]
        for place, links in known.items()
        if isinstance(links, list)
    }
