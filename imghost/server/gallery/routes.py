"""The gallery's addresses."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING

from imghost.server.gallery.answered import Answers
from imghost.server.gallery.calls import Calls
from imghost.server.gallery.login_calls import LoginCalls
from imghost.server.gallery.pages import Pages, static_version
from imghost.server.gallery.pictures import Pictures
from imghost.server.gallery.sending import Sending
from imghost.server.gallery.views import Views

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from imghost.secret import Secret
    from imghost.server.gallery.contents import Gallery
    from imghost.server.renderings import Renderings
    from imghost.text import Speaker


def gallery_routes(
    gallery: Gallery,
    renderings: Renderings,
    token: Secret,
    workers: Executor,
    say: Speaker,
    max_input_bytes: int,
) -> list[BaseRoute]:
    """The routes at / and below /gallery; `token` is the pages' own, not that of commands."""
    from starlette.routing import Route

    pages = Pages(say, token)
    answers = Answers(pages, say, token, workers)
    views = Views(gallery, pages, answers)
    pictures = Pictures(gallery, renderings, answers)
    calls = Calls(gallery, answers)
    logging_in = LoginCalls(gallery.login, answers, say)
    sending = Sending(gallery, answers, say, max_input_bytes)
    seen = {
        "/": answers.page(views.gallery),
        "/picture/{id}": answers.page(views.picture),
        "/settings": answers.page(views.settings),
        "/login": answers.page(views.login),
        f"/gallery/static/{static_version()}/{{name}}": answers.data(pictures.static),
        "/gallery/thumbnail/{id}": answers.data(pictures.thumbnail),
        "/gallery/whole/{id}": answers.data(pictures.whole),
        "/gallery/styled/{id}": answers.data(pictures.styled),
        "/gallery/texts": answers.data(calls.texts),
        "/gallery/bench/{id}": answers.data(calls.bench),
    }
    changed = {
        "/gallery/preview": sending.preview,
        "/gallery/upload": sending.upload,
        "/gallery/retry": calls.retry,
        "/gallery/discard": calls.discard,
        "/gallery/forget": calls.forget,
        "/gallery/choose": calls.choose,
        "/gallery/watch": calls.watch,
        "/gallery/login/begin": logging_in.begin,
        "/gallery/login/poll": logging_in.poll,
        "/gallery/login/forget": logging_in.forget,
    }
    return [
        *(Route(path, endpoint, methods=["GET"]) for path, endpoint in seen.items()),
        *(
            Route(path, answers.change(endpoint), methods=["POST"])
            for path, endpoint in changed.items()
        ),
    ]
