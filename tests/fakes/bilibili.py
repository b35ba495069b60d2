"""Bilibili's upload API and its image servers, as far as they are known; also a program.

`python -m tests.fakes.bilibili --port 8600` serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import re
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from imghost.errors import ImghostError
from imghost.imaging.check import recalled
from imghost.imaging.render import render
from imghost.imaging.style import Style, split_style
from tests.fakes.bilibili_login import POLL, FakeLogin
from tests.fakes.web import Quiet, Server, Web

SESSDATA = "0a1b2c3d%2C1999999999%2C4e5f6*71"
BILI_JCT = "00112233445566778899aabbccddeeff"
BUCKETS = frozenset(
    [
        *("openplatform", "static", "live", "seed", "banner", "mall", "album", "vip", "face"),
        *("svg-next", "archive", "garb", "polaris_web_conf"),
    ]
)
MAX_BYTES = 20 << 20
_LOOKS = 6
_PATIENCE_S = 30.0

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_BANNED = "<!DOCTYPE html><html><body>错误号: 412 由于触发哔哩哔哩安全风控策略</body></html>"


@dataclass(frozen=True)
class Answer:
    """What the next upload is answered, whatever it sends.

    `body` instead of the API's JSON. `cookies` are Set-Cookie lines. `cut`: "body", "answer" or
    "reply": reset in the request's body, before the answer, or in the middle of it. `after` is
    waited for.
    """

    code: int = 0
    message: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cookies: tuple[str, ...] = ()
    cut: str = ""
    after: threading.Event | None = None


DOWN = Answer(status=503, headers={"Retry-After": "600"})  # else a retry may come at once


@dataclass(frozen=True)
class Part:
    """One part of a multipart body."""

    file_name: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Upload:
    """An upload as it arrived."""

    headers: Mapping[str, str]
    parts: Mapping[str, Part]
    at: float

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies exactly as they were sent."""
        pairs = (c.partition("=") for c in self.headers.get("cookie", "").split("; "))
        return {name: value for name, _, value in pairs}

    def text(self, name: str) -> str:
        """A field of the form; empty if there is none."""
        return self.parts[name].data.decode() if name in self.parts else ""


class FakeBilibili(Web):
    """The server. `answers` are used up first; then uploads are judged by what they hold.

    `login` gives other cookies, which then are the only ones that count. `uploads` and `fetches`
    (path, Referer) tell what was asked; `images` what is stored, by path. While it is `down` its
    image server ends connections without an answer; it has no good one for the paths in `broken`,
    and drops each image after `lives_s`, by the `passed_s` that tests count.
    """

    def __init__(
        self, port: int = 0, *, sessdata: str = SESSDATA, bili_jct: str = BILI_JCT
    ) -> None:
        self.sessdata = sessdata
        self.bili_jct = bili_jct
        self.delay_s = 0.0
        self.down = False
        self.broken: set[str] = set()
        self.lives_s = math.inf
        self.passed_s = 0.0
        self.stored_at: dict[str, float] = {}
        self.answers: deque[Answer] = deque()
        self.login = FakeLogin()
        self.uploads: list[Upload] = []
        self.fetches: list[tuple[str, str]] = []
        self.images: dict[str, tuple[str, bytes]] = {}
        self.lock = threading.Lock()
        super().__init__(_Handler, port)

    def judge(self, upload: Upload, host: str) -> Answer:
        """What Bilibili would say."""
        return self._judge_sender(upload) or _judge_content(upload) or self._store(upload, host)

    def _judge_sender(self, upload: Upload) -> Answer | None:
        agent = upload.headers.get("user-agent", "")
        if "Mozilla" not in agent or re.search("python|curl", agent):
            return Answer(status=412, body=_BANNED.encode(), headers={"Content-Type": "text/html"})
        if "origin" in upload.headers:
            return Answer(-403, "访问权限不足")
        if upload.cookies.get("SESSDATA") != self.sessdata:
            return Answer(-101, "账号未登录")
        if {upload.text("csrf"), upload.cookies.get("bili_jct")} != {self.bili_jct}:
            return Answer(-111, "csrf 校验失败")
        return None

    def _store(self, upload: Upload, host: str) -> Answer:
        file = upload.parts["file"]
        sha1 = hashlib.sha1(file.data).hexdigest()
        path = f"/bfs/{upload.text('bucket')}/{sha1}.{file.file_name.rpartition('.')[2]}"
        with self.lock:
            self.images[path] = (file.content_type, file.data)
            self.stored_at[path] = self.passed_s
        data = {"location": f"http://{host}{path}", "etag": sha1, "object_metas": {}}
        return Answer(body=_api(0, "0", data))


def settings(server: FakeBilibili) -> dict[str, Any]:
    """The sections of a config that sends there, logged in and as fast as can be."""
    login = {"sessdata": SESSDATA, "bili_jct": BILI_JCT}
    host = {"api": server.url, "passport": server.url, "min_gap_s": 0, **login}
    return {"host": "bilibili", "hosts": {"bilibili": host}}


