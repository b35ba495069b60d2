"""Every error that a person may see, and the exit code it ends a command with.

ImghostError                1  a bug, if nothing below fits
|-- UsageError              2  the command line does not make sense
|-- ConfigError             3  config, or an unknown host, bucket, format or style
|-- SourceError             4  nothing to read: missing file, empty clipboard
|-- ImageError              5  not an image that can be used
|   `-- ImageUnfinished     5  not yet, perhaps: it may be half of one
|-- HostError               6
|   |-- HostUnavailable     6  later: the image is kept and queued
|   |-- HostRefused         6  never: the image is kept and failed
|   `-- LoginExpired        7  ask the user: the image is kept and queued
|-- DaemonError             8  already running, not running, port busy
|-- SomeFailed              9  two or more inputs, and some failed
|-- MachineError           10  disk full, folder not writable: nothing was accepted
|   `-- JournalDamaged     10  made anew from the originals
`-- Interrupted           130  Ctrl-C
"""

from __future__ import annotations

from typing import ClassVar

from imghost.models import Message


class ImghostError(Exception):
    """What happened, to what, and what to do next, as a template and its fields."""

    exit_code: ClassVar[int] = 1

    def __init__(self, template: str, **fields: str | float | Message) -> None:
        super().__init__(template, fields)
        self.message = Message(template, fields)

    def __str__(self) -> str:
        return str(self.message)


class UsageError(ImghostError):
    """The command line does not make sense."""

    exit_code = 2


class ConfigError(ImghostError):
    """The config is wrong, or a host, bucket, format or style is unknown."""

    exit_code = 3


class SourceError(ImghostError):
    """There is nothing to read: a missing file, an empty clipboard."""

    exit_code = 4


class ImageError(ImghostError):
    """The bytes are not an image that can be used."""

    exit_code = 5


class ImageUnfinished(ImageError):
    """The bytes end too early, or are none that are known: whoever writes them may go on."""


class HostError(ImghostError):
    """A host did not take an image."""

    exit_code = 6


class HostUnavailable(HostError):
    """Try later.

    `retry_after_s`: the host asked for this much rest. `risk_control`: the host suspects abuse;
    it is left in peace for ten minutes at least. `ambiguous`: the whole image was sent, and
    the answer never came. `offline`: the network itself is missing.
    """

    def __init__(
        self,
        template: str,
        *,
        retry_after_s: float = 0.0,
        risk_control: bool = False,
        ambiguous: bool = False,
        offline: bool = False,
        **fields: str | float | Message,
    ) -> None:
        super().__init__(template, **fields)
        self.retry_after_s = retry_after_s
        self.risk_control = risk_control
        self.ambiguous = ambiguous
        self.offline = offline


class HostRefused(HostError):
    """The host will never take this image."""


class LoginExpired(HostError):
    """The host wants its user to log in again."""

    exit_code = 7


class DaemonError(ImghostError):
    """The background process is running, not running, or cannot have its port."""

    exit_code = 8


class SomeFailed(ImghostError):
    """Of two or more inputs some failed; each was named already."""

    exit_code = 9


class MachineError(ImghostError):
    """This machine cannot keep the image: nothing was accepted."""

    exit_code = 10


class JournalDamaged(MachineError):
    """The journal is not what was written; opening it thoroughly makes it anew."""


class Interrupted(ImghostError):
    """The person pressed Ctrl-C."""

    exit_code = 130
