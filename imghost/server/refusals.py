"""Why somebody who calls is sent away."""

from __future__ import annotations

from imghost.errors import DaemonError


class NotAllowedError(DaemonError):
    """The caller may not ask for this."""


class UnauthorisedError(DaemonError):
    """The caller does not show the secret or the token that is asked for."""
