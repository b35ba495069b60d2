"""Row 25: the network goes away, or somebody else answers in the host's place, and all goes on."""

from __future__ import annotations

import ctypes
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme

from tests.fakes import bilibili, pictures
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.names import ADDRESS, Dead, Names, naming
from tests.fakes.needs import may_skip
from tests.fakes.program import END_S, Program, eventually
from tests.faults.arrivals import sent_twice
from tests.faults.folder import Folder
from tests.faults.promise import Home
from tests.faults.proxy import Fault, FaultProxy, Plan
from tests.faults.trial import Trial

pytestmark = pytest.mark.row(25)
needs_namespaces = pytest.mark.skipif(
    not (sys.platform == "linux" and os.geteuid() == 0 and shutil.which("ip")) and may_skip(),
    reason="a network of its own needs root on Linux, and iproute2",
)

ASK_S = 0.05
RECOVERY_S = 10.0
PATIENCE_S = 3.0
_CLONE_NEWNET = 0x40000000  # in linux/sched.h
T = TypeVar("T")


@contextmanager
def network() -> Iterator[str]:
    """A network of its own, with nothing but loopback; its name."""
    name = f"imghost-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def way(name: str, change: str) -> None:
    """Have "add" or "del" done to the only address that there is."""
    subprocess.run(["ip", "-n", name, "address", change, "127.0.0.1/8", "dev", "lo"], check=True)


def _made_in(name: str, make: Callable[[], T]) -> T:
    """What is made by a thread in that network, whose sockets stay there whoever uses them."""

    def made() -> T:
        with Path("/run/netns", name).open("rb") as space:
            assert ctypes.CDLL(None).setns(space.fileno(), _CLONE_NEWNET) == 0
        return make()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(made).result()


@dataclass(frozen=True)
class Far:
    """A host that is found by its name alone, and the server of names that knows it."""

    program: Program
    settings: dict[str, Any]
    names: Names


@pytest.fixture
def far(home: Path, tmp_path: Path, fake: FakeBilibili) -> Iterator[Far]:
    """A Bilibili at api.example, for a program that can ask our server of names alone."""
    authority, config = trustme.CA(), tmp_path / "resolv.conf"
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    # a mount of its own, which lets go of those of others as they do
    mount = f'mount --bind {config} "$(readlink -f /etc/resolv.conf)"; exec "$@"'
    prefix = ("unshare", "--mount", "--propagation=slave", "sh", "-ec", mount, "sh")
    environ = {"SSL_CERT_FILE": str(tmp_path / "authority.pem")}
    tls = _tls(authority, "api.example")
    with naming() as names, FaultProxy(fake.port, lambda: Plan(Fault.NONE), tls=tls) as proxy:
        config.write_text(f"nameserver {ADDRESS}\n", encoding="utf-8")
        settings = bilibili.settings(fake)
        port = proxy.address.rpartition(":")[2]
        settings["hosts"]["bilibili"]["api"] = f"https://api.example:{port}"
        yield Far(Program(home / "imghost", environ, prefix), settings, names)


@needs_namespaces
@pytest.mark.parametrize("how", [Dead.SILENT, Dead.FAILING, Dead.DENYING])
def test_dead_names(trial: Trial, tmp_path: Path, fake: FakeBilibili, far: Far, how: Dead) -> None:
    """What is saved while no name can be looked up waits, and is sent soon after one can be."""
    outages = trial.size(1, 3)
    folder = Folder(far.program, tmp_path / "watched", far.settings)
    with folder.watching():
        for _ in range(outages):
            far.names.dead, came = how, far.names.asked
            folder.save(8)
            eventually(lambda: len(folder.home.rows) == len(folder.given))
            while far.names.asked == came:
                threading.Event().wait(ASK_S)
            threading.Event().wait(trial.chance.uniform(*trial.size((0.0, 2.0), (5.0, 60.0))))
            assert "failed" not in folder.home.states
            far.names.dead = Dead.NOT
            with trial.recovering():
                eventually(lambda: folder.is_done, within_s=trial.bound_s(RECOVERY_S))
    checked = folder.home.check(*folder.given)
    assert sent_twice(fake) == 0
    what = f"no name can be looked up: its server {how}"
    trial.note(what, outages, checked=checked, twice=0)


