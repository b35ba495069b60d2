"""The commands' routes: what goes over the wire, who may send it, and what comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.errors import (
    DaemonError,
    HostUnavailable,
    ImghostError,
    LoginExpired,
    SourceError,
    UsageError,
)
from imghost.models import Alive, Message, Record, State
from imghost.secret import Secret
from imghost.server import wire
from imghost.server.app import make_app
from imghost.server.asked import (
    MAX_WAIT_S,
    BytesInput,
    CopyRequest,
    FileInput,
    Json,
    LinkInput,
    PauseRequest,
    RemoteInput,
    RetryRequest,
    UploadedInput,
    UploadOptions,
    UploadRequest,
    read_json,
)
from imghost.server.commands import command_routes
from imghost.server.guard import callers_of
from imghost.server.wire import Failure, Settled
from imghost.text import Speaker
from tests.fakes.serving import HOST, Answer, ask, serving

if TYPE_CHECKING:
    from starlette.types import ASGIApp

TOKEN = "correct horse"
MAX_BYTES = 100_000
WAIT_S = 10.0

RECORD = Record(
    id=7,
    original="0" * 64,
    sha256="1" * 64,
    sha1="2" * 40,
    host="local",
    bucket="images",
    name="a.png",
    origin="command",
    format="png",
    width_px=1,
    height_px=2,
    frames=1,
    size_bytes=3,
    state=State.DONE,
    reason=None,
    notes=(Message("{name} was stripped", {"name": "a.png"}),),
    key="k",
    url="http://127.0.0.1/k",
    created_at=1.5,
    alive=Alive.UNKNOWN,
    seen_at=0.0,
)


@dataclass
class Daemon:
    """A backend that settles inputs when it is let, and remembers what it was asked."""

    asked: list[object] = field(default_factory=list)
    may_settle: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(10**6))
    begun: list[int] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    error: ImghostError | None = None
    error_after: int = 0

    def status(self) -> Json:
        """A state, or the error."""
        if self.error:
            raise self.error
        return {"state": "serving", "name": "\udcff\u56fe"}

    def stop(self) -> None:
        """Remember it."""
        self.asked.append("stop")

    def pause(self, minutes: float | None) -> None:
        """Remember it."""
        self.asked.append(("pause", minutes))

    def resume(self, minutes: float | None) -> None:
        """Remember it."""
        self.asked.append(("resume", minutes))

    def put_back(self) -> None:
        """Remember it, or the error."""
        if self.error:
            raise self.error
        self.asked.append("put back")

    def copy(self, text: str) -> bool:
        """Whatever it is, unless it is nothing."""
        self.asked.append(("copy", text))
        return bool(text)

    def given(self) -> Sequence[int]:
        """Two, or the error."""
        if self.error:
            raise self.error
        return (4, 2)

    def retry(self, ids: Sequence[int]) -> int:
        """As many as were named."""
        self.asked.append(tuple(ids))
        return len(ids)

    def upload(self, request: UploadRequest, gone: threading.Event) -> Iterator[Settled]:
        """Settle one after another, last first, until somebody is gone."""
        self.asked.append(request)
        try:
            for index in reversed(range(len(request.inputs))):
                if gone.is_set():
                    return
                self.begun.append(index)
                assert self.may_settle.acquire(timeout=WAIT_S)
                if self.error and len(self.begun) > self.error_after:
                    raise self.error
                yield Settled(index, replace(RECORD, id=index), f"![]({index})")
        finally:
            self.ended.set()


@dataclass
class Door:
    """A running server with a backend."""

    port: int
    daemon: Daemon

    def ask(
        self,
        path: str,
        body: object = None,
        *,
        token: str = TOKEN,
        method: str = "POST",
        content_type: str = "application/json",
    ) -> Answer:
        """One request."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {wire.TOKEN_HEADER: token, "Content-Type": content_type}
        return ask(self.port, path, headers, method=method, body=data)

    def open(self, request: UploadRequest) -> tuple[HTTPConnection, HTTPResponse]:
        """An upload of which the lines are read one by one."""
        connection = HTTPConnection(HOST, self.port, timeout=WAIT_S)
        headers = {wire.TOKEN_HEADER: TOKEN, "Content-Type": "application/json"}
        connection.request("POST", wire.UPLOAD, json.dumps(request.to_json()), headers)
        return connection, connection.getresponse()


