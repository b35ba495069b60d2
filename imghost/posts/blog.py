"""The blog that a post belongs to: its generator, its settings, and where its pictures are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from imghost.disk import is_file, is_there
from imghost.errors import ConfigError
from imghost.links import styled
from imghost.models import Message
from imghost.posts.generators import (
    Generator,
    base_of,
    generators_at,
    own_folders,
    picture_folders,
)
from imghost.posts.pictures import path_of
from imghost.posts.placing import SETTINGS
from imghost.posts.post import Post
from imghost.posts.references import Form, Reference
from imghost.posts.resolving import readings, same_names, typora_root, web_target, without_template
from imghost.posts.scan import FRONT_MATTER_KEYS
from imghost.posts.vault import Vault
from imghost.setting import in_file, read, read_file, setting
from imghost.values import dataclass


def read_text(value: object, key: str) -> str:
    """A text that is not empty. Raises ConfigError."""
    if not isinstance(value, str) or not value:
        raise ConfigError("{key} must be a text in quotes, and not an empty one", key=key)
    return value


def read_key(value: object, key: str) -> str:
    """A key of a front matter, a dot after each table that leads to it. Raises ConfigError."""
    text = read_text(value, key)
    if not all(part.strip() for part in text.split(".")):
        raise ConfigError("{key} must be a name, or names with a dot between them", key=key)
    return text


@dataclass(frozen=True, slots=True)
class BlogSettings:
    """`.imghost.json` in a blog's root: what holds for all below it.

    `roots`: more folders, from there, in which paths of pictures begin. `front_matter`: more keys
    that name pictures. `host`, `bucket`, `style`: "" is what the config says.
    """

    roots: tuple[str, ...] = setting((), item=read_text)
    front_matter: tuple[str, ...] = setting((), item=read_key)
    host: str = setting("")
    bucket: str = setting("")
    style: str = setting("", check=partial(styled, ""))


def blog_settings(path: Path) -> BlogSettings:
    """The settings of the nearest `.imghost.json` around a path. Raises ConfigError."""
    return _settings_in(next(_settings_files(path.absolute().parents), None))


@dataclass(frozen=True, slots=True)
class Blog:
    """Where paths in posts begin: at `root` as its generator does, and at the settings' `roots`.

    `vault`: where Obsidian's embedded files are; `is_vault`: other pictures may be so, too. `base`:
    the path below which the site is, / at the top.
    """

    root: Path
    generator: Generator
    settings: BlogSettings
    roots: tuple[Path, ...]
    vault: Vault
    is_vault: bool
    base: str

    @property
    def front_matter_keys(self) -> frozenset[str]:
        """For `scan`: the usual keys and the blog's own."""
        return FRONT_MATTER_KEYS.union(self.settings.front_matter)

    def resolve(self, reference: Reference, post: Post) -> Path | str | Message:
        """The file that a picture of a post is, or its URL (http or https), or why neither."""
        target = without_template(reference.target)
        if found := web_target(target):
            return found
        written = without_template(post.text[reference.start : reference.end])
        is_embed = reference.form is Form.OBSIDIAN
        names = (target,) if is_embed else tuple(readings(target, written))
        return (
            (self._in_vault(names, post) if is_embed else None)
            or self._in_folders(names, post)
            or (self._in_vault(names, post) if self.is_vault else None)
            or _missing(target)
        )

    def _in_vault(self, names: Iterable[str], post: Post) -> Path | None:
        found = (self.vault.find(path_of(name), post.path.parent) for name in names)
        return next(filter(None, found), None)

    def _in_folders(self, names: Iterable[str], post: Post) -> Path | None:
        spelled = chain.from_iterable(map(same_names, names))
        for name in chain.from_iterable(map(self._in_site, spelled)):
            for folder in self._folders(post, absolute=name.startswith("/")):
                path = os.path.normpath(folder / name.lstrip("/\\"))
                if is_file(path):
                    return Path(path)
        return None

    def _in_site(self, name: str) -> Iterator[str]:
        """A path, and what it is in the site if that is below another one."""
        yield name
        if self.base != "/" and name.startswith(self.base):
            yield name[len(self.base) - 1 :]

    def _folders(self, post: Post, *, absolute: bool) -> Iterator[Path]:
        folder = post.path.absolute().parent
        if absolute and (root := typora_root(post.text, folder)):
            yield root
        if not absolute:
            yield from own_folders(self.generator, post.path.absolute())
        yield from self.roots
        yield from picture_folders(self.generator, self.root, absolute=absolute)
        if absolute:
            yield Path(folder.anchor)


class Blogs:
    """The blogs of many posts, each folder looked at once."""

    def __init__(self) -> None:
        self._blogs: dict[Path, Blog] = {}
        self._generators: dict[Path, tuple[Generator, ...]] = {}
        self._vaults: dict[Path, Vault] = {}

    def of(self, path: Path) -> Blog:
        """The blog around a post.

        Raises ConfigError for a bad `.imghost.json`, which names the file and the nearest key.
        """
        folder = path.absolute().parent
        if folder not in self._blogs:
            self._blogs[folder] = self._around((folder, *folder.parents))
        return self._blogs[folder]

    def _around(self, folders: Sequence[Path]) -> Blog:
        found = [(root, one) for root in folders for one in self._generators_at(root)]
        sites = [(root, one) for root, one in found if one is not Generator.OBSIDIAN]
        vaults = [root for root, one in found if one is Generator.OBSIDIAN]
        none = Generator.OBSIDIAN if vaults else Generator.NONE
        root, generator = next(iter(sites), (next(iter(vaults), _top(folders)), none))
        vault = next(iter(vaults), root)
        settings_file = next(_settings_files(folders), None)
        settings = _settings_in(settings_file)
        return Blog(
            root,
            generator,
            settings,
            tuple(settings_file.parent / name for name in settings.roots) if settings_file else (),
            self._vaults.setdefault(vault, Vault(vault)),
            bool(vaults),
            base_of(generator, root),
        )

    def _generators_at(self, folder: Path) -> tuple[Generator, ...]:
        if folder not in self._generators:
            self._generators[folder] = tuple(generators_at(folder))
        return self._generators[folder]


def _top(folders: Sequence[Path]) -> Path:
    """The root of a folder of posts for which there is no generator."""
    marks = (SETTINGS, ".git")
    roots = (folder for folder in folders if any(is_there(folder / mark) for mark in marks))
    return next(roots, folders[0])


def _settings_files(folders: Iterable[Path]) -> Iterator[Path]:
    paths = (folder / SETTINGS for folder in folders)
    return (path for path in paths if is_file(path))


def _settings_in(path: Path | None) -> BlogSettings:
    if path is None:
        return BlogSettings()
    content = read_file(path)
    try:
        return read(BlogSettings, content, "", {})
    except ConfigError as exc:
        raise in_file(path, exc) from exc


def _missing(target: str) -> Message:
    return Message(
        "there is no file {path}; check its name, or name the folder in which it begins among the "
        "roots of {settings}",
        {"path": target, "settings": SETTINGS},
    )
