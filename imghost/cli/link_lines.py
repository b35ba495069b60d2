"""The links of posts as results: where each one stands, how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imghost.text import Speaker, printable

if TYPE_CHECKING:
    from imghost.posts.checking import Checked
    from imghost.posts.keeping import Kept
    from imghost.posts.recorded import Recorded
    from imghost.posts.using import Read

_WORDS = {
    "dead": "dead",
    "private": "private",
    "suspect": "suspect",
    "unknown": "unknown",
}
_ADVICE = {
    ("dead", True): "imghost links rescue brings it back from what is kept",
    ("dead", False): "nothing of it is kept here, so put the picture in anew",
    ("private", True): "imghost migrate --remote --host HOST moves it, by what is kept",
    ("private", False): "save the picture beside the post",
    ("suspect", True): "imghost links rescue --all moves it, by what is kept",
    ("suspect", False): "imghost links keep saves what it shows now",
    ("unknown", True): "check again later; it is kept here",
    ("unknown", False): "check again later",
}
"""What to do, by how the link is and whether anything of its picture is kept."""
_OWN = "imghost migrate --host HOST moves it to where others see it"


class LinkLines:
    """Tells of links in these posts, also of those without their styles; `say` speaks."""

    def __init__(self, posts: Sequence[Read], say: Speaker) -> None:
        from imghost.imaging.style import split_style

        self._say = say
        self._places: dict[str, list[tuple[str, int]]] = {}
        for post in posts:
            for use in post.uses:
                if isinstance(use.source, str):
                    place = (str(use.post), use.reference.line)
                    for link in {use.source, split_style(use.source)[0]}:
                        self._places.setdefault(link, []).append(place)

    def place(self, link: str) -> str:
        """Where it stands first, and how often besides."""
        (post, line), *others = self._places[link]
        more = self._say(" (and {n} more)", n=len(others)) if others else ""
        return f"{printable(post)}:{line}{more}"

    def checked(self, one: Checked, *, is_kept: bool) -> str:
        """How a link is that is not fine, and what to do, in a line."""
        word = self._say(_WORDS[one.verdict])
        reason = self._say(one.reason) if one.reason else ""
        is_ours = one.is_own and one.verdict == "private"
        advice = self._say(_OWN if is_ours else _ADVICE[one.verdict, is_kept])
        return self._say(
            "{place}: {word}: {link}: {reason}; {advice}",
            place=self.place(one.link),
            word=word,
            link=one.link,
            reason=reason,
            advice=advice,
        )

    def checked_json(self, one: Checked, recorded: Recorded, *, is_kept: bool) -> object:
        """All that is known of a link."""
        return {
            "url": one.link,
            "state": one.verdict,
            "reason": self._say(one.reason) if one.reason else "",
            "kept": is_kept,
            "ids": [row.id for row in recorded.at(one.link)],
            "needs_tag": one.needs_tag,
            "places": self._places_json(one.link),
        }

    def kept(self, one: Kept) -> str:
        """Why nothing was kept, in a line."""
        reason = self._say(one.problem) if one.problem else ""
        told = {"place": self.place(one.link), "link": one.link, "reason": reason}
        if one.problem and "url" in one.problem.fields:
            return self._say("{place}: {reason}", **told)
        return self._say("{place}: {link}: {reason}", **told)

    def kept_json(self, one: Kept) -> object:
        """What became of a link."""
        return {
            "url": one.link,
            "kept": one.problem is None,
            "reason": self._say(one.problem) if one.problem else "",
            "size_bytes": one.size_bytes,
            "places": self._places_json(one.link),
        }

    def _places_json(self, link: str) -> object:
        return [{"post": post, "line": line} for post, line in self._places[link]]
