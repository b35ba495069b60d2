"""A TCP proxy on loopback that treats each exchange as chance, from a seed, has it.

So it treats the first exchange of a connection, and those after it.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import struct
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from threading import Thread
from types import TracebackType
from typing import Self

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_TRICKLE_S = 0.05
_ENDS = (OSError, asyncio.IncompleteReadError, asyncio.CancelledError)  # of us or of others
_DOWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\ndown"


class Fault(StrEnum):
    """What is done to an exchange; only those in UNHEARD let the host have it and hide its word.

    All but NONE, DELAY and DOWN end the connection.
    """

    NONE = "passed on"
    DELAY = "answered late"
    LEFT = "closed after the reply"
    REQUEST_CUT = "reset in the request"
    REPLY_RESET = "reset in the reply"
    REPLY_ENDS = "closed in the reply"
    TRICKLE = "answered a byte at a time"
    SILENCE = "never answered"  # nor heard by the host
    REFUSED = "reset at once"
    NOISE = "answered with noise"  # in place of what the host said
    DOWN = "answered with 503"  # without asking the host


UNHEARD = (Fault.REPLY_RESET, Fault.REPLY_ENDS, Fault.TRICKLE, Fault.NOISE)
_KEEPING = (Fault.NONE, Fault.DELAY, Fault.DOWN)


@dataclass(frozen=True)
class Plan:
    """What is done to one exchange: at which share of its bytes, how late, and with which noise."""

    fault: Fault
    share: float = 0.0
    wait_s: float = 0.0
    noise: bytes = b""


def plans(chance: random.Random, faulty: float, *faults: Fault) -> Iterator[Plan]:
    """Plans of which such a share has a fault, and each of these comes as often as the others."""
    deck: list[Fault] = []
    while True:
        if not deck:
            deck = chance.sample(faults, len(faults))
        fault = deck.pop() if chance.random() < faulty else Fault.NONE
        noise = chance.randbytes(chance.randrange(600))
        share = chance.choice((0.0, chance.random()))  # nothing at all is a case of its own
        yield Plan(fault, share, chance.uniform(0.0, 0.5), noise)


class FaultProxy:
    """Stands at `address` before `target`, a port of this machine; below TLS if told so.

    `plan` is asked for each exchange, and may be replaced at any time; `done` counts what was done
    so far, `later` what of it was done to exchanges on connections that had served others before.
    `unheard` counts the exchanges that the host had and whose reply did not come through.
    """

    def __init__(
        self, target: int, plan: Callable[[], Plan], tls: ssl.SSLContext | None = None
    ) -> None:
        self.plan = plan
        self.done: Counter[Fault] = Counter()
        self.later: Counter[Fault] = Counter()
        self.unheard = 0
        self.address = ""
        self._target = target
        self._tls = tls
        self._stopping = asyncio.Event()
        self._running: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), name="fault proxy")

    def __enter__(self) -> Self:
        self._thread.start()
        self._loop = self._running.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._treat, "127.0.0.1", 0, ssl=self._tls)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._running.set_result(asyncio.get_running_loop())
        await self._stopping.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _treat(self, reader: StreamReader, writer: StreamWriter) -> None:
        plan = self._planned()
        with suppress(*_ENDS):
            request = b"" if plan.fault is Fault.REFUSED else await _message(reader)
            while await self._exchange(plan, request, reader, writer):
                request = await _message(reader)
                plan = self._planned()
                self.later[plan.fault] += 1
        await _close(writer)

    def _planned(self) -> Plan:
        plan = self.plan()
        self.done[plan.fault] += 1
        return plan

    async def _exchange(
        self, plan: Plan, request: bytes, reader: StreamReader, writer: StreamWriter
    ) -> bool:
        """Whether the connection may serve another exchange after this one."""
        match plan.fault:
            case Fault.REFUSED:
                _reset(writer)
            case Fault.SILENCE:
                await self._stopping.wait()
            case Fault.DOWN:
                writer.write(_DOWN)
            case Fault.REQUEST_CUT:
                await self._ask_in_part(_first(request, plan.share))
                _reset(writer)
            case _:
                reply = await self._ask(request)
                await asyncio.sleep(plan.wait_s if plan.fault is Fault.DELAY else 0)
                has_left = reader.at_eof() or writer.is_closing()
                self.unheard += plan.fault in UNHEARD or has_left
                await _answer(plan, reply, writer)
        return plan.fault in _KEEPING

    async def _ask(self, request: bytes) -> bytes:
        """What the host says to it."""
        behind, asked = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            asked.write(request)
            return await _message(behind)
        finally:
            await _close(asked)

    async def _ask_in_part(self, request: bytes) -> None:
        """Have the host hear the beginning of it, and then a reset."""
        _, asked = await asyncio.open_connection("127.0.0.1", self._target)
        asked.write(request)
        await asked.drain()
        _reset(asked)
        await _close(asked)


async def _answer(plan: Plan, reply: bytes, writer: StreamWriter) -> None:
    match plan.fault:
        case Fault.NOISE:
            writer.write(plan.noise)
        case Fault.TRICKLE:
            for value in reply:
                writer.write(bytes([value]))
                await writer.drain()
                await asyncio.sleep(_TRICKLE_S)
        case Fault.REPLY_RESET | Fault.REPLY_ENDS:
            writer.write(_first(reply, plan.share))
            await writer.drain()
            if plan.fault is Fault.REPLY_RESET:
                _reset(writer)
        case _:
            writer.write(reply)


async def _message(reader: StreamReader) -> bytes:
    """One HTTP message with its body, as long as its header says."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    lengths = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")]
    return head + await reader.readexactly(sum(lengths))


async def _close(writer: StreamWriter) -> None:
    writer.close()
    with suppress(*_ENDS):
        await writer.wait_closed()


def _first(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def _reset(writer: StreamWriter) -> None:
    """End the connection as a crash does."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
