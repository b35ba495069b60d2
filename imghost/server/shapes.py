"""The routes of the editors' door and the shapes of its answers, which are PicGo's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from imghost.models import EXTENSIONS, MIME_TYPES, Record
from imghost.server.asked import Json

HEARTBEAT, UPLOAD, DELETE = "/heartbeat", "/upload", "/delete"
METHODS = {HEARTBEAT: ("GET", "POST"), UPLOAD: ("POST",), DELETE: ("POST",)}
DOOR = frozenset(METHODS)
FROM_ELSEWHERE = frozenset({HEARTBEAT, UPLOAD})

ALIVE: Json = {"success": True, "result": "alive"}


def refused(message: str) -> Json:
    """What is told of a request that is wrong, or not allowed."""
    return {"success": False, "result": [], "items": [], "message": message}


def uploaded(links: Sequence[str], items: Sequence[Json], said: str, *, success: bool) -> Json:
    """What came of an upload: a link for each input, "" where there is none, and what is wrong."""
    told: dict[str, object] = {
        "success": success,
        "result": links,
        "items": items,
        "fullResult": [{key: item[key] for key in ("imgUrl", "id", "fileName")} for item in items],
    }
    return told | ({"message": said} if said else {})


def item_of(origin: str, link: str, record: Record) -> Json:
    """What is told of one uploaded image; `origin` is what was given in."""
    known = record.format in EXTENSIONS
    return {
        "id": record.id,
        "origin": origin,
        "imgUrl": link,
        "fileName": record.name,
        "type": record.host,
        "contentType": MIME_TYPES.get(record.format, ""),
        "size": record.size_bytes,
        "width": record.width_px,
        "height": record.height_px,
        "extname": f".{EXTENSIONS[record.format]}" if known else PurePath(record.name).suffix,
    }


def known_item(link: str, record_id: int | None) -> Json:
    """What is told of a link that was ours already."""
    return {
        "id": record_id,
        "origin": link,
        "imgUrl": link,
        "fileName": link.rsplit("/", 1)[-1],
    }