@pytest.fixture
def door() -> Iterator[Door]:
    """A server for commands alone."""
    daemon = Daemon()
    with ThreadPoolExecutor(4, thread_name_prefix="command") as workers:
        routes = command_routes(daemon, Secret(TOKEN), workers, MAX_BYTES)

        async def no_files(*_: object) -> None:
            """Of which there are none here."""

        def app(port: int) -> ASGIApp:
            return make_app(no_files, routes, callers_of(port), lambda *_: False, Speaker("en"))

        with serving(app) as port:
            yield Door(port, daemon)


def files(count: int) -> UploadRequest:
    """A request for so many files."""
    return UploadRequest(tuple(FileInput(f"/pictures/{n}.png") for n in range(count)))


def lines(body: bytes) -> list[Settled]:
    """The lines of an answer."""
    return [Settled.from_json(wire.read_answer(line)) for line in body.splitlines()]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN.upper(), "\xff"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", wire.STATUS),
        ("POST", wire.STOP),
        ("POST", wire.RETRY),
        ("POST", wire.UPLOAD),
    ],
)
def test_without_the_token_nothing_happens(door: Door, token: str, method: str, path: str) -> None:
    """401, and an error that the command can say."""
    answer = door.ask(path, {"ids": [], "inputs": [{"path": "/a"}]}, token=token, method=method)
    assert answer.status == 401
    with pytest.raises(DaemonError, match="token"):
        wire.read_answer(answer.body)
    assert door.daemon.asked == []


def test_a_foreign_page_with_the_token_is_still_refused(door: Door) -> None:
    """The guard stands before the commands, too."""
    headers = {wire.TOKEN_HEADER: TOKEN, "Origin": "https://evil.example"}
    assert ask(door.port, wire.STOP, headers, method="POST").status == 403
    assert door.daemon.asked == []


def test_status_is_what_the_daemon_says(door: Door) -> None:
    """As JSON, also of names that are no proper text."""
    answer = door.ask(wire.STATUS, method="GET")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert wire.read_answer(answer.body) == {"state": "serving", "name": "\udcff\u56fe"}


def test_an_error_arrives_as_it_was_raised(door: Door) -> None:
    """Class, template and fields: the command says it in its own language."""
    door.daemon.error = LoginExpired("{host} wants you to log in", host="bilibili")
    answer = door.ask(wire.STATUS, method="GET")
    assert answer.status == 500
    with pytest.raises(LoginExpired) as caught:
        wire.read_answer(answer.body)
    assert caught.value.message == door.daemon.error.message
    assert caught.value.exit_code == 7


def test_stop_is_answered_and_passed_on(door: Door) -> None:
    """The command hears that it was understood."""
    assert wire.read_answer(door.ask(wire.STOP).body) == {"stopping": True}
    assert door.daemon.asked == ["stop"]


def test_retry_passes_the_ids_on(door: Door) -> None:
    """And tells how many are tried again."""
    answer = door.ask(wire.RETRY, RetryRequest((3, 5)).to_json())
    assert wire.read_answer(answer.body) == {"retried": 2}
    assert door.daemon.asked == [(3, 5)]


def test_the_watcher_s_routes_pass_on_what_is_asked(door: Door) -> None:
    """Pausing and resuming with and without minutes, putting back, and copying a text."""
    for path, body, told in (
        (wire.PAUSE, PauseRequest().to_json(), {"paused": True}),
        (wire.PAUSE, PauseRequest(30.0).to_json(), {"paused": True}),
        (wire.RESUME, PauseRequest(0.5).to_json(), {"paused": False}),
        (wire.PUT_BACK, {}, {"put_back": True}),
        (wire.COPY, CopyRequest("链接\n").to_json(), {"copied": True}),
        (wire.COPY, CopyRequest("").to_json(), {"copied": False}),
    ):
        assert wire.read_answer(door.ask(path, body).body) == told
    assert door.daemon.asked == [
        *(("pause", None), ("pause", 30.0), ("resume", 0.5)),
        *("put back", ("copy", "链接\n"), ("copy", "")),
    ]


def test_it_is_told_whose_links_were_given(door: Door) -> None:
    """By the ids of their uploads, and why that cannot be told."""
    answer = door.ask(wire.GIVEN, method="GET")
    assert wire.read_answer(answer.body) == {"ids": [4, 2]}
    door.daemon.error = SourceError("nobody can tell")
    with pytest.raises(SourceError, match="nobody can tell"):
        wire.read_answer(door.ask(wire.GIVEN, method="GET").body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (wire.PAUSE, []),
        *((wire.PAUSE, {"minutes": minutes}) for minutes in ("5", 0, -1, 1e9, [1])),
        (wire.RESUME, {"minutes": float("nan")}),
        (wire.COPY, {}),
        (wire.COPY, {"text": 5}),
    ],
)
def test_a_wrong_wish_is_refused(door: Door, path: str, body: Json) -> None:
    """What is no time, or no text, is said to be wrong, and nothing is done."""
    assert door.ask(path, body).status == 400
    assert door.daemon.asked == []


