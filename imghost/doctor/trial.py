"""A trial: what is tried, within which time, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from imghost.config import Config
from imghost.config_file import ConfigFile
from imghost.desktop.limited import within
from imghost.dirs import Dirs
from imghost.door import Door
from imghost.errors import ImghostError, MachineError, SomeFailed
from imghost.models import Message
from imghost.values import dataclass

LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Case:
    """What is examined. `config` is None if it is wrong, `door` if no daemon runs.

    `is_helper`: the daemon works with this very config. `ask` gives what the daemon says of itself;
    raises DaemonError. `agreed` are the hosts at which a picture may be published.
    """

    environ: Mapping[str, str]
    dirs: Dirs
    source: ConfigFile
    config: Config | None
    door: Door | None
    is_helper: bool
    ask: Callable[[Door], Mapping[str, object]]
    agreed: frozenset[str]

    @property
    def settings(self) -> Config:
        """The config. Raises NotTriedError if it is wrong."""
        if self.config is None:
            raise NotTriedError(Message("the config is wrong"))
        return self.config

    @property
    def base_url(self) -> str:
        """Where the embedded server answers or would; "" if nobody knows."""
        port = self.settings.server.port
        return self.door.url if self.door else f"http://127.0.0.1:{port}" if port else ""


class NotTriedError(Exception):
    """There is a good reason not to try: it is told, and is nobody's fault."""

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Verdict(StrEnum):
    """How a trial ended."""

    FINE = "fine"
    WRONG = "wrong"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: `message` says what was seen, or what is wrong and what to do."""

    name: str
    title: Message
    verdict: Verdict
    message: Message
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """Something to try; `call` says what it saw, or raises our errors or NotTriedError.

    `late` is what it means if it has not ended after `limit_s`.
    """

    name: str
    title: Message
    call: Callable[[Case], Message]
    limit_s: float = LIMIT_S
    late: type[ImghostError] = MachineError

    def run(self, case: Case) -> Finding:
        """Try it, and wait no longer than the limit."""
        try:
            told = within(self.limit_s, f"try-{self.name}", lambda: self.call(case))
        except NotTriedError as exc:
            return Finding(self.name, self.title, Verdict.NOT_TRIED, exc.reason)
        except ImghostError as exc:
            return Finding(self.name, self.title, Verdict.WRONG, exc.message, exc.exit_code)
        except TimeoutError:
            told = Message("it has not ended after {limit_s} s", {"limit_s": self.limit_s})
            return Finding(self.name, self.title, Verdict.WRONG, told, self.late.exit_code)
        return Finding(self.name, self.title, Verdict.FINE, told)


def exit_code(findings: Sequence[Finding]) -> int:
    """0 if nothing is wrong, the code of what is, or that of several things."""
    codes = {finding.exit_code for finding in findings if finding.verdict is Verdict.WRONG}
    return SomeFailed.exit_code if len(codes) > 1 else max(codes, default=0)
