"""What the daemon does for the gallery's page on which people log in."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock

from imghost.account import time_left, wants_login
from imghost.app import App
from imghost.config_file import LOGIN_HOST, ConfigFile
from imghost.hosts.bilibili import WARNINGS
from imghost.hosts.bilibili_login import Code, Scan
from imghost.logging_in import LoggingIn, Progress, log_out
from imghost.login import LoginFile
from imghost.models import Message
from imghost.server.gallery.contents import Scanned, ShownCode, ShownLogin
from imghost.values import dataclass

_GAP_S = 1.0


@dataclass(slots=True)
class _Followed:
    """A code that a page shows, what became of it, and when that was asked last."""

    logging_in: LoggingIn
    code: Code
    number: int
    progress: Progress
    asked_at: float = -math.inf


class LoginPage:
    """Each method may be called from several threads; `send` begins to send what is queued.

    The latest code alone is followed, and only while a page asks.
    """

    def __init__(self, app: App, file: ConfigFile, send: Callable[[], None]) -> None:
        self._app = app
        self._file = file
        self._logins = LoginFile(app.dirs.login)
        self._send = send
        self._lock = Lock()
        self._followed: _Followed | None = None
        self._count = 0
        self._notes: tuple[Message, ...] = ()

    def shown(self) -> ShownLogin:
        """How it stands with the host that needs a login."""
        account = self._app.account
        days = account.days_left(time.time()) if account else None
        return ShownLogin(
            LOGIN_HOST,
            is_set=account is not None,
            is_wanted=bool(wants_login(self._app)),
            name=(account.name or account.mid) if account else "",
            left=None if days is None else time_left(days),
            origin=account.origin if account else "",
            notes=self._notes,
            warnings=WARNINGS,
        )

    def begin(self) -> ShownCode:
        """A new code to scan; the former one is not followed any more. Raises HostError."""
        import segno

        pipeline = self._app.checked_pipeline()
        http = pipeline.hosts(LOGIN_HOST).http
        logging_in = LoggingIn(self._file, self._logins, pipeline.config, http)
        code = logging_in.new_code()
        image = segno.make_qr(code.address.reveal()).svg_data_uri(border=4, light="#fff")
        with self._lock:
            self._count += 1
            self._followed = _Followed(logging_in, code, self._count, Progress(Scan.WAITING))
            return ShownCode(self._count, image)

    def poll(self, number: int) -> Scanned:
        """What became of that code. Raises HostError; MachineError if it cannot be kept."""
        with self._lock:
            followed = self._followed
            if followed is None or followed.number != number:
                return Scanned(Scan.EXPIRED.name.lower(), 0.0)
            if self._is_due(followed):
                followed.asked_at = time.monotonic()
                followed.progress = followed.logging_in.poll(followed.code)
                if followed.progress.login:
                    self._notes = followed.progress.notes
                    self._use()
            progress = followed.progress
        return Scanned(progress.scan.name.lower(), progress.rest_s, progress.problem)

    def log_out(self) -> None:
        """Forget the login. Raises MachineError, ConfigError."""
        self._notes = log_out(self._file, self._logins)
        self._use()

    def _is_due(self, followed: _Followed) -> bool:
        is_settled = followed.progress.scan in (Scan.DONE, Scan.EXPIRED)
        return not is_settled and time.monotonic() - followed.asked_at > _GAP_S

    def _use(self) -> None:
        """Have the login count at once."""
        self._app.pipeline()
        self._send()
