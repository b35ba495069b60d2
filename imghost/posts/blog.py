"""The blog that a post belongs to: its generator, its settings, and where its pictures are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from imghost.models import Message
from imghost.posts.post import Post
from imghost.posts.references import Reference
from imghost.setting import setting


class Generator(StrEnum):
    """What makes pages of the posts."""

    HEXO = "hexo"
    HUGO = "hugo"
    ASTRO = "astro"
    JEKYLL = "jekyll"
    OBSIDIAN = "obsidian"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BlogSettings:
    """`.imghost.json` in a blog's root: what holds for all below it.

    `roots`: more folders, from there, in which paths of pictures begin. `front_matter`: more keys
    that name pictures. `host`, `bucket`, `style`: "" is what the config says.
    """

    roots: tuple[str, ...] = setting(())
    front_matter: tuple[str, ...] = setting(())
    host: str = setting("")
    bucket: str = setting("")
    style: str = setting("")


@dataclass(frozen=True, slots=True)
class Blog:
    """Where paths in posts begin."""

    root: Path
    generator: Generator
    settings: BlogSettings

    @property
    def front_matter_keys(self) -> frozenset[str]:
        """For `scan`: the usual keys and the blog's own."""
        raise NotImplementedError

    def resolve(self, reference: Reference, post: Post) -> Path | str | Message:
        """The file that a picture of a post is, or its URL (http or https), or why neither."""
        raise NotImplementedError


class Blogs:
    """The blogs of many posts, each looked at once."""

    def of(self, path: Path) -> Blog:
        """The blog around a post or any other path.

        Raises ConfigError for a bad `.imghost.json`, which names the file and the nearest key.
        """
        raise NotImplementedError


def blog_settings(path: Path) -> BlogSettings:
    """The settings of the nearest `.imghost.json` around a path. Raises ConfigError."""
    raise NotImplementedError
