"""Pictures in tags: HTML's, Hexo's and Jekyll's, and Hugo's shortcodes."""

from __future__ import annotations

import re
from html import unescape

from imghost.models import Message
from imghost.posts.pictures import Pictures, in_one_line, names_image
from imghost.posts.references import Form

_QUOTED = r"\"[^\"]*+\"|'[^']*+'"
_NAME = r"[^\s/>][^\s/>=]*+"
_IN_JSX = r"\{(?!\{[<%])[^<>}\"'=]*+<[a-z]"  # as in icon={<img>} there are tags in braces
_VALUE = rf"\s*+=\s*+(?:{_QUOTED}|(?!{_IN_JSX}|[\"'])[^\s>]*+)"
_TEMPLATE = re.compile(r"\{[%{]")
_HTML = re.compile(
    r"<!--.*?(?:-->|\Z)|<[!?][^>]*+>?"
    r"|<(?P<raw>script|style|textarea)(?=[\s/>]).*?(?:</(?P=raw)|\Z)"
    rf"|(?P<tag></?[a-z][^\s/>]*+(?:[\s/]++|{_NAME}(?:{_VALUE}|(?!\s*+=)))*+>?)"
    rf"|(?P<template>{_TEMPLATE.pattern})",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
_PICTURE_TAG = re.compile(r"<(?P<name>img|source)(?=[\s/])", re.IGNORECASE | re.ASCII)
_ATTRIBUTE = re.compile(
    rf"(?P<name>{_NAME})(?:\s*+=\s*+(?P<value>{_QUOTED}|\{{[^}}]{{0,999}}+\}}|(?![\"'])[^\s>]+?(?=\s|/?>)))?",
    re.ASCII,
)
_LIQUID = re.compile(r"\{%-?[ \t]*+(?P<tag>\w++)[ \t]++(?P<args>(?:(?!\{%|-?%\})[^\n])*+)-?%\}")
_PATHS = frozenset({"asset_link", "asset_path", "link", "post_link", "post_path"})
WORD = re.compile(rf"{_QUOTED}|\S+")
_HUGO = re.compile(
    r"\{\{[<%]\s*+(?P<name>[A-Za-z][\w./-]*+)"
    r"(?P<args>(?:\"(?:[^\"\\{]|\\(?!\{\{[<%]).|\{(?!\{[<%]))*+\""
    r"|`(?:[^`{]|\{(?!\{[<%]))*+`|(?!\{\{[<%]|[>%]\}\})[^\"`])*+)[>%]\}\}"
)
_HUGO_ARGUMENT = re.compile(
    r"(?:(?P<name>[\w-]+)\s*=\s*)?(?P<value>\"(?:[^\"\\]|\\.)*\"|`[^`]*`|'[^']*'|[^\s\"'`>]+)"
    r"|\"[\s\S]*+"  # what does not close
)


def find_in_html(text: str, start: int, pictures: Pictures) -> None:
    """The pictures of a piece of HTML, which stands at `start`."""
    pos = 0
    while found := _HTML.search(text, pos):
        at, pos = found.span()
        if found["template"]:
            pos = find_in_template(text, at, start, pictures)
        elif (tag := found["tag"]) and tag.endswith(">") and _PICTURE_TAG.match(tag):
            find_in_tag(tag, start + at, pictures)
        elif tag:  # what looks like a picture in another tag, or in one without an end, is none
            while inner := _TEMPLATE.search(text, at, found.end()):
                at = find_in_template(text, inner.start(), start, pictures)
            pos = max(at, pos)


def find_in_tag(tag: str, start: int, pictures: Pictures) -> None:
    """The picture of a tag of HTML, which stands at `start`, if it shows one."""
    kind = _PICTURE_TAG.match(tag)
    if not kind:
        return
    is_image = kind["name"].lower() == "img"  # a source's src is a film or a sound
    seen = set()
    for attribute in _ATTRIBUTE.finditer(tag, kind.end()):
        name, value = attribute["name"].lower(), attribute["value"]
        is_first = name not in seen
        seen.add(name)
        if not is_first or not value:
            continue
        at, end = attribute.span("value")
        if name == "srcset":
            pictures.leave(start + at, Message("srcset names several pictures"))
        elif name == "src" and is_image and value.startswith("{") and not value.startswith("{{"):
            pictures.leave(start + at, Message("{text} is code", {"text": in_one_line(value)}))
        elif name == "src" and is_image:
            is_quoted = value[0] in "\"'"
            at, end = at + is_quoted, end - is_quoted
            pictures.add(Form.HTML, start + at, start + end, tag[at:end], unescape)


def find_in_template(text: str, at: int, start: int, pictures: Pictures) -> int:
    """The picture of the template's tag at `text[at]`; where that ends.

    `start`: where the text itself stands.
    """
    if liquid := _LIQUID.match(text, at):
        _find_in_liquid(liquid, start, pictures)
        return liquid.end()
    if hugo := _HUGO.match(text, at):
        _find_in_hugo(hugo, start, pictures)
        return hugo.end()
    return at + 2


def _find_in_liquid(code: re.Match[str], start: int, pictures: Pictures) -> None:
    if code["tag"] in ("asset_img", "img"):
        _find_in_hexo(code, start, pictures)
    elif code["tag"] not in _PATHS:
        _leave_unknown(code, start, pictures)


def _find_in_hexo(tag: re.Match[str], start: int, pictures: Pictures) -> None:
    is_asset = tag["tag"] == "asset_img"
    offset = tag.start("args")
    for word in WORD.finditer(tag["args"]):
        target = word[0].strip("\"'")
        if names_image(target) if is_asset else target.startswith(("/", "http:", "https:")):
            begin = tag.start("tag") if is_asset else offset + word.start()
            pictures.add(Form.HEXO, start + begin, start + offset + word.end(), target)
            return
    what = Message("{text} names no picture", {"text": in_one_line(tag[0])})
    pictures.leave(start + tag.start(), what)


def _leave_unknown(code: re.Match[str], start: int, pictures: Pictures) -> None:
    if any(map(names_image, re.split(r"[\s\"'`=]+", code["args"]))):
        what = Message("{text} is no tag that imghost knows", {"text": in_one_line(code[0])})
        pictures.leave(start + code.start(), what)


def _find_in_hugo(code: re.Match[str], start: int, pictures: Pictures) -> None:
    named = _HUGO_ARGUMENT.finditer(code["args"])
    src = next((one for one in named if one["name"] == "src"), None)
    if code["name"] == "figure" and src:
        quote = src["value"][0]
        is_quoted = quote in "\"`'"
        at, end = src.start("value") + is_quoted, src.end("value") - is_quoted
        offset = start + code.start("args")
        target = code["args"][at:end]
        if quote == '"':
            target = re.sub(r"\\(.)", r"\1", target)
        pictures.add(Form.HUGO, offset + at, offset + end, target)
    else:
        _leave_unknown(code, start, pictures)
