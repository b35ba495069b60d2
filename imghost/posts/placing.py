"""Where pictures go that lie in a blog, as its `.imghost.json` says; light, for every command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imghost.disk import is_there
from imghost.server.asked import UploadOptions

if TYPE_CHECKING:
    from imghost.posts.blog import BlogSettings

SETTINGS = ".imghost.json"


def placed(options: UploadOptions, settings: BlogSettings) -> UploadOptions:
    """What the user asks for, and where that says nothing, what holds for the blog.

    The blog's bucket is one of its host: it does not go with another.
    """
    is_theirs = options.host in ("", settings.host)
    return replace(
        options,
        host=options.host or settings.host,
        bucket=options.bucket or (settings.bucket if is_theirs else ""),
        style=options.style or settings.style,
    )


def placed_around(options: UploadOptions, path: str) -> UploadOptions:
    """The same for a file, by the settings around it. Raises ConfigError for bad ones."""
    folders = Path(path).parents
    if not any(is_there(folder / SETTINGS) for folder in folders):
        return options
    from imghost.posts.blog import blog_settings

    return placed(options, blog_settings(Path(path)))
