"""S3: what is sent, which keys and links that makes, and what every answer means."""

from __future__ import annotations

import logging
import random
import re
import ssl
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from imghost.account import wants_login
from imghost.app import App
from imghost.config import Config
from imghost.config_file import ConfigFile, change
from imghost.dirs import Dirs
from imghost.errors import ConfigError, HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.forget import forget
from imghost.hosts.base import Outside
from imghost.hosts.s3 import S3Config, S3Host, key_of
from imghost.hosts.s3_replies import Asked, check_deleted, check_uploaded
from imghost.imaging.check import Caps, check
from imghost.links import is_web_address
from imghost.models import Alive, Image, Stored
from imghost.open_hosts import OpenHosts
from imghost.server.asked import BytesInput, UploadOptions, UploadRequest
from imghost.setting import read
from imghost.transport import Http
from imghost.transport.web import Reply
from tests.fakes.canaries import leaked, shown
from tests.fakes.faults import FaultServer, answering, reply
from tests.fakes.pictures import jpeg, png
from tests.fakes.program import Program
from tests.fakes.s3 import ACCESS_KEY, DOMAIN, SECRET_KEY, Answer, FakeS3

RANDOM_REPLIES = 10_000
DEFAULT_KEY = "{year}/{month}/{sha1}.{ext}"
HERE = Asked("store.example", "pictures", is_own=True)


@pytest.fixture
def fake() -> Iterator[FakeS3]:
    """A fake store."""
    with FakeS3() as fake:
        yield fake


@pytest.fixture
def host(fake: FakeS3, tmp_path: Path) -> S3Host:
    """The host, with the right keys."""
    return host_at(fake, tmp_path)


def config_of(**settings: Any) -> S3Config:
    """The settings, as they are read from a file."""
    return read(S3Config, settings, "hosts.s3", {})


def host_at(fake: FakeS3, folder: Path, **changed: Any) -> S3Host:
    """The host at the fake store, with some of its settings changed."""
    config = config_of(**fake.settings(**changed))
    return S3Host(config, Outside(Http(timeout_s=5, proxy=config.proxy), "", folder, folder))


def picture(data: bytes | None = None) -> Image:
    """A checked image."""
    return check(data or png(), "my secret plan.png", Caps())


