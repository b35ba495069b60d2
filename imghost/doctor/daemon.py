"""Trials of the background process: whether it answers, and who has its port."""

from __future__ import annotations

from imghost import __version__
from imghost.doctor.trial import Case
from imghost.door import daemon_lock, untold
from imghost.errors import DaemonError
from imghost.models import Message
from imghost.server.run import listen


def try_daemon(case: Case) -> Message:
    """It answers, is of this version, and works with this config; or none runs."""
    if case.door is None:
        with daemon_lock(case.dirs) as lock:
            if not lock.acquire(shared=True):
                raise untold()
        return Message("none runs; imghost watch starts it")
    told = case.ask(case.door)
    if told.get("version") != __version__:
        raise DaemonError(
            "the one that runs (process {pid}) is of another version than this command, {version}; "
            "imghost stop, then imghost watch",
            pid=case.door.pid,
            version=__version__,
        )
    if problem := told.get("problem"):
        raise DaemonError(
            "it works with the former config, for the one in the file is wrong: {problem}",
            problem=str(problem),
        )
    where: dict[str, str | int] = {"pid": case.door.pid, "url": case.door.url}
    if not case.is_helper:
        return Message("process {pid} answers at {url}; it works with another config", where)
    return Message("process {pid} answers at {url}", where)


def try_port(case: Case) -> Message:
    """It is ours, or could be."""
    server = case.settings.server
    if not server.port:
        return Message("server.port is 0: it takes a free one, a new one each time")
    port = {"port": server.port}
    if case.door and case.door.url.endswith(f":{server.port}"):
        return Message("{port} is imghost's own", port)
    for sock in listen(server.bind, server.port):
        sock.close()
    if case.door:
        return Message("{port} is free, and the running imghost takes it soon", port)
    return Message("{port} is free", port)
