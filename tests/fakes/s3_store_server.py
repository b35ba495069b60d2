"""A real S3 store, OpenStack Swift with its s3api; run by the system's Python, which has swift.

    s3_store_server.py FOLDER BUCKET...   shows everybody these buckets

All four of its servers are in this one process, pictures in its memory, all else below FOLDER. It
says its port when it can be asked, and ends with its standard input.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import eventlet

eventlet.monkey_patch()

from eventlet import wsgi  # noqa: E402 - what waits must be patched first
from swift.common import utils  # noqa: E402

ACCESS_KEY, SECRET_KEY = "team:writer", "c4n4ry/of+the/store="
DOMAIN = "s3.example"
_SWIFT = (
    "[swift-hash]\nswift_hash_path_suffix = any\n[storage-policy:0]\nname = any\ndefault = yes\n"
)
_PROXY = f"""
[DEFAULT]
swift_dir = {{folder}}
[pipeline:main]
pipeline = catch_errors s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_team_writer = {SECRET_KEY} .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = {DOMAIN}
[filter:catch_errors]
use = egg:swift#catch_errors
"""


class NoCache:
    """What swift wants of memcached, which knows nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def listen() -> Any:
    """A socket on a free port."""
    return eventlet.listen(("127.0.0.1", 0))


def start_keepers(folder: Path, log: Any) -> None:
    """Start the three servers behind the front, each on a ring of its own."""
    from swift.account.server import AccountController
    from swift.common.ring import RingBuilder
    from swift.container.server import ContainerController
    from swift.obj.mem_server import ObjectController

    config = {"devices": str(folder), "mount_check": "false"}
    for name, keeper in (
        ("account", AccountController),
        ("container", ContainerController),
        ("object", ObjectController),
    ):
        sock = listen()
        device = {"id": 0, "region": 1, "zone": 1, "weight": 1, "device": "disk", "meta": ""}
        ring = RingBuilder(1, 1, 1)
        ring.add_dev({**device, "ip": "127.0.0.1", "port": sock.getsockname()[1]})
        ring.rebalance()
        ring.get_ring().save(str(folder / f"{name}.ring.gz"))
        eventlet.spawn(wsgi.server, sock, keeper(config), log)


def front(folder: Path) -> Any:
    """The server that is asked."""
    from swift.common.wsgi import loadapp

    config = folder / "proxy.conf"
    config.write_text(_PROXY.format(folder=folder))
    app = loadapp(str(config))

    def answer(environ: dict[str, Any], start: Any) -> Any:
        environ["swift.cache"] = NoCache()
        for name in environ.keys() & {"PATH_INFO", "RAW_PATH_INFO"}:
            environ[name] = re.sub("^http://[^/]*", "", environ[name])  # asked as a proxy
        return app(environ, start)

    return answer


def make_bucket(app: Any, name: str) -> None:
    """Have a bucket that everybody may read."""
    from swift.common.wsgi import make_pre_authed_request

    environ = {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    headers = {"X-Container-Read": ".r:*"}
    made = make_pre_authed_request(environ, "PUT", f"/v1/AUTH_team/{name}", headers=headers)
    made.environ["swift_owner"] = True
    answered = made.get_response(app)
    assert answered.is_success, answered.body


def main(folder: Path, *buckets: str) -> None:
    """Serve until standard input ends."""
    (folder / "disk").mkdir()
    (folder / "swift.conf").write_text(_SWIFT)
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    with (folder / "log").open("w") as log:
        start_keepers(folder, log)
        app, sock = front(folder), listen()
        for bucket in buckets:
            make_bucket(app, bucket)
        eventlet.spawn(wsgi.server, sock, app, log)
        sys.stdout.write(f"{sock.getsockname()[1]}\n")
        sys.stdout.flush()
        eventlet.tpool.execute(sys.stdin.read)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
