"""Posts read for the pictures that they use, each with the place where it is to go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from imghost.errors import SourceError
from imghost.models import Message
from imghost.posts.blog import Blogs
from imghost.posts.placing import placed
from imghost.posts.post import Post, read_post
from imghost.posts.references import Left, Reference
from imghost.posts.scan import scan
from imghost.server.asked import UploadOptions
from imghost.values import dataclass


@dataclass(frozen=True, slots=True)
class Use:
    """A picture as one post uses it.

    `source` is its file, its URL, or why it is neither. `options`: where it is to go and how its
    link is written, as the user and then the post's blog say; "" is what the config says.
    """

    post: Path
    reference: Reference
    source: Path | str | Message
    options: UploadOptions


@dataclass(frozen=True, slots=True)
class Read:
    """A post and its pictures; or why it could not be read."""

    path: Path
    post: Post | None = None
    uses: tuple[Use, ...] = ()
    left: tuple[Left, ...] = ()
    problem: Message | None = None

    @property
    def links(self) -> list[str]:
        """The URLs of its pictures."""
        return [use.source for use in self.uses if isinstance(use.source, str)]

    @property
    def files(self) -> list[Path]:
        """The files of its pictures."""
        return [use.source for use in self.uses if isinstance(use.source, Path)]


def read_posts(paths: Iterable[Path], options: UploadOptions) -> Iterator[Read]:
    """The posts one by one. Raises ConfigError for what is wrong in a blog's `.imghost.json`."""
    blogs = Blogs()
    for path in paths:
        try:
            yield _read(path, blogs, options)
        except SourceError as exc:
            yield Read(path, problem=exc.message)


def _read(path: Path, blogs: Blogs, options: UploadOptions) -> Read:
    blog = blogs.of(path)
    post = read_post(path)
    scanned = scan(post.text, blog.front_matter_keys)
    asked = placed(options, blog.settings)
    uses = (Use(path, one, blog.resolve(one, post), asked) for one in scanned.references)
    return Read(path, post, tuple(uses), scanned.left)
