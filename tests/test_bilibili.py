"""Bilibili: what is sent, and what every answer means."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import ConfigError, HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.hosts.base import Outside
from imghost.hosts.bilibili import BilibiliConfig, BilibiliHost
from imghost.hosts.bilibili_replies import Uploaded, read_upload
from imghost.imaging.check import Caps, check
from imghost.models import Image
from imghost.secret import Secret
from imghost.setting import read
from imghost.transport import Http
from imghost.transport.web import Reply, Request
from tests.fakes.bilibili import BILI_JCT, SESSDATA, Answer, FakeBilibili
from tests.fakes.canaries import leaked, shown
from tests.fakes.pictures import animation, jpeg, png

SECRETS = (SESSDATA, BILI_JCT)
LINK = "i0.hdslb.com/bfs/live/0123456789abcdef0123456789abcdef01234567.png"
RANDOM_REPLIES = 10_000


@pytest.fixture
def fake() -> Iterator[FakeBilibili]:
    """A fake Bilibili."""
    with FakeBilibili() as fake:
        yield fake


@pytest.fixture
def host(fake: FakeBilibili, tmp_path: Path) -> BilibiliHost:
    """The host, logged in at the fake."""
    return host_at(fake.url, tmp_path)


def host_at(
    api: str,
    folder: Path,
    sessdata: str = SESSDATA,
    bili_jct: str = BILI_JCT,
    timeout_s: float = 5.0,
) -> BilibiliHost:
    """The host with these cookies."""
    config = BilibiliConfig(sessdata=Secret(sessdata), bili_jct=Secret(bili_jct), api=api)
    return BilibiliHost(config, Outside(Http(timeout_s=timeout_s), "", folder, folder))


def picture(data: bytes | None = None, name: str = "my secret plan.png") -> Image:
    """A checked image."""
    return check(data or png(), name, Caps())


class TestUpload:
    """What is sent, and what is made of the answer."""

    def test_what_arrives(self, fake: FakeBilibili, host: BilibiliHost) -> None:
        """The form holds bucket, csrf and the bytes, named by their hash, with their true type."""
        image = picture(jpeg(), "photo.png")
        host.upload(image, "album")
        (upload,) = fake.uploads
        file = upload.parts["file"]
        assert (upload.text("bucket"), upload.text("csrf")) == ("album", BILI_JCT)
        assert upload.cookies == {"SESSDATA": SESSDATA, "bili_jct": BILI_JCT}
        assert file.data == image.data
        assert (file.file_name, file.content_type) == (f"{image.sha1}.jpg", "image/jpeg")
        assert "secret plan" not in str(upload)

    def test_what_comes_back(self, fake: FakeBilibili, host: BilibiliHost) -> None:
        """The link shows the very bytes to whoever names no page."""
        image = picture()
        stored = host.upload(image, "live")
        assert stored.url == f"{fake.url}/bfs/live/{image.sha1}.png"
        assert (stored.host, stored.bucket, stored.key) == ("bilibili", "live", f"{image.sha1}.png")
        assert stored.size_bytes == len(image.data)
        assert fake.images[f"/bfs/live/{image.sha1}.png"] == ("image/png", image.data)

    @pytest.mark.parametrize("prefix", ["http://", "https://", "//", "", "HTTP://"])
    @pytest.mark.parametrize("key", ["location", "image_url", "url"])
    def test_link_takes_the_scheme_of_the_api(self, prefix: str, key: str) -> None:
        """Whatever scheme the answer gives, or none, what remains is the address alone."""
        body = json.dumps({"code": 0, "data": {key: prefix + LINK, "etag": "e"}}).encode()
        assert read_upload(Reply(200, {}, body)) == Uploaded(LINK, "e")

    def test_newest_key_wins(self) -> None:
        """An answer with several links means the one of the newest endpoint."""
        data = {"url": "http://a.example/old", "image_url": "http://b.example/", "location": LINK}
        body = json.dumps({"code": 0, "data": data}).encode()
        assert read_upload(Reply(200, {}, body)).address == LINK

    @pytest.mark.parametrize(
        "location",
        [
            *(
                "",
                "javascript:alert(1)",
                "data:image/png,x",
                "ftp://i0.hdslb.com/x",
                "httpss://a/b",
            ),
            *(
                "http://i0.hdslb.com",
                "http://user@a.example/x",
                "http://a.example/x y",
                "/bfs/x.png",
            ),
            *(
                'http://a.example/"onload=',
                "http://a.example/<b>",
                "http://a.example/x\n",
                None,
                7,
                {},
            ),
        ],
    )
    def test_link_that_is_none(self, location: object) -> None:
        """A success without a web link is no success."""
        body = json.dumps({"code": 0, "data": {"location": location}}).encode()
        with pytest.raises(HostRefused, match="gives no link"):
            read_upload(Reply(200, {}, body))

    @pytest.mark.parametrize("data", [None, [], "x", 0, {}])
    def test_success_without_data(self, data: object) -> None:
        """A success with nothing in it is no success."""
        with pytest.raises(HostRefused, match="gives no link"):
            read_upload(Reply(200, {}, json.dumps({"code": 0, "data": data}).encode()))

    def test_other_hash_is_noted(
        self, fake: FakeBilibili, host: BilibiliHost, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A link that is not named by the hash of what was sent is taken, and noted in the log."""
        caplog.set_level(logging.INFO)
        body = json.dumps({"code": 0, "data": {"location": LINK, "etag": "other"}}).encode()
        fake.answers.append(Answer(body=body))
        assert host.upload(picture(), "live").url == f"http://{LINK}"
        assert "0123456789abcdef" in caplog.text

    def test_link_with_a_secret_is_none(self, fake: FakeBilibili, host: BilibiliHost) -> None:
        """A link that holds a cookie, behind whatever escapes, is not handed on."""
        told = "".join(f"\\u{ord(char):04x}" for char in f"http://a.example/{BILI_JCT}.png")
        fake.answers.append(Answer(body=b'{"code": 0, "data": {"location": "%b"}}' % told.encode()))
        with pytest.raises(HostRefused, match="gives no link") as caught:
            host.upload(picture(), "live")
        assert not leaked(shown(caught.value), SECRETS)

    def test_secret_in_the_etag_is_masked(
        self, fake: FakeBilibili, host: BilibiliHost, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An etag that is a cookie behind JSON's escapes is not in the log."""
        caplog.set_level(logging.INFO)
        etag = "".join(f"\\u{ord(char):04X}" for char in SESSDATA)
        body = f'{{"code": 0, "data": {{"location": "{LINK}", "etag": "{etag}"}}}}'
        fake.answers.append(Answer(body=body.encode()))
        host.upload(picture(), "live")
        assert "with the etag '********'" in caplog.text
        assert not leaked(caplog.text, SECRETS)

    @pytest.mark.parametrize("cookies", [("", BILI_JCT), (SESSDATA, "")])
    def test_without_login_nothing_is_sent(
        self, fake: FakeBilibili, tmp_path: Path, cookies: tuple[str, str]
    ) -> None:
        """Without both cookies the user is told how to log in, and nobody is asked."""
        with pytest.raises(LoginExpired, match="imghost login"):
            host_at(fake.url, tmp_path, *cookies).upload(picture(), "live")
        assert not fake.uploads


class TestFake:
    """The fake refuses what Bilibili refuses, so that passing it means something."""

    @pytest.mark.parametrize(
        ("sessdata", "bili_jct", "error"),
        [("wrong", BILI_JCT, "-101"), (SESSDATA, "wrong", "-111")],
    )
    def test_wrong_cookies(
        self, fake: FakeBilibili, tmp_path: Path, sessdata: str, bili_jct: str, error: str
    ) -> None:
        """Wrong cookies ask for the login."""
        with pytest.raises(LoginExpired, match=error):
            host_at(fake.url, tmp_path, sessdata, bili_jct).upload(picture(), "live")

    def test_decoded_cookie_is_another(self, fake: FakeBilibili, tmp_path: Path) -> None:
        """A cookie whose escapes were decoded is not accepted."""
        with pytest.raises(LoginExpired):
            host_at(fake.url, tmp_path, SESSDATA.replace("%2C", ",")).upload(picture(), "live")

    def test_gif_and_unknown_buckets(self, fake: FakeBilibili, host: BilibiliHost) -> None:
        """GIF and unknown buckets are refused, and the limits say so of GIF beforehand."""
        with pytest.raises(HostRefused, match="-400"):
            host.upload(picture(animation()), "live")
        with pytest.raises(HostRefused, match="-400"):
            host.upload(picture(), "nowhere")
        assert host.limits.formats == {"png", "jpeg", "webp"}

    def test_referer(self, fake: FakeBilibili, host: BilibiliHost) -> None:
        """Images are shown without Referer or from Bilibili's pages, and to nobody else."""
        import requests

        url = host.upload(picture(), "live").url

        def status(referer: str) -> int:
            return requests.get(url, headers={"Referer": referer}, timeout=5).status_code

        assert requests.get(url, timeout=5).status_code == 200
        assert status("https://t.bilibili.com/1") == 200
        assert status("https://blog.example/bilibili.com") == 403

    def test_styles(self, fake: FakeBilibili, host: BilibiliHost) -> None:
        """A link with a style shows the image as our own code draws it; a wrong one is refused."""
        from PIL import Image as Pillow

        url = host.upload(picture(png(800, 600)), "live").url
        shown_as = host.http.send(Request("GET", f"{url}@400w.webp"))
        assert shown_as.headers["content-type"] == "image/webp"
        with Pillow.open(BytesIO(shown_as.body)) as drawn:
            assert (drawn.format, drawn.size) == ("WEBP", (400, 300))
        assert host.http.send(Request("GET", f"{url}@9z.webp")).status == 400
        assert host.http.send(Request("GET", f"{fake.url}/bfs/no.png@400w.webp")).status == 404


UNAVAILABLE: dict[str, Any] = {"risk_control": False, "ambiguous": False, "offline": False}
RISKY = UNAVAILABLE | {"risk_control": True}
UNCLEAR = UNAVAILABLE | {"ambiguous": True}

MEANINGS: list[tuple[Answer, type[HostError], dict[str, Any]]] = [
    (Answer(-101, "账号未登录"), LoginExpired, {}),
    (Answer(-111, "csrf 校验失败"), LoginExpired, {}),
    (Answer(-1, "请先登录"), LoginExpired, {}),
    (Answer(65530, "账号未登录"), LoginExpired, {}),
    (Answer(-102, "账号被封停"), HostRefused, {}),
    *((Answer(c, "no"), HostRefused, {}) for c in (-400, -403, -404, -405, -616, -617)),
    (Answer(-412, "请求被拦截"), HostUnavailable, RISKY),
    (Answer(-352, "风控校验失败"), HostUnavailable, RISKY),
    (Answer(status=412, body=b"<html>412</html>"), HostUnavailable, RISKY),
    (Answer(-412, "no", status=412), HostUnavailable, RISKY),
    (
        Answer(-509, "often", headers={"Retry-After": "90"}),
        HostUnavailable,
        UNAVAILABLE | {"retry_after_s": 90},
    ),
    (Answer(-799, "often"), HostUnavailable, UNAVAILABLE),
    (
        Answer(status=429, body=b"", headers={"Retry-After": "60"}),
        HostUnavailable,
        UNAVAILABLE | {"retry_after_s": 60},
    ),
    *((Answer(c, "oh"), HostUnavailable, UNAVAILABLE) for c in (-500, -503, -504, -8888)),
    *(
        (Answer(status=s, body=b"<html>"), HostUnavailable, UNAVAILABLE)
        for s in (500, 502, 599, 408)
    ),
    (Answer(7, "what", status=503), HostUnavailable, UNAVAILABLE),
    (Answer(12345, "what"), HostRefused, {}),
    (Answer(0, "what", status=404), HostRefused, {}),
    (Answer(status=405, body=b"<html>405</html>"), HostRefused, {}),
    (Answer(status=302, body=b"", headers={"Location": "http://127.0.0.1:1/"}), HostRefused, {}),
    (Answer(body=b""), HostUnavailable, UNCLEAR),
    (Answer(body=b"<!DOCTYPE html><title>wifi login</title>"), HostUnavailable, UNCLEAR),
    (Answer(body=b"[" * 200_000), HostUnavailable, UNCLEAR),
    (Answer(body=b"\xff\xfe\x00nonsense"), HostUnavailable, UNCLEAR),
    (Answer(body=b'{"code": "0"}'), HostUnavailable, UNCLEAR),
    (Answer(body=b'{"code": false}'), HostUnavailable, UNCLEAR),
    (Answer(cut="answer"), HostUnavailable, UNCLEAR),
    (Answer(cut="reply"), HostUnavailable, UNCLEAR),
]


def label(value: object) -> str | None:
    """A short name for a case."""
    if not isinstance(value, Answer):
        return ""
    return value.cut or f"{value.status} {value.code} {(value.body or b'')[:9]!r}"


class TestAnswers:
    """Every row of what is known of the answers."""

    @pytest.mark.parametrize(("answer", "error", "told"), MEANINGS, ids=label)
    def test_meaning(
        self,
        fake: FakeBilibili,
        host: BilibiliHost,
        answer: Answer,
        error: type[HostError],
        told: dict[str, Any],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Each answer is one of the three errors, with what it tells; one request was made."""
        fake.answers.append(answer)
        with pytest.raises(error) as caught:
            host.upload(picture(), "live")
        assert type(caught.value) is error
        assert {name: getattr(caught.value, name) for name in told} == told
        assert len(fake.uploads) == 1
        assert not leaked(shown(caught.value) + caplog.text, SECRETS)

    def test_reset_in_the_body_is_not_ambiguous(
        self, fake: FakeBilibili, host: BilibiliHost
    ) -> None:
        """When the connection breaks before all was sent, nothing can be there."""
        fake.answers.append(Answer(cut="body"))
        with pytest.raises(HostUnavailable) as caught:
            host.upload(picture(png(2000, 2000) + bytes(30_000_000)), "live")
        assert not caught.value.ambiguous

    def test_answer_that_comes_too_late(self, fake: FakeBilibili, tmp_path: Path) -> None:
        """When time runs out before the answer, the image may be there all the same."""
        released = threading.Event()
        fake.answers.append(Answer(after=released))
        with pytest.raises(HostUnavailable, match="did not answer") as caught:
            host_at(fake.url, tmp_path, timeout_s=1.0).upload(picture(), "live")
        released.set()
        assert caught.value.ambiguous

    def test_code_and_message_are_shown(self, fake: FakeBilibili, host: BilibiliHost) -> None:
        """What Bilibili said stands in the error."""
        fake.answers.append(Answer(12345, "图片不清楚"))
        with pytest.raises(HostRefused, match="12345 图片不清楚"):
            host.upload(picture(), "live")

    def test_status_is_shown_where_the_code_says_nothing(
        self, fake: FakeBilibili, host: BilibiliHost
    ) -> None:
        """With code 0 in the body of a failure, its HTTP status is named."""
        fake.answers.append(Answer(0, "0", status=429))
        with pytest.raises(HostUnavailable, match=r"too often \(HTTP 429\)"):
            host.upload(picture(), "live")

    def test_answer_is_kept_in_the_log(
        self, fake: FakeBilibili, host: BilibiliHost, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The beginning of an answer that is no success is logged, 2 KiB, with secrets masked."""
        body = f"<html>{BILI_JCT} {SESSDATA} begin {'x' * 5000} end".encode()
        fake.answers.append(Answer(body=body))
        with pytest.raises(HostUnavailable):
            host.upload(picture(), "live")
        assert "begin" in caplog.text
        assert " end" not in caplog.text
        assert not leaked(caplog.text, SECRETS)

    def test_secret_in_the_message_is_masked(self, fake: FakeBilibili, host: BilibiliHost) -> None:
        """A message that repeats a cookie, plain or in UTF-16, is shown without it."""
        fake.answers.append(Answer(-1, f"bad {SESSDATA} and {BILI_JCT}"))
        with pytest.raises(HostRefused, match="bad") as caught:
            host.upload(picture(), "live")
        assert not leaked(shown(caught.value), SECRETS)
        hidden = json.dumps({"code": -1, "message": f"bad {SESSDATA} and {BILI_JCT}"})
        fake.answers.append(Answer(body=hidden.encode("utf-16-le")))
        with pytest.raises(HostRefused, match="bad") as caught:
            host.upload(picture(), "live")
        assert not leaked(shown(caught.value), SECRETS)


SCALARS: list[Any] = [None, True, 0, -101, 1e999, 10**30, "", "\ud800", LINK, "账号未登录", "0"]
NAMES = ["code", "message", "data", "location", "image_url", "url", "etag"]


def random_json(chance: random.Random, depth: int = 3) -> object:
    """JSON that often looks like an answer."""
    kind = chance.randrange(4) if depth else 0
    if kind <= 1:
        return chance.choice(SCALARS)
    if kind == 2:
        return [random_json(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {n: random_json(chance, depth - 1) for n in NAMES if chance.random() < 0.7}


def random_body(chance: random.Random) -> bytes:
    """JSON, a success with anything in it, JSON cut or stained, or mere bytes."""
    content = random_json(chance)
    success = {"code": 0, "data": {n: random_json(chance, 1) for n in NAMES[3:]}}
    body = json.dumps(content).encode()
    return chance.choice(
        [
            body,
            json.dumps(success).encode(),
            body[: chance.randrange(len(body) + 1)],
            body.replace(chance.choice([b'"', b"{", b"0", b":"]), chance.randbytes(2)),
            chance.randbytes(chance.randrange(300)),
        ]
    )


class TestRandomReplies:
    """Nothing that a server can say gets out as anything else."""

    def test_ten_thousand(self) -> None:
        """10,000 random replies are a link or one of the three errors, each fit to be stored."""
        chance = random.Random(1)
        links = 0
        for _ in range(RANDOM_REPLIES):
            status = chance.choice([200, 200, 200, 301, 400, 412, 429, 500])
            reply = Reply(
                status, {"retry-after": chance.choice(["", "5", "x"])}, random_body(chance)
            )
            try:
                links += bool(read_upload(reply).address)
            except (HostUnavailable, HostRefused, LoginExpired) as exc:
                str(exc).encode()
        assert links > 0

    @given(st.binary() | st.text().map(str.encode), st.integers(100, 599))
    def test_any_bytes(self, body: bytes, status: int) -> None:
        """No bytes and no status make the reader fail."""
        with suppress(HostUnavailable, HostRefused, LoginExpired):
            read_upload(Reply(status, {}, body))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_any_json(self, content: object) -> None:
        """No shape of JSON makes the reader fail, in any place of an answer; links are links."""
        shapes = (content, {"code": 0, "data": content}, {"code": content, "message": content})
        for whole in (*shapes, {"code": 0, "data": {"location": content, "image_url": content}}):
            with suppress(HostUnavailable, HostRefused, LoginExpired):
                found = read_upload(Reply(200, {}, json.dumps(whole).encode()))
                assert found.address.startswith(("http://", "https://"))


class TestConfig:
    """The settings."""

    def test_limits_are_configured(self, tmp_path: Path) -> None:
        """Size and pace are the config's."""
        config = BilibiliConfig(max_bytes=5, parallel=1, min_gap_s=2.0)
        outside = Outside(Http(timeout_s=5), "", tmp_path, tmp_path)
        limits = BilibiliHost(config, outside).limits
        assert (limits.max_bytes, limits.parallel, limits.min_gap_s) == (5, 1, 2.0)

    def test_secrets_come_from_the_environment(self) -> None:
        """Cookies in the environment win, and the config never shows them."""
        environ = {"IMGHOST_SESSDATA": SESSDATA, "IMGHOST_BILI_JCT": BILI_JCT}
        config = read(BilibiliConfig, {"sessdata": "old"}, "hosts.bilibili", environ)
        assert (config.sessdata.reveal(), config.bili_jct.reveal()) == SECRETS
        assert not leaked(repr(config), SECRETS)

    @pytest.mark.parametrize(
        ("proxy", "good"),
        [
            *(
                (good, True)
                for good in ("", "direct", "http://me:canary@127.0.0.1:7890", "http://p")
            ),
            *((bad, False) for bad in ("socks5://me:canary@x", "nonsense", "me:canary@p:1")),
            *((bad, False) for bad in ("https://p", "http://", "http://[", "http://p:99999")),
        ],
    )
    def test_proxy_is_checked(self, proxy: str, good: bool) -> None:
        """A proxy that could not be used is a config error, which shows no password."""
        if good:
            assert read(BilibiliConfig, {"proxy": proxy}, "hosts.bilibili", {}).proxy == proxy
        else:
            with pytest.raises(ConfigError, match="http:// address") as caught:
                read(BilibiliConfig, {"proxy": proxy}, "hosts.bilibili", {})
            assert "canary" not in str(caught.value)

    @pytest.mark.parametrize(
        ("api", "good"),
        [
            ("https://api.bilibili.com", True),
            ("http://127.0.0.1:8600", True),
            ("http://localhost:8600/", True),
            *(
                (bad, False)
                for bad in ("http://api.bilibili.com", "ftp://127.0.0.1", "", "api", "https://[")
            ),
        ],
    )
    def test_cookies_go_out_encrypted_only(self, api: str, good: bool) -> None:
        """An address that would carry the cookies in the clear is a config error."""
        for key in ("api", "passport"):
            if good:
                config = read(BilibiliConfig, {key: api}, "hosts.bilibili", {})
                assert getattr(config, key) == api
            else:
                with pytest.raises(ConfigError):
                    read(BilibiliConfig, {key: api}, "hosts.bilibili", {})
