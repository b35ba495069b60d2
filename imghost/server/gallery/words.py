"""What the pages' script says, in the user's language: it has no words of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from imghost.models import Message

if TYPE_CHECKING:
    from imghost.text import Speaker

_COUNT = {"n": "{n}"}
SCRIPT: Mapping[str, Message] = {
    "copied": Message("Copied"),
    "copy": Message("Copy link"),
    "notCopied": Message("The browser does not let this page copy; select the text and copy it"),
    "noLink": Message("There is no link to copy yet"),
    "reading": Message("Looking at it"),
    "waiting": Message("Waiting its turn"),
    "sending": Message("Sending"),
    "atHost": Message("Waiting for the host"),
    "ready": Message("Ready; nothing has left this computer"),
    "sent": Message("Uploaded"),
    "reused": Message("It was there already; nothing was sent"),
    "known": Message("Uploaded before; the same link, and nothing will be sent"),
    "unreachable": Message("imghost does not answer; is it still running?"),
    "asItIs": Message("Sent as it is"),
    "original": Message("Original: {size}", {"size": "{size}"}),
    "uploadOne": Message("Upload"),
    "uploadMany": Message("Upload {n} pictures", _COUNT),
    "erased": Message("Forgotten"),
    "queued": Message("It is being sent"),
    "chosen": Message("Counts from the next picture on"),
    "smaller": Message("{percent} % smaller", {"percent": "{percent}"}),
    "notSmaller": Message(
        "This style does not make the file smaller ({percent} % larger); the original may be "
        "better",
        {"percent": "{percent}"},
    ),
    "void": Message("It asks for more pixels than there are; the size stays as it is."),
    "gone": Message("its original is not here any more"),
    "sameSize": Message("As many bytes as before"),
    "drawing": Message("Drawing it"),
    "scan": Message("Scan it with the Bilibili app on your phone"),
    "unscanned": Message("Nobody scanned the code; try again when you are ready"),
    "pickOne": Message("Choose a picture with the arrow keys first"),
}


def script_words(say: Speaker) -> dict[str, str]:
    """Each text by its name; a place in braces is for the script to fill in."""
    return {name: say(message) for name, message in SCRIPT.items()}
