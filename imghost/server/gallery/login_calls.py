"""What the login page's script calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imghost.models import Message
from imghost.server.gallery.answered import json_answer
from imghost.server.gallery.asked import number_of
from imghost.server.gallery.calls import json_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from imghost.server.gallery.answered import Answers
    from imghost.server.gallery.contents import Logins
    from imghost.text import Speaker

_STATES = {
    "waiting": Message("Scan it with the Bilibili app on your phone"),
    "scanned": Message("Scanned: confirm it on your phone"),
    "expired": Message("The code has expired"),
    "done": Message("You are logged in"),
}


class LoginCalls:
    """Each answers with JSON."""

    def __init__(self, logins: Logins, answers: Answers, say: Speaker) -> None:
        self._logins = logins
        self._answers = answers
        self._say = say

    async def begin(self, _request: Request) -> Response:
        """A new code."""
        code = await self._answers.worked(self._logins.begin)
        return json_answer({"number": code.number, "image": code.image})

    async def poll(self, request: Request) -> Response:
        """What became of a code."""
        number = number_of(await json_of(request))
        scanned = await self._answers.worked(self._logins.poll, number)
        state = scanned.problem or _STATES[scanned.state]
        return json_answer(
            {"state": scanned.state, "rest_s": scanned.rest_s, "said": self._say(state)}
        )

    async def forget(self, _request: Request) -> Response:
        """Log out."""
        await self._answers.worked(self._logins.log_out)
        return json_answer({"forgotten": True})