@needs_namespaces
def test_dead_names_hold_nobody_up(tmp_path: Path, far: Far) -> None:
    """A command keeps to its time though the lookup does not end; so does a daemon's end."""
    path, program = tmp_path / "a.png", far.program
    path.write_bytes(pictures.png())
    far.settings["hosts"]["bilibili"]["timeout_s"] = 2
    program.configure(**far.settings)
    far.names.dead = Dead.SILENT
    began = time.monotonic()
    told = program.run("upload", "--wait", "2", path)
    assert time.monotonic() - began < 2 + PATIENCE_S
    assert told.code == 6, told.err
    assert "no way to api.example" in told.err
    with program.watching("--no-clipboard", "--no-tray"):
        eventually(lambda: program.status["counts"]["uploading"] == 1)
        began = time.monotonic()
    assert time.monotonic() - began < END_S + PATIENCE_S
    far.names.dead = Dead.NOT
    assert program.run("retry").code == 0
    assert [row["state"] for row in program.history] == ["done"]
    Home(program.home).check(path.read_bytes())


@needs_namespaces
def test_no_network(trial: Trial, home: Path, tmp_path: Path) -> None:
    """What is saved without a network waits, and is sent soon after there is one again."""
    outages = trial.size(1, 5)
    with ExitStack() as stack:
        name = stack.enter_context(network())
        # not by ip netns exec, which keeps a copy of all mounts, so that no disk could be unmounted
        inside = ("nsenter", f"--net=/run/netns/{name}")
        fake = stack.enter_context(_made_in(name, FakeBilibili))
        program = Program(home / "imghost", prefix=inside)
        folder = Folder(program, tmp_path / "watched", bilibili.settings(fake))
        stack.enter_context(folder.watching())
        for _ in range(outages):
            way(name, "del")
            folder.save(8)
            eventually(lambda: folder.home.states["queued"] == 8)
            eventually(lambda: any("no way" in row["reason"] for row in folder.home.rows))
            threading.Event().wait(trial.chance.uniform(0.0, trial.size(2.0, 30.0)))
            way(name, "add")
            with trial.recovering():
                eventually(lambda: folder.is_done)
    checked = folder.home.check(*folder.given)
    assert sent_twice(fake) == 0
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("no network for a while", outages, checked=checked, twice=0)


def test_captive_portal(trial: Trial, home: Path, tmp_path: Path, fake: FakeBilibili) -> None:
    """Who answers in the host's place cannot prove to be it, gets nothing, and fails nothing."""
    outages = trial.size(1, 5)
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    contexts = {True: _tls(authority), False: _tls(stranger)}
    is_host = threading.Event()
    contexts[True].sni_callback = lambda sock, _name, _context: setattr(
        sock, "context", contexts[is_host.is_set()]
    )
    with FaultProxy(fake.port, lambda: Plan(Fault.NONE), tls=contexts[True]) as proxy:
        settings = bilibili.settings(fake)
        settings["hosts"]["bilibili"]["api"] = f"https://{proxy.address}"
        program = Program(home / "imghost", {"SSL_CERT_FILE": str(tmp_path / "authority.pem")})
        folder = Folder(program, tmp_path / "watched", settings)
        with folder.watching():
            for _ in range(outages):
                is_host.clear()
                came = len(fake.uploads)
                folder.save(8)
                eventually(lambda: any("prove" in row["reason"] for row in folder.home.rows))
                threading.Event().wait(trial.chance.uniform(0.0, trial.size(2.0, 30.0)))
                assert len(fake.uploads) == came
                is_host.set()
                with trial.recovering():
                    eventually(lambda: folder.is_done)
    checked = folder.home.check(*folder.given)
    assert sent_twice(fake) == 0
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("a captive portal for a while", outages, checked=checked, twice=0)


def _tls(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
