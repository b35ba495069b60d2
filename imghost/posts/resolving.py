"""From what a post says to a file: what its path may mean, and where it may begin."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from imghost.models import Message
from imghost.posts.pictures import path_of

_SITE = re.compile(r"\{\{-?\s*site\.[\w.]++\s*+(?:\|[^{}]*+)?-?\}\}")
_FILTERED = re.compile(r"\{\{-?\s*[\"'](?P<path>[^\"'{}]*)[\"']\s*(?:\|[^{}]*)?-?\}\}")
_TAG = re.compile(
    r"\{%-?\s*+(?:link|asset_path)\s++"
    r"(?:[\"'](?P<quoted>[^\"'%{}]*+)[\"']\s*+-?|(?P<path>[^\"'%{}]*+))%\}"
)
_TYPORA_ROOT = re.compile(r"^typora-root-url:(?P<path>[^\r\n]*+)", re.MULTILINE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_DRIVE = re.compile(r"/[A-Za-z]:[\\/]")


def without_template(target: str) -> str:
    """A target without the tags by which Jekyll and Hexo begin paths at the site's root."""
    if "{" not in target:
        return target
    target = _SITE.sub("", target)
    return _TAG.sub(_path, _FILTERED.sub(r"\g<path>", target)).strip()


def web_target(target: str) -> str | Message | None:
    """The URL that a target is; why it is neither URL nor path; None for a path."""
    if target.lower().startswith(("http://", "https://")):
        return target
    if target.startswith("//"):
        return f"https:{target}"
    if "{{" in target or "{%" in target:
        return Message("{text} is for a template to fill in", {"text": target})
    scheme = _SCHEME.match(target)
    if scheme and scheme[0].lower() != "file:":
        return Message("{url} is neither a file nor a web address", {"url": target})
    return None


def readings(target: str, written: str) -> Iterator[str]:
    """The paths that a target may mean, the most literal first.

    `written`: as it stands in the post, where a backslash may be Windows' and no escape.
    """
    for text in dict.fromkeys((target, written.strip("<>")) if "\\" in written else (target,)):
        path = re.sub(r"^file:(?://(?:localhost)?)?", "", text, flags=re.IGNORECASE)
        path = path[1:] if _DRIVE.match(path) else path
        for name in dict.fromkeys((path, unquote(path), path_of(path), unquote(path_of(path)))):
            for spelled in dict.fromkeys((name, name.replace("\\", "/"))):
                if not spelled.replace("\\", "/").startswith("//"):  # another machine, on Windows
                    yield spelled


def same_names(name: str) -> Iterator[str]:
    """A name as different systems write it: some take accents apart."""
    yield name
    if not name.isascii():
        yield from {unicodedata.normalize(form, name) for form in ("NFC", "NFD")} - {name}


def typora_root(text: str, folder: Path) -> Path | None:
    """The folder in which Typora begins absolute paths, if the front matter says so.

    None on another machine, which Windows would tell who asks.
    """
    path = _typora_root(text)
    return folder / path if path and not path.startswith("//") else None


@lru_cache(maxsize=1)  # each picture of a post asks
def _typora_root(text: str) -> str:
    end = text.find("\n---", 3) if text.startswith("---") else -1
    said = _TYPORA_ROOT.search(text, 0, end) if end >= 0 else None
    return said["path"].strip().strip("\"'").replace("\\", "/") if said else ""


def _path(tag: re.Match[str]) -> str:
    return tag["quoted"] or (tag["path"] or "").removesuffix("-").strip()
