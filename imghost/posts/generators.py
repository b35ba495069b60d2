"""What makes pages of posts, how its folder is known, and where it looks for pictures."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from imghost.disk import is_file, is_there
from imghost.values import dataclass


class Generator(StrEnum):
    """A program that makes pages of posts, or shows them."""

    HUGO = "hugo"
    ASTRO = "astro"
    HEXO = "hexo"
    JEKYLL = "jekyll"
    OBSIDIAN = "obsidian"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class _Habits:
    """`marks`: it is this one if all names of one of these are there.

    `absolute`: the folders in which /a.png is looked for, from the root, and `relative`: those for
    a.png, after the post's own. `no_posts`: folders whose Markdown is not the writer's. `base`: how
    its config, which is one of the marks, names the path below which the site is.
    """

    marks: tuple[tuple[str, ...], ...]
    absolute: tuple[str, ...]
    relative: tuple[str, ...]
    no_posts: frozenset[str] = frozenset()
    base: re.Pattern[str] | None = None


_LARGEST_CONFIG = 1 << 20


def _named(key: str, before: str = "") -> re.Pattern[str]:
    said = rf"^[ \t]*[\"']?{key}[\"']?[ \t]*[:=][ \t]*[\"']?{before}(?P<base>/[^\s\"'#?]+)"
    return re.compile(said, re.MULTILINE | re.IGNORECASE)


_JSON_LIKE = ("toml", "yaml", "yml", "json")
_HABITS: Mapping[Generator, _Habits] = {
    Generator.HUGO: _Habits(
        marks=(
            *((f"hugo.{ending}",) for ending in _JSON_LIKE),
            *((f"config.{ending}", "content") for ending in _JSON_LIKE),
            ("config/_default",),
        ),
        absolute=("static", "assets", "content"),
        relative=("static", "assets"),
        no_posts=frozenset({"public", "resources", "themes"}),
        base=_named("baseURL", r"https?://[^/\s\"']+"),
    ),
    Generator.ASTRO: _Habits(
        marks=tuple((f"astro.config.{ending}",) for ending in ("mjs", "js", "ts", "mts", "cjs")),
        absolute=("public", "."),
        relative=("public", "src", "."),
        no_posts=frozenset({"dist"}),
        base=_named("base"),
    ),
    Generator.HEXO: _Habits(
        marks=(("_config.yml", "source"), ("_config.yaml", "source")),
        absolute=("source",),
        relative=("source",),
        no_posts=frozenset({"public", "themes", "scaffolds"}),
        base=_named("root"),
    ),
    Generator.JEKYLL: _Habits(
        marks=(("_config.yml",), ("_config.yaml",), ("_config.toml",)),
        absolute=(".",),
        relative=(".",),
        no_posts=frozenset({"_site", "vendor"}),
        base=_named("baseurl"),
    ),
    Generator.OBSIDIAN: _Habits(marks=((".obsidian",),), absolute=(".",), relative=(".",)),
    Generator.NONE: _Habits(marks=(), absolute=(".",), relative=(".",)),
}


def generators_at(folder: Path) -> Iterator[Generator]:
    """Those whose root the folder is, the more certain ones first."""
    for generator, habits in _HABITS.items():
        if any(all(is_there(folder / name) for name in names) for names in habits.marks):
            yield generator


def base_of(generator: Generator, root: Path) -> str:
    """The path below which the site is, such as /blog/; / if it is at the top."""
    habits = _HABITS[generator]
    for config in (root / names[0] for names in habits.marks):
        if habits.base and is_file(config):
            said = habits.base.search(_read(config))
            return f"{said['base'].rstrip('/')}/" if said else "/"
    return "/"


def own_folders(generator: Generator, post: Path) -> Iterator[Path]:
    """Where the pictures of one post are: beside it, at Hexo also in a folder with its name."""
    if generator is Generator.HEXO:
        yield post.with_suffix("")
    yield post.parent


def picture_folders(generator: Generator, root: Path, *, absolute: bool) -> Iterator[Path]:
    """Where a path of a picture may begin."""
    habits = _HABITS[generator]
    for name in habits.absolute if absolute else habits.relative:
        yield root / name


def has_no_posts(folder: Path) -> bool:
    """Whether the Markdown in a folder is a tool's or a theme's, not the writer's."""
    if folder.name.startswith(".") or folder.name in ("node_modules", "lost+found"):
        return True
    if not any(folder.name in habits.no_posts for habits in _HABITS.values()):
        return False
    return any(folder.name in _HABITS[one].no_posts for one in generators_at(folder.parent))


def _read(config: Path) -> str:
    """What stands in a generator's config; "" if that cannot be told, or is too much for one."""
    with contextlib.suppress(OSError):
        if config.stat().st_size < _LARGEST_CONFIG:
            return config.read_text("utf-8", "replace")
    return ""