def test_each_input_is_answered_by_a_line_with_its_index(door: Door) -> None:
    """In whatever order they settle; the request arrives whole."""
    request = UploadRequest(
        (FileInput("/a.png"), LinkInput("https://x/b.png"), FileInput("/\udcff.png")),
        UploadOptions("local", "images", "html", "@800w", 2.5),
    )
    answer = door.ask(wire.UPLOAD, request.to_json())
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [line.index for line in lines(answer.body)] == [2, 1, 0]
    assert lines(answer.body)[0] == Settled(2, replace(RECORD, id=2), "![](2)")
    assert door.daemon.asked == [request]


def test_a_line_comes_as_soon_as_its_input_is_settled(door: Door) -> None:
    """Nothing waits for the slowest image."""
    door.daemon.may_settle = threading.Semaphore(0)
    connection, response = door.open(files(3))
    for index in (2, 1, 0):
        door.daemon.may_settle.release()
        assert Settled.from_json(wire.read_answer(response.readline())).index == index
    assert response.read() == b""
    connection.close()


def test_two_thousand_inputs_are_answered(door: Door) -> None:
    """Each once."""
    answer = door.ask(wire.UPLOAD, files(2000).to_json())
    assert sorted(line.index for line in lines(answer.body)) == list(range(2000))


def test_a_command_that_leaves_cancels_what_was_not_begun(door: Door) -> None:
    """The image under way is finished; of the other 99 none is begun."""
    door.daemon.may_settle = threading.Semaphore(1)
    connection, response = door.open(files(100))
    assert response.readline()
    response.close()
    connection.close()
    gone = threading.Event()
    while not door.daemon.ended.is_set():
        gone.wait(0.05)
        door.daemon.may_settle.release()
    assert len(door.daemon.begun) < 100


def test_an_error_in_the_middle_ends_the_lines(door: Door) -> None:
    """What settled before it was told; then the error of the whole request."""
    door.daemon.error = HostUnavailable("{host} is down", host="s3", retry_after_s=3)
    door.daemon.error_after = 2
    told = door.ask(wire.UPLOAD, files(5).to_json()).body.splitlines()
    assert len(told) == 3
    with pytest.raises(ImghostError, match="s3 is down") as caught:
        wire.read_answer(told[-1])
    assert caught.value.exit_code == 6


def test_bytes_are_uploaded_as_they_are(door: Door) -> None:
    """Standard input goes as the body, name and options as the query."""
    data = bytes(range(256)) * 300
    options = UploadOptions("local", "", "", "@1w", 1.0)
    query = urlencode({"name": "\u56fe & co.png", **options.to_json()})
    answer = door.ask(f"{wire.UPLOAD}?{query}", data, content_type="application/octet-stream")
    assert [line.index for line in lines(answer.body)] == [0]
    request = UploadRequest((BytesInput("\u56fe & co.png", data),), options)
    assert door.daemon.asked == [request]


