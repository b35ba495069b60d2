"""An S3 store that answers as it is told; who it lets in, it does not check by signatures."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from tests.fakes.web import Quiet, Server, Web

ACCESS_KEY, SECRET_KEY = "AKIAFAKE", "c4n4ry+of/the/fake/store"
BUCKETS = ("pictures", "other")
DOMAIN = "s3.example"
"""Its name where the bucket stands before it; it is reached there as a proxy."""

_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/s3/aws4_request, ")


@dataclass(frozen=True)
class Answer:
    """What is answered: an error document with these elements, or `body` instead of it."""

    status: int = 200
    code: str = ""
    message: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def content(self) -> bytes:
        """The body."""
        if self.body is not None or not self.code:
            return self.body or b""
        told = {"Code": self.code, "Message": self.message, **self.more}
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in told.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def place(self) -> tuple[str, str]:
        """The bucket and the key, whichever way they are written."""
        path = unquote(self.path).removeprefix("/")
        if self.host.endswith(f".{DOMAIN}"):
            return self.host.removesuffix(f".{DOMAIN}"), path
        bucket, _, key = path.partition("/")
        return bucket, key


class FakeS3(Web):
    """The store. `answers` are used up first; then requests are judged by what they hold.

    `asked` tells what arrived but for GETs; `objects` what is stored, as (headers, bytes).
    """

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.asked: list[Asked] = []
        self.objects: dict[tuple[str, str], tuple[Mapping[str, str], bytes]] = {}
        self.lock = threading.Lock()
        super().__init__(_Handler)

    def settings(self, **changed: Any) -> dict[str, Any]:
        """The config's section `hosts.s3` of somebody who may write there."""
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        return {"endpoint": self.url, "bucket": BUCKETS[0], **keys, **changed}

    def answer(self, asked: Asked) -> Answer:
        """What is answered, once that is done."""
        with self.lock:
            if asked.method == "GET":
                return self._get(asked)
            self.asked.append(asked)
            if self.answers:
                return self.answers.popleft()
            return self._refusal(asked) or self._done(asked)

    def _get(self, asked: Asked) -> Answer:
        if asked.place not in self.objects:
            return Answer(404, "NoSuchKey", "The specified key does not exist.")
        headers, data = self.objects[asked.place]
        return Answer(headers=headers, body=data)

    def _refusal(self, asked: Asked) -> Answer | None:
        known = _CREDENTIAL.match(asked.headers.get("authorization", ""))
        if not known:
            return Answer(403, "AccessDenied", "Access Denied")
        if known[1] != ACCESS_KEY:
            return Answer(403, "InvalidAccessKeyId", "We do not know that key.")
        if asked.headers.get("x-amz-content-sha256") != hashlib.sha256(asked.body).hexdigest():
            return Answer(400, "XAmzContentSHA256Mismatch", "The hash is another one.")
        if asked.place[0] not in BUCKETS:
            return Answer(404, "NoSuchBucket", "The specified bucket does not exist")
        return None

    def _done(self, asked: Asked) -> Answer:
        tagged = Answer(headers={"ETag": f'"{hashlib.sha256(asked.body).hexdigest()}"'})
        if asked.method == "HEAD":
            return tagged if asked.place in self.objects else Answer(404)
        if asked.method == "DELETE":
            self.objects.pop(asked.place, None)
            return Answer(204)
        kept = ("content-type", "cache-control")
        headers = {name: asked.headers[name] for name in kept if name in asked.headers}
        self.objects[asked.place] = (headers, asked.body)
        return tagged


class _Handler(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server[FakeS3]

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        path = urlsplit(self.path).path
        asked = Asked(self.command, headers.get("host", ""), path, headers, body)
        answer = self.server.fake.answer(asked)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if asked.method != "HEAD":
            self.wfile.write(answer.content)