class TestUpload:
    """What is sent, and what comes of it."""

    def test_what_arrives(self, fake: FakeS3, host: S3Host) -> None:
        """One signed request carries the bytes, their true type, and how long they may be kept."""
        image = picture(jpeg())
        host.upload(image, "pictures")
        (asked,) = fake.asked
        assert (asked.method, asked.body) == ("PUT", image.data)
        assert re.fullmatch(rf"/pictures/\d{{4}}/\d{{2}}/{image.sha1}\.jpg", asked.path)
        assert asked.headers["content-type"] == "image/jpeg"
        assert asked.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asked.headers["x-amz-content-sha256"] == image.sha256
        assert "secret plan" not in str(asked)
        assert not leaked(str(asked), (SECRET_KEY,))

    def test_what_comes_back(self, fake: FakeS3, host: S3Host) -> None:
        """The link is the bucket's own address, and the key says where the picture is."""
        image = picture()
        stored = host.upload(image, "pictures")
        today = datetime.now().astimezone()
        assert stored.key == f"{today:%Y/%m}/{image.sha1}.png"
        assert stored.url == f"{fake.url}/pictures/{stored.key}"
        assert (stored.host, stored.bucket) == ("s3", "pictures")
        assert stored.size_bytes == len(image.data)
        assert fake.objects["pictures", stored.key][1] == image.data

    def test_no_cache_header(self, fake: FakeS3, tmp_path: Path) -> None:
        """Without a cache_control the store's own counts."""
        host_at(fake, tmp_path, cache_control="").upload(picture(), "pictures")
        assert "cache-control" not in fake.asked[0].headers

    def test_public_url(self, fake: FakeS3, tmp_path: Path) -> None:
        """Links of the configured bucket lead to the public address, of others to the store."""
        host = host_at(fake, tmp_path, public_url="https://img.example.org/p/", key="{sha256}")
        sha256 = picture().sha256
        assert host.upload(picture(), "pictures").url == f"https://img.example.org/p/{sha256}"
        assert host.upload(picture(), "other").url == f"{fake.url}/other/{sha256}"

    def test_own_links(self, fake: FakeS3, tmp_path: Path) -> None:
        """Links into the bucket are known, by whichever address, and others are not."""
        host = host_at(fake, tmp_path, public_url="https://img.example.org/")
        own = (host.upload(picture(), "pictures").url, f"{fake.url}/pictures/any.png")
        assert all(map(host.is_own, own))
        foreign = (f"{fake.url}/other/a.png", "https://img.example.org.evil/a.png", "/a.png", "")
        assert not any(map(host.is_own, foreign))
        bare = host_at(fake, tmp_path)
        assert not bare.is_own("https://img.example.org/a.png")
        assert bare.is_own(bare.upload(picture(), "pictures").url)

    def test_advice(self, fake: FakeS3, tmp_path: Path) -> None:
        """Who links straight to the bucket hears that everybody must be able to read it."""
        assert host_at(fake, tmp_path, public_url="https://img.example.org").advice is None
        assert "pictures" in str(host_at(fake, tmp_path).advice)

    @pytest.mark.parametrize("end", ["", "/"])
    def test_path_below_the_endpoint(self, fake: FakeS3, tmp_path: Path, end: str) -> None:
        """An endpoint may be a path, as some providers have it."""
        fake.answers.append(Answer(headers={"ETag": "x"}))
        host = host_at(fake, tmp_path, endpoint=f"{fake.url}/storage/v1/s3{end}", key="{sha1}")
        stored = host.upload(picture(), "pictures")
        assert fake.asked[0].path == f"/storage/v1/s3/pictures/{picture().sha1}"
        assert stored.url == f"{fake.url}{fake.asked[0].path}"

    def test_virtual_addressing(self, fake: FakeS3, tmp_path: Path) -> None:
        """The bucket stands before the endpoint's name, in the request and in the link."""
        host = host_at(
            fake, tmp_path, endpoint=f"http://{DOMAIN}", addressing="virtual", proxy=fake.url
        )
        stored = host.upload(picture(), "other")
        assert fake.asked[0].host == f"other.{DOMAIN}"
        assert stored.url == f"http://other.{DOMAIN}/{stored.key}"
        assert ("other", stored.key) in fake.objects

    def test_delete(self, fake: FakeS3, host: S3Host) -> None:
        """Deleting asks for the very key; what is gone already, or its bucket, is fine."""
        stored = host.upload(picture(), "pictures")
        host.delete(stored)
        assert not fake.objects
        assert fake.asked[-1].method == "DELETE"
        for code in ("NoSuchKey", "NoSuchBucket"):
            fake.answers.append(Answer(404, code))
            host.delete(stored)
        fake.answers.append(Answer(200, "InternalError"))
        with pytest.raises(HostUnavailable, match="InternalError"):
            host.delete(stored)
        fake.answers.append(Answer(403, "AccessDenied"))
        with pytest.raises(LoginExpired, match="AccessDenied"):
            host.delete(stored)

    @pytest.mark.parametrize("key", ["../other/a.png", "a/../../b", "/a", "", "a//b", "a?delete"])
    def test_nothing_else_is_deleted(self, fake: FakeS3, host: S3Host, key: str) -> None:
        """A key that imghost never gave, as a journal from elsewhere may hold, is not asked for."""
        with pytest.raises(HostRefused, match="no key that imghost gives"):
            host.delete(Stored("s3", "pictures", key, "", 1))
        with pytest.raises(HostRefused, match="cannot be a bucket's name"):
            host.delete(Stored("s3", f"pictures/{key}", "a.png", "", 1))
        assert not fake.asked

    @pytest.mark.parametrize(
        ("keys", "words"),
        [
            ({"access_key": ""}, "needs your keys"),
            ({"secret_key": ""}, "needs your keys"),
            ({"secret_key": f"{SECRET_KEY}\n"}, "copy it again"),
            ({"secret_key": "\ud800"}, "copy it again"),
        ],
    )
    def test_without_keys_nothing_is_sent(
        self, fake: FakeS3, tmp_path: Path, keys: dict[str, str], words: str
    ) -> None:
        """Without keys, or with one that is none, the user is told, and nobody is asked."""
        host = host_at(fake, tmp_path, **keys)
        for do in (
            lambda: host.upload(picture(), "pictures"),
            lambda: host.delete(Stored("s3", "pictures", "a.png", "", 1)),
        ):
            with pytest.raises(LoginExpired, match=words):
                do()
        assert not fake.asked

    def test_untrusted_certificate(self, tmp_path: Path) -> None:
        """A store that cannot prove who it is gets nothing."""
        import trustme

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        with FaultServer(answering(reply(b"")), tls=context) as server:
            fake_settings = {"bucket": "b", "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
            config = config_of(endpoint=f"https://{server.address}", **fake_settings)
            host = S3Host(config, Outside(Http(timeout_s=5), "", tmp_path, tmp_path))
            with pytest.raises(HostUnavailable, match="could not prove who it is"):
                host.upload(picture(), "b")
            assert not server.peers[0].received


UNAVAILABLE: dict[str, Any] = {"risk_control": False, "ambiguous": False}
UNCLEAR: dict[str, Any] = UNAVAILABLE | {"ambiguous": True}
DATE = format_datetime(datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC), usegmt=True)
MEANINGS: list[tuple[Answer, type[HostError], str, dict[str, Any]]] = [
    *(
        (Answer(403, code, "sorry"), LoginExpired, rf"accept your key \({code}: sorry\)", {})
        for code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")
    ),
    (Answer(401, "Unauthorized"), LoginExpired, "accept your key", {}),
    (Answer(401), LoginExpired, r"accept your key \(HTTP 401\)", {}),
    (Answer(403, "AccessDenied"), LoginExpired, "into the bucket pictures", {}),
    (Answer(403, body=b"<html>"), LoginExpired, "into the bucket pictures", {}),
    (Answer(403, "UserDisable"), LoginExpired, "into the bucket pictures", {}),
    (
        Answer(403, "SecondLevelDomainForbidden"),
        LoginExpired,
        "set hosts.s3.addressing to virtual",
        {},
    ),
    (
        Answer(301, "PermanentRedirect", headers={"x-amz-bucket-region": "eu-west-1"}),
        LoginExpired,
        "in the region eu-west-1",
        {},
    ),
    (
        Answer(400, "AuthorizationHeaderMalformed", "no", {"Region": "eu-west-1"}),
        LoginExpired,
        "in the region eu-west-1",
        {},
    ),
    (Answer(400, "AuthorizationHeaderMalformed"), LoginExpired, "accept your key", {}),
    (
        Answer(301, "PermanentRedirect", more={"Endpoint": "pictures.s3-eu.example"}),
        LoginExpired,
        "but at s3-eu.example",
        {},
    ),
    (
        Answer(307, headers={"x-amz-bucket-region": "eu-west-1"}),
        LoginExpired,
        "in the region eu-west-1",
        {},
    ),
    (
        Answer(302, headers={"Location": "http://login.example/"}),
        HostUnavailable,
        "to http://login.example/",
        UNAVAILABLE,
    ),
    (
        Answer(403, "RequestTimeTooSkewed", headers={"Date": DATE}),
        HostUnavailable,
        "clock is wrong .* it is .*29 Nov 2026",
        UNAVAILABLE,
    ),
    (
        Answer(503, "SlowDown", headers={"Retry-After": "90"}),
        HostUnavailable,
        "too often",
        UNAVAILABLE | {"retry_after_s": 90},
    ),
    (
        Answer(429, headers={"Retry-After": "60"}),
        HostUnavailable,
        "too often",
        UNAVAILABLE | {"retry_after_s": 60},
    ),
    (
        Answer(503, body=b"<html>", headers={"Retry-After": "30"}),
        HostUnavailable,
        r"in trouble \(HTTP 503\)",
        UNAVAILABLE | {"retry_after_s": 30},
    ),
    *(
        (Answer(status, code), HostUnavailable, "in trouble", UNAVAILABLE)
        for status, code in (
            *((500, "InternalError"), (400, "RequestTimeout"), (409, "OperationAborted")),
            *((408, ""), (502, ""), (599, "What")),
        )
    ),
    *(
        (Answer(400, code), HostUnavailable, "did not reach", UNAVAILABLE)
        for code in ("BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch")
    ),
    *(
        (Answer(status, code), HostUnavailable, "no room left", UNAVAILABLE)
        for status, code in ((403, "QuotaExceeded"), (507, "XMinioStorageFull"), (507, ""))
    ),
    (Answer(404, "NoSuchBucket"), HostRefused, "no bucket pictures at 127", {}),
    (Answer(404, body=b"<html>"), HostRefused, "no bucket pictures at 127", {}),
    (Answer(400, "EntityTooLarge"), HostRefused, "lower hosts.s3.max_bytes", {}),
    (Answer(413, body=b"<html>nginx"), HostRefused, "lower hosts.s3.max_bytes", {}),
    (Answer(405, "MethodNotAllowed"), HostRefused, "refused the picture", {}),
    (Answer(501, "NotImplemented", "no"), HostRefused, "NotImplemented: no", {}),
    (Answer(400, "InvalidArgument"), HostRefused, "InvalidArgument", {}),
    (Answer(200, "InternalError", headers={"ETag": "x"}), HostUnavailable, "trouble", UNAVAILABLE),
    (Answer(200, "Unheard", headers={"ETag": "x"}), HostUnavailable, "Unheard", UNAVAILABLE),
    (Answer(200, "SlowDown", headers={"ETag": "x"}), HostUnavailable, "too often", UNAVAILABLE),
    (Answer(200, "AccessDenied", headers={"ETag": "x"}), LoginExpired, "pictures", {}),
    (Answer(200), HostUnavailable, "none of an S3 store", UNCLEAR),
    (
        Answer(200, body=b"<html>wifi login</html>", headers={"ETag": "x"}),
        HostUnavailable,
        "none of an S3 store",
        UNCLEAR,
    ),
    (
        Answer(200, body=b"<html><h1>Accepted</h1><p>of the hotel</p></html>"),
        HostUnavailable,
        "none of an S3 store",
        UNCLEAR,
    ),
    (Answer(200, body=b"<a>" * 300_000), HostUnavailable, "none of an S3 store", UNCLEAR),
    (Answer(204, headers={"ETag": "x"}), HostUnavailable, "none of an S3 store", UNCLEAR),
]
OVERTAKEN = Answer(
    headers={"x-amz-request-id": "tx1"},
    body=b"<html><h1>Accepted</h1><p>The request is accepted for processing.</p></html>",
)