@pytest.mark.parametrize("chunked", [False, True])
def test_more_bytes_than_allowed_are_refused(door: Door, chunked: bool) -> None:
    """Whether their number was told before or not; nothing is passed on."""
    data = bytes(MAX_BYTES + 1)
    connection = HTTPConnection(HOST, door.port, timeout=WAIT_S)
    headers = {wire.TOKEN_HEADER: TOKEN, "Content-Type": "application/octet-stream"}
    body = iter([data[:60_000], data[60_000:]]) if chunked else data
    connection.request("POST", wire.UPLOAD, body, headers, encode_chunked=chunked)
    response = connection.getresponse()
    assert response.status == 400
    with pytest.raises(UsageError, match=f"larger than {MAX_BYTES} bytes"):
        wire.read_answer(response.read())
    assert door.daemon.asked == []
    connection.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (wire.UPLOAD, b""),
        (wire.UPLOAD, b"{"),
        (wire.UPLOAD, b"\xff"),
        (wire.UPLOAD, b"[" * 200_000),
        (wire.UPLOAD, b"[]"),
        (wire.UPLOAD, {}),
        (wire.UPLOAD, {"inputs": []}),
        (wire.UPLOAD, {"inputs": {"path": "/a"}}),
        (wire.UPLOAD, {"inputs": ["/a"]}),
        (wire.UPLOAD, {"inputs": [{"path": ""}]}),
        (wire.UPLOAD, {"inputs": [{"path": 1}]}),
        (wire.UPLOAD, {"inputs": [{"path": "/a", "url": "http://x"}]}),
        (wire.UPLOAD, {"inputs": [{"path": "/a"}], "host": 1}),
        (wire.UPLOAD, {"inputs": [{"path": "/a"}], "wait_s": -1}),
        (wire.UPLOAD, {"inputs": [{"path": "/a"}], "wait_s": "soon"}),
        (wire.UPLOAD, {"inputs": [{"path": "/a"}], "wait_s": None}),
        (wire.UPLOAD, {"inputs": [{"path": "/a"}], "wait_s": 10**400}),
        (wire.UPLOAD, b'{"inputs": [{"path": "/a"}], "wait_s": NaN}'),
        (wire.RETRY, {}),
        (wire.RETRY, {"ids": "1"}),
        (wire.RETRY, {"ids": [1.5]}),
        (wire.RETRY, {"ids": [True]}),
        (wire.RETRY, {"ids": [0]}),
        (wire.RETRY, {"ids": [2**63]}),
    ],
)
def test_a_request_that_makes_no_sense_is_a_usage_error(
    door: Door, path: str, body: object
) -> None:
    """400, said in words, and nothing is done."""
    answer = door.ask(path, body)
    assert answer.status == 400
    with pytest.raises(UsageError):
        wire.read_answer(answer.body)
    assert door.daemon.asked == []


messages = st.builds(
    Message,
    st.text(st.characters(exclude_characters="{}"), min_size=1),
    st.dictionaries(
        st.sampled_from(["name", "detail"]),
        st.text() | st.integers() | st.floats(allow_nan=False),
    ),
)
records = st.builds(
    Record,
    id=st.integers(),
    name=st.text(),
    state=st.sampled_from(State),
    alive=st.sampled_from(Alive),
    reason=st.none() | messages,
    notes=st.lists(messages).map(tuple),
    created_at=st.floats(allow_nan=False),
    seen_at=st.floats(allow_nan=False),
)


@given(
    st.builds(
        Settled,
        st.integers(),
        st.none() | records,
        st.text(),
        st.booleans(),
        st.none() | st.builds(Failure, st.integers(), messages),
    )
)
def test_a_line_is_read_as_it_was_written(settled: Settled) -> None:
    """Through JSON and back, nothing changes."""
    assert Settled.from_json(wire.read_answer(json.dumps(settled.to_json()).encode())) == settled


inputs = st.one_of(
    *(st.builds(kind, st.text(min_size=1)) for kind in (FileInput, LinkInput, RemoteInput)),
    st.builds(FileInput, st.text(min_size=1), st.text()),
    st.builds(UploadedInput, st.integers(1, 2**63 - 1)),
)
options = st.builds(UploadOptions, wait_s=st.floats(0, MAX_WAIT_S))


@given(st.builds(UploadRequest, st.lists(inputs, min_size=1).map(tuple), options))
def test_a_request_is_read_as_it_was_written(request: UploadRequest) -> None:
    """Through JSON and back, nothing changes."""
    sent = read_json(json.dumps(request.to_json()).encode())
    assert UploadRequest.from_json(sent) == request


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["error"]), inner),
)


@given(json_values)
def test_an_answer_that_makes_no_sense_is_a_daemon_error(value: object) -> None:
    """A daemon of another version, or a stranger on its port, is told of in words."""
    with pytest.raises(DaemonError):
        Settled.from_json(wire.read_answer(json.dumps(value).encode()))


@given(st.binary())
def test_an_answer_that_is_no_json_is_a_daemon_error(data: bytes) -> None:
    """Whatever answers there."""
    with pytest.raises(DaemonError):
        Settled.from_json(wire.read_answer(data))


@pytest.mark.parametrize("code", range(12))
def test_an_error_keeps_its_exit_code(code: int) -> None:
    """For the codes that there are; another version's unknown ones end as 1."""
    error = Failure(code, Message("{name} failed", {"name": "a"})).error()
    assert error.exit_code == (code if 2 <= code <= 10 else 1)
    assert str(error) == "a failed"


def test_a_failure_tells_the_class_and_the_fields() -> None:
    """What the daemon raised is what the command raises."""
    error = SourceError("{path} is not there", path="/a")
    again = Failure.from_json(Failure.of(error).to_json()).error()
    assert type(again) is SourceError
    assert again.message == error.message
