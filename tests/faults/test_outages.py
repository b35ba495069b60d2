"""Row 25: the network goes away, or somebody else answers in the host's place, and all goes on."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trustme

from tests.fakes import bilibili
from tests.fakes.bilibili import FakeBilibili
from tests.fakes.needs import may_skip
from tests.fakes.program import Program, eventually
from tests.faults.arrivals import sent_twice
from tests.faults.folder import Folder
from tests.faults.proxy import Fault, FaultProxy, Plan
from tests.faults.trial import Trial

pytestmark = pytest.mark.row(25)
needs_namespaces = pytest.mark.skipif(
    not (sys.platform == "linux" and os.geteuid() == 0 and shutil.which("ip")) and may_skip(),
    reason="a network of its own needs root on Linux, and iproute2",
)

RECOVERY_S = 10.0
PORT = 8600


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


@needs_namespaces
def test_no_network(trial: Trial, home: Path, tmp_path: Path) -> None:
    """What is saved without a network waits, and is sent soon after there is one again."""
    outages = trial.size(1, 5)
    with ExitStack() as stack:
        name = stack.enter_context(network())
        # not by ip netns exec, which keeps a copy of all mounts, so that no disk could be unmounted
        inside = ("nsenter", f"--net=/run/netns/{name}")
        command = [*inside, sys.executable, "-m", "tests.fakes.bilibili", "--port", str(PORT)]
        fake = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
        stack.callback(fake.kill)
        assert fake.stdout
        assert fake.stdout.readline()
        login = {"sessdata": bilibili.SESSDATA, "bili_jct": bilibili.BILI_JCT, "min_gap_s": 0}
        host = {"api": f"http://127.0.0.1:{PORT}", **login}
        settings = {"host": "bilibili", "hosts": {"bilibili": host}}
        folder = Folder(Program(home / "imghost", prefix=inside), tmp_path / "watched", settings)
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
    folder.home.check(*folder.given)
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("no network for a while", outages)


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
    folder.home.check(*folder.given)
    assert sent_twice(fake) == 0
    assert trial.longest_s < trial.bound_s(RECOVERY_S)
    trial.note("a captive portal for a while", outages)


def _tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context