class _Handler(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server[FakeBilibili]

    def do_POST(self) -> None:
        fake = self.server.fake
        with fake.lock:
            answer = fake.answers.popleft() if fake.answers else None
        length = int(self.headers.get("Content-Length", 0))
        if answer and answer.cut == "body":
            self.rfile.read(length // 2)
            self._reset()
            return
        body = self.rfile.read(length)
        if urlsplit(self.path).path != "/x/upload/web/image":
            self._send(Answer(-404, "啥都木有", 404))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        upload = Upload(headers, _parts(headers.get("content-type", ""), body), time.monotonic())
        with fake.lock:
            fake.uploads.append(upload)
        time.sleep(fake.delay_s)
        self._answer(answer or fake.judge(upload, headers.get("host", "")))

    def do_GET(self) -> None:
        fake, referer = self.server.fake, self.headers.get("Referer", "")
        if answer := fake.login.respond(self.path, dict(self.headers), fake):
            self._answer(answer)
            return
        path = urlsplit(self.path).path
        with fake.lock:
            fake.fetches.append((path, referer))
            link, style = split_style(path)
            age_s = fake.passed_s - fake.stored_at.get(link, fake.passed_s)
            stored = fake.images.get(link) if age_s < fake.lives_s else None
        if fake.down:
            self._reset()
        elif path in fake.broken:
            self._send(Answer(status=500, body=b""))
        elif referer and not re.match(r"https?://([^/]*\.)?bilibili\.com(/|$)", referer):
            self._send(Answer(status=403, body=b"403 Forbidden"))
        elif stored is None:
            self._send(Answer(status=404, body=b"<Error><Code>NoSuchKey</Code></Error>"))
        else:
            self._send(_styled(*stored, style))

    def _answer(self, answer: Answer) -> None:
        if answer.after:
            answer.after.wait(_PATIENCE_S)
        if answer.cut == "answer":
            self._reset()
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        body = _api(answer.code, answer.message, None) if answer.body is None else answer.body
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        for line in answer.cookies:
            self.send_header("Set-Cookie", line)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.cut == "reply":
            self.wfile.write(body[: len(body) // 2])
            self._reset()
        else:
            self.wfile.write(body)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.rfile.close()
        self.wfile.close()
        self.connection.close()


def _styled(mime_type: str, data: bytes, style: str) -> Answer:
    """The image as the image server shows it, by what is known of styles."""
    if style:
        try:
            image = render(recalled(data, "original"), Style.parse(style))
        except ImghostError as exc:
            return Answer(status=400, body=str(exc).encode())
        mime_type, data = image.mime_type, image.data
    return Answer(body=data, headers={"Content-Type": mime_type})


def _api(code: int, message: str, data: object) -> bytes:
    content = {"code": code, "message": message, "ttl": 1, "data": data}
    return json.dumps(content, ensure_ascii=False).encode()


def _judge_content(upload: Upload) -> Answer | None:
    file = upload.parts.get("file")
    if upload.text("bucket") not in BUCKETS or file is None or not file.data:
        return Answer(-400, "请求错误")
    if len(file.data) > MAX_BYTES:
        return Answer(-617, "文件过大")
    if _type_of(file.data) != file.content_type:
        return Answer(-400, "不支持的图片格式")
    return None


def _type_of(data: bytes) -> str:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "refused"


def _parts(content_type: str, body: bytes) -> dict[str, Part]:
    """The parts of a multipart/form-data body, by name (RFC 7578)."""
    boundary = re.fullmatch(r"multipart/form-data; boundary=([\w'()+,./:=?-]{1,70})", content_type)
    if not boundary:
        return {}
    parts = {}
    _, *raw, end = (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())
    if end.strip() != b"--":
        return {}
    for part in raw:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = dict(re.findall(r"(?m)^([\w-]+): (.*?)\r?$", head.decode()))
        given = dict(re.findall(r'(\w+)="([^"]*)"', headers.get("Content-Disposition", "")))
        name, file_name = given.get("name", ""), given.get("filename", "")
        parts[name] = Part(file_name, headers.get("Content-Type", ""), data)
    return parts


def _person(login: FakeLogin) -> None:
    """Scan and confirm each code after some looks."""
    looks = login.count(POLL)
    if looks % _LOOKS == _LOOKS - 2:
        login.scan()
    elif looks and looks % _LOOKS == 0:
        login.confirm()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="a fake Bilibili on loopback")
    parser.add_argument("--port", type=int, default=8600)
    parser.add_argument("--delay-s", type=float, default=0.0, help="before each answer")
    options = parser.parse_args()
    fake = FakeBilibili(options.port)
    fake.delay_s = options.delay_s
    fake.login.behave = _person
    sys.stdout.write(f"api {fake.url}  SESSDATA {SESSDATA}  bili_jct {BILI_JCT}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        fake.serve()


if __name__ == "__main__":
    main()
