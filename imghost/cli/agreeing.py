"""What a move is going to send and where to: said, and agreed to, before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imghost.cli.console import Console
from imghost.errors import UsageError
from imghost.text import span_text

if TYPE_CHECKING:
    from imghost.app import App
    from imghost.posts.moving import Plan
    from imghost.posts.outlook import Outlook


def announced(console: Console, app: App, plan: Plan) -> Sequence[Outlook]:
    """Say how much goes where, and where only this computer shows it."""
    from imghost.posts.outlook import outlook

    places = list(outlook(plan, app.checked_pipeline(), app.journal, app.copies))
    for place in places:
        if place.to_send:
            console.note(
                "pictures to upload to {host} ({bucket}): {n}, which takes about {time}",
                host=place.target.host,
                bucket=place.target.bucket,
                n=place.to_send,
                time=span_text(place.takes_s),
            )
    for host in dict.fromkeys(place.target.host for place in places if not place.is_public):
        console.tell(
            "links of {host} show on this computer only; name --host bilibili or s3, or set "
            "hosts.{host}.public_url",
            host=host,
        )
    return places


def is_agreed(console: Console, app: App, plan: Plan, *, yes: bool) -> bool:
    """Have the person agree if something is sent, or posts get links that nobody else can open.

    Raises UsageError where nobody can be asked.
    """
    places = announced(console, app, plan)
    if yes or all(place.is_public and not place.to_send for place in places):
        return True
    if not console.asked:
        raise UsageError("nothing was changed, for nobody can be asked here; add --yes")
    if console.ask("Go on? [y/N]"):
        return True
    console.tell("nothing was changed")
    return False