def label(value: object) -> str:
    """A short name for a case."""
    return f"{value.status} {value.code}" if isinstance(value, Answer) else ""


class TestAnswers:
    """Every answer that is known of S3 stores."""

    @pytest.mark.parametrize(("answer", "error", "words", "told"), MEANINGS, ids=label)
    def test_meaning(
        self,
        fake: FakeS3,
        host: S3Host,
        answer: Answer,
        error: type[HostError],
        words: str,
        told: dict[str, Any],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Each answer is one of the three errors, with words that help; one request was made."""
        caplog.set_level(logging.DEBUG)
        fake.answers.append(answer)
        with pytest.raises(error, match=words) as caught:
            host.upload(picture(), "pictures")
        assert type(caught.value) is error
        assert {name: getattr(caught.value, name) for name in told} == told
        assert len(fake.asked) == 1
        assert not leaked(shown(caught.value) + caplog.text, (SECRET_KEY,))

    def test_somebody_puts_the_same_picture(self, fake: FakeS3, host: S3Host) -> None:
        """Swift answers so if another upload of the same key was faster; the picture is there."""
        stored = host.upload(picture(), "pictures")
        fake.answers.append(OVERTAKEN)
        assert host.upload(picture(), "pictures") == stored

    @pytest.mark.parametrize("more", [(), (Answer(403),), (Answer(200, body=b"<html>wifi"),)])
    def test_somebody_deletes_the_same_picture(
        self, fake: FakeS3, host: S3Host, more: tuple[Answer, ...]
    ) -> None:
        """It answers so as well if a deletion was faster: there is no link, it is tried again."""
        fake.answers += [OVERTAKEN, *more]
        with pytest.raises(HostUnavailable, match="none of an S3 store"):
            host.upload(picture(), "pictures")
        assert host.upload(picture(), "pictures").key.startswith("20")

    def test_another_bucket_that_is_shut(self, fake: FakeS3, host: S3Host) -> None:
        """Where a bucket besides the configured one is shut, that concerns its pictures alone."""
        fake.answers.append(Answer(403, "AccessDenied"))
        with pytest.raises(HostRefused, match="into the bucket other"):
            host.upload(picture(), "other")

    def test_namespaced_document(self, fake: FakeS3, host: S3Host) -> None:
        """Error documents in a namespace, as some stores write them, are read as well."""
        body = (
            b'<Error xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Code>SlowDown</Code></Error>'
        )
        fake.answers.append(Answer(400, body=body))
        with pytest.raises(HostUnavailable, match="too often"):
            host.upload(picture(), "pictures")

    def test_answer_is_kept_in_the_log(
        self, fake: FakeS3, host: S3Host, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What an answer says is logged, else its beginning; never what was signed."""
        for body in (b"begin" + b"x" * 5000 + b"end", None):
            fake.answers.append(
                Answer(403, "SignatureDoesNotMatch", "told", {"StringToSign": "signed"}, body=body)
            )
            with pytest.raises(LoginExpired):
                host.upload(picture(), "pictures")
        assert "begin" in caplog.text
        assert "SignatureDoesNotMatch: told" in caplog.text
        assert "end'" not in caplog.text
        assert "signed" not in caplog.text

    def test_signature_in_the_answer_is_masked(
        self, fake: FakeS3, host: S3Host, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An answer that repeats how we signed is shown without it."""
        host.upload(picture(), "pictures")
        line = ""

        def repeat(asked: Any) -> Answer:
            nonlocal line
            line = asked.headers["authorization"]
            return Answer(400, "InvalidArgument", f"bad: {line}")

        fake.answer = repeat  # type: ignore[method-assign]  # another behaviour of the fake
        with pytest.raises(HostRefused, match="bad: ") as caught:
            host.upload(picture(), "pictures")
        assert line.startswith("AWS4-HMAC-SHA256")
        assert not leaked(shown(caught.value) + caplog.text, (line, line[-64:]))


NAMES = ["Code", "Message", "Region", "Endpoint"]
TEXTS = ["", "SlowDown", "PermanentRedirect", "AccessDenied", "&lt;", "\x00", "图", "<b/>", "&x;"]


def random_body(chance: random.Random) -> bytes:
    """An error document, or one that was cut or stained, or mere bytes."""
    parts = [f"<{n}>{chance.choice(TEXTS)}</{n}>" for n in NAMES if chance.random() < 0.7]
    head = chance.choice(["", '<?xml version="1.0" encoding="UTF-16"?>', "<!DOCTYPE x [", "\ufeff"])
    body = f"{head}<Error>{''.join(parts)}</Error>".encode()
    return chance.choice(
        [
            *(body, body[: chance.randrange(len(body))], b""),
            body.replace(chance.choice([b"<", b">", b"E"]), chance.randbytes(2)),
            chance.randbytes(chance.randrange(300)),
        ]
    )


class TestRandomReplies:
    """Nothing that a server can say gets out as anything else."""

    def test_ten_thousand(self) -> None:
        """10,000 random replies are a success or one of the three errors, each fit to be stored."""
        chance = random.Random(1)
        passed = 0
        for _ in range(RANDOM_REPLIES):
            headers = {"etag": chance.choice(["", "x"]), "location": chance.choice(["", "x"])}
            status = chance.choice([200, 200, 204, 301, 403, 404, 503])
            answered = Reply(status, headers, random_body(chance))
            for judge in (check_uploaded, check_deleted):
                try:
                    judge(answered, HERE)
                    passed += 1
                except (HostUnavailable, HostRefused, LoginExpired) as exc:
                    str(exc).encode()
        assert passed > 0

    @given(st.binary() | st.text().map(str.encode), st.integers(100, 599), st.booleans())
    def test_any_bytes(self, body: bytes, status: int, has_etag: bool) -> None:
        """Only an empty success with a tag is one."""
        answered = Reply(status, {"etag": "x"} if has_etag else {}, body)
        with suppress(HostUnavailable, HostRefused, LoginExpired):
            check_uploaded(answered, HERE)
            assert (status, has_etag, body.strip()) == (200, True, b"")

    def test_entities_unfold_no_further(self) -> None:
        """A document that unfolds itself is read as far as is safe, if at all."""
        entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
        body = f'<!DOCTYPE Error [<!ENTITY e0 "x">{entities}]><Error><Code>&e11;</Code></Error>'
        with pytest.raises(HostUnavailable, match="HTTP 500"):
            check_uploaded(Reply(500, {}, body.encode()), HERE)


class TestKeys:
    """The template of keys."""

    @pytest.mark.parametrize(
        "template",
        [
            DEFAULT_KEY,
            "{sha256}",
            "图片/{year}年/{month}{day}/{sha1}.{ext}",
            "a~b/c-d/e_f.g/{sha1}",
            "...{sha1}",
        ],
    )
    def test_good(self, template: str) -> None:
        """Names with a hash in them make keys."""
        assert config_of(key=template).key == template

    @pytest.mark.parametrize(
        "template",
        [
            *("", "{year}/{month}.{ext}", "picture.png", "{sha1", "sha1}", "{{sha1}}"),
            *("{name}/{sha1}", "{sha1!r}", "{sha1:>9}", "{sha1.__class__}", "{0}{sha1}"),
            *("/{sha1}", "{sha1}/", "a//{sha1}", "./{sha1}", "../{sha1}", "a/../{sha1}"),
            *("a b/{sha1}", "a\\{sha1}", "%2e%2e/{sha1}", "{sha1}?x", "{sha1}#x", "{sha1}@800w"),
            *('"{sha1}', "{sha1})", "<{sha1}>", "{sha1}\n", "\u202e{sha1}", "\ud800{sha1}"),
            *("x" * 1000 + "{sha1}", "图" * 330 + "{sha1}"),
        ],
    )
    def test_bad(self, template: str) -> None:
        """Without a hash, or with what a path or a link would twist, it is a config error."""
        with pytest.raises(ConfigError):
            config_of(key=template)

    @given(
        st.lists(
            st.sampled_from(["{sha1}", "{sha256}", "{ext}", "{day}", "/", ".", "..", "%", "{x}"])
            | st.text(max_size=3)
        ).map("".join)
    )
    def test_what_is_accepted_makes_keys(self, template: str) -> None:
        """Whatever template is accepted, its keys differ by picture and stay what they are."""
        try:
            config = config_of(key=template, endpoint="https://s3.example", bucket="b")
        except ConfigError:
            return
        first, second = (key_of(config.key, picture(png(8, n))) for n in (8, 9))
        assert first != second
        assert len(first.encode()) <= 1024
        assert not {"", ".", ".."} & set(first.split("/"))
        host = S3Host(config, Outside(Http(timeout_s=5), "", Path(), Path()))
        url = host._link("b", first)  # noqa: SLF001 - a link without a store
        assert is_web_address(url)
        assert unquote(urlsplit(url).path) == f"/b/{first}"


class TestConfig:
    """The settings."""

    @pytest.mark.parametrize(
        ("key", "value", "good"),
        [
            *(
                ("endpoint", good, True)
                for good in (
                    *("https://s3.eu-west-1.amazonaws.com", "http://nas.lan:9000/"),
                    *("http://[::1]:9000", "https://x.example/storage/v1/s3", ""),
                )
            ),
            *(
                ("endpoint", bad, False)
                for bad in (
                    *("s3.example", "ftp://s3.example", "https://", "https://me:pw@s3.example"),
                    *("https://s3.example/?x", "https://s3.example/#x", "https://s3 .example"),
                    *("https://s3.example\n", "https://s3.example:99999", "https://s3.example:0"),
                    *("https://[:::1]", "https://.example", "https://图.example", "https://x/a//b"),
                    *("https://x/../b", "https://x/a b", "HTTPS:/x", "https:x"),
                )
            ),
            *(("region", good, True) for good in ("auto", "eu-west-1", "cn_north")),
            *(("region", bad, False) for bad in ("", "eu west", "a/b", "区")),
            *(("addressing", good, True) for good in ("path", "virtual")),
            ("addressing", "auto", False),
            *(("access_key", good, True) for good in ("", "AKIA123", "team:writer")),
            *(("access_key", bad, False) for bad in (" AKIA", "AKIA\n", "密")),
            *(("cache_control", good, True) for good in ("", "no-cache", "public, max-age=60")),
            *(("cache_control", bad, False) for bad in ("a\nb", 'private="x"', "缓存")),
            *(("public_url", good, True) for good in ("", "https://img.example.org/a")),
            *(("public_url", bad, False) for bad in ("img.example.org", "javascript:alert(1)")),
            *(
                ("public_url", bad, False)
                for bad in ("https://x.example/?a", "https://x.example#a")
            ),
            *(("proxy", good, True) for good in ("", "direct", "http://127.0.0.1:7890")),
            ("proxy", "socks5://x", False),
            *(("bucket", bad, False) for bad in ("../x", "a/b", "桶")),
        ],
    )
    def test_each_is_checked(self, key: str, value: str, good: bool) -> None:
        """A setting that could not work is a config error, which names it."""
        if good:
            assert getattr(config_of(**{key: value}), key) == value
        else:
            with pytest.raises(ConfigError):
                config_of(**{key: value})

    @given(st.from_regex(r"\Ahttps?://[A-Za-z0-9._:/~\[\]@-]{0,30}\Z"), st.booleans())
    def test_every_endpoint_that_is_accepted_can_be_asked(self, url: str, is_virtual: bool) -> None:
        """Whatever stands there, what is signed is what is sent."""
        addressing = "virtual" if is_virtual else "path"
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "addressing": addressing}
        try:
            config = config_of(endpoint=url, bucket="b", **keys)
        except ConfigError:
            return
        host = S3Host(config, Outside(Http(timeout_s=5), "", Path(), Path()))
        request = host._signed("DELETE", "b", "k.png", {})  # noqa: SLF001 - it is not sent
        assert requests.Request("DELETE", request.url).prepare().path_url.endswith("/k.png")

    def test_limits_are_configured(self, fake: FakeS3, tmp_path: Path) -> None:
        """Size, pace and styles are the config's; without styles they are drawn before."""
        limits = host_at(fake, tmp_path, max_bytes=5, parallel=1, styles=True).limits
        assert (limits.max_bytes, limits.parallel, limits.styles) == (5, 1, True)
        assert not host_at(fake, tmp_path).limits.styles

    def test_secret_comes_from_the_environment(self) -> None:
        """The secret key in the environment wins, and the config never shows it."""
        environ = {"IMGHOST_S3_SECRET_KEY": SECRET_KEY}
        config = read(S3Config, {"secret_key": "old"}, "hosts.s3", environ)
        assert config.secret_key.reveal() == SECRET_KEY
        assert not leaked(repr(config), (SECRET_KEY,))

    def test_what_is_missing_is_named(self, tmp_path: Path) -> None:
        """The host cannot be chosen before its endpoint and its bucket are set."""
        path = tmp_path / "config.json"
        path.write_text("{}")
        for key, value in (("endpoint", "https://s3.example"), ("bucket", "pictures")):
            with pytest.raises(ConfigError, match=rf"hosts\.s3\.{key} is empty"):
                change(path, "host", "s3", {})
            with pytest.raises(ConfigError, match=rf"hosts\.s3\.{key} is empty"):
                ConfigFile(path, {}).load().target("s3")
            with pytest.raises(ConfigError, match=rf"hosts\.s3\.{key} is empty"):
                change(path, "watch.folders", '[{"path": "/x", "host": "s3"}]', {})
            change(path, f"hosts.s3.{key}", value, {})
        assert change(path, "host", "s3", {}).target().bucket == "pictures"

    def test_incomplete_settings_open_no_host(self, tmp_path: Path) -> None:
        """Pictures that wait for s3 go on waiting while it has lost its settings."""
        with pytest.raises(ConfigError, match=r"hosts\.s3\.endpoint is empty"):
            OpenHosts(Config(), "", tmp_path, tmp_path)("s3")

    def test_commands_name_what_is_missing(self, home: Path, tmp_path: Path) -> None:
        """Sent to a host that is not set up, a picture is not accepted; no key: kept, and waits."""
        program = Program(home / "imghost")
        program.configure()
        path = tmp_path / "a.png"
        path.write_bytes(png())
        refused = program.run("upload", path, "--host", "s3")
        assert (refused.code, program.history) == (3, [])
        assert "hosts.s3.endpoint is empty" in refused.err
        program.configure(hosts={"s3": {"endpoint": "http://127.0.0.1:9", "bucket": "pictures"}})
        waits = program.run("upload", path, "--host", "s3")
        assert waits.code == 7
        assert "needs your keys" in waits.err
        assert program.history[0]["state"] == "queued"

    def test_settings_that_are_gone(self, tmp_path: Path, dirs: Dirs) -> None:
        """While what waits for s3 has lost its settings, all else goes on."""
        file = ConfigFile(tmp_path / "config.json", {})
        file.path.write_text('{"hosts": {"s3": {"endpoint": "http://x", "bucket": "b"}}}')
        with App(dirs, file, file.load(), base_url="") as app:
            options = UploadOptions(host="s3", wait_s=0)
            (kept,) = app.upload(UploadRequest((BytesInput("a.png", png()),), options))
            assert kept.record
            assert wants_login(app) == ""
            file.path.write_text("{}")
            assert app.checked_pipeline().config.hosts.s3.endpoint == ""
            assert wants_login(app) == ""
            assert app.look(kept.record) is Alive.UNKNOWN
            assert not app.outbox.has_room("s3")
            forget(app, kept.record, at_host=False)
            assert app.journal.look_up(kept.record.id) is None

    def test_missing_extra(
        self, fake: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without the package that signs, the user is told what to install."""
        monkeypatch.setitem(sys.modules, "requests_aws4auth", None)
        with pytest.raises(ConfigError, match="pip install requests-aws4auth"):
            host_at(fake, tmp_path)
