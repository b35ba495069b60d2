"""What the daemon does by itself: send what is queued, look after links and dead processes."""

from __future__ import annotations

import time
from collections.abc import Iterable

from imghost.app import App
from imghost.forget import forget_unanswered
from imghost.imaging.crew import Crew
from imghost.looks import Looks
from imghost.presence import Presence
from imghost.senders import Senders
from imghost.survival import Survival
from imghost.watch.login_news import LoginNews

_REST_S = 2.0
_CARE_S = 30.0


class Caretaker:
    """One thread runs it; `senders` send what goes out, `looks` are at what went out.

    `login_news` are None where a watcher tells them.
    """

    def __init__(
        self,
        app: App,
        presence: Presence,
        senders: Senders,
        looks: Looks,
        survive: Survival,
        login_news: LoginNews | None,
    ) -> None:
        self._app = app
        self._presence = presence
        self._senders = senders
        self._looks = looks
        self._survive = survive
        self._login_news = login_news
        self._cared_at = float("-inf")
        self._began_at = time.time() - time.monotonic()  # a clock set forward makes nothing older

    def run(self, crews: Iterable[Crew]) -> None:
        """Look after everything until the outbox is stopped.

        The processes of `crews` end when they have had no work for a while.
        """
        while not self._app.outbox.stopping:
            self._survive(self._round)
            for crew in crews:
                crew.reap_idle()
            self._app.outbox.rest(_REST_S)

    def _round(self) -> None:
        app = self._app
        self._presence.keep()
        app.owner.keep()
        app.look_after_journal(thorough=self._survive.in_doubt)
        self._survive.in_doubt = False
        if time.monotonic() - self._cared_at > _CARE_S:
            self._cared_at = time.monotonic()
            app.reap()
            forget_unanswered(app, min(time.time(), self._began_at + time.monotonic()))
            if self._login_news:
                self._login_news.look()
        app.pipeline()  # a changed config may lift a hold
        app.outbox.tidy()
        self._senders.send_queued()
        if app.config.verify.after_upload:
            self._looks.begin_due()
