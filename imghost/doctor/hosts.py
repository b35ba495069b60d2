"""Trials of the hosts: the login, a tiny picture there and back, and the pages that show it."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from email.utils import parsedate_to_datetime
from io import BytesIO

from imghost.account import account_of
from imghost.config import Config
from imghost.config_file import LOGIN_HOST
from imghost.doctor.referrer import sends_no_referrer
from imghost.doctor.trial import Case, NotTriedError
from imghost.errors import ConfigError, HostRefused, HostUnavailable, LoginExpired, MachineError
from imghost.hosts import HOSTS
from imghost.hosts.base import Deletes, Host, KeepsFiles, NeedsLogin
from imghost.hosts.bilibili_login import Passport
from imghost.hosts.local import LocalHost
from imghost.imaging.check import Caps, check
from imghost.keep.owner import Owner
from imghost.links import REFERRER_TAG
from imghost.login import Login
from imghost.models import Image, Message, Stored
from imghost.open_hosts import OpenHosts
from imghost.transport import Http
from imghost.transport.web import Reply, Request

HOST_LIMIT_S = 60.0
_BLOG_S = 20.0
_PAGE_BYTES = 2_000_000
_MORE_BYTES = 4096
_SIDE_PX = 8
_AGAIN_S = (0.0, 1.0, 3.0)  # an image server may need a moment
_SKEW_S = 300.0
_OK = 200
_FOREIGN_PAGE = "https://example.org/"


def hosts_that_publish(case: Case) -> list[str]:
    """The hosts that are set up, and whose pictures others can see."""
    if case.config is None:
        return []
    with closing(OpenHosts(case.config, case.base_url, case.dirs.local, case.dirs.tmp)) as hosts:
        return [name for name in HOSTS if _publishes(name, case.config, hosts)]


def try_login(case: Case) -> Message:
    """It is known there, and does not end soon."""
    config = case.settings
    account = account_of(case.source, config)
    if account is None:
        if config.host == LOGIN_HOST:
            raise LoginExpired("{host} wants you to log in: imghost login", host=LOGIN_HOST)
        raise NotTriedError(Message("nobody is logged in; imghost login does that"))
    own = config.of_host(LOGIN_HOST)
    with closing(Http(timeout_s=own.timeout_s, proxy=own.proxy)) as http:
        login = Passport(own, http).named(Login(own.sessdata, own.bili_jct, account.ends_at))
    fields: dict[str, str | float] = {"host": LOGIN_HOST, "name": login.name}
    if math.isinf(account.ends_at):
        return Message("{host} knows you as {name}", fields)
    days = account.days_left(time.time()) or 0
    return Message("{host} knows you as {name}, for {days} days", fields | {"days": days})


def try_host(name: str, case: Case) -> Message:
    """A tiny picture goes there, comes back the same, and is deleted again where that can be."""
    with _opened(case) as hosts:
        if not _is_set_up(name, case.settings, hosts):
            raise NotTriedError(Message("it is not set up"))
        host = hosts(name)
        if host.is_public and name not in case.agreed:
            raise NotTriedError(
                Message("it would publish a tiny picture there; add --yes, or say yes")
            )
        return _tried(host, case.settings.target(name).bucket, is_served=case.door is not None)


def try_blog(case: Case) -> Message:
    """Its pages keep to themselves where a picture is shown, as some hosts want it."""
    blog = case.settings.verify.blog
    if not blog:
        raise NotTriedError(Message("verify.blog is empty: set it to a page of yours"))
    with closing(Http(timeout_s=_BLOG_S)) as http:
        reply = http.send(Request("GET", blog, max_bytes=_PAGE_BYTES))
    _check_clock(reply, "verify.blog")
    if reply.status != _OK:
        raise HostUnavailable("{url} answers {status}", url=blog, status=reply.status)
    if sends_no_referrer(reply.headers, reply.body):
        return Message("{url} has the referrer tag", {"url": blog})
    if LOGIN_HOST in (case.settings.host, *case.agreed):
        raise HostRefused(
            "pictures of {host} stay blank on {url}: put {tag} into the head of its pages",
            host=LOGIN_HOST,
            url=blog,
            tag=REFERRER_TAG,
        )
    return Message("{url} has no referrer tag; your hosts need none", {"url": blog})


@contextmanager
def _opened(case: Case) -> Iterator[OpenHosts]:
    config, dirs = case.settings, case.dirs
    with (
        closing(Owner(dirs.run, dirs.tmp)) as owner,
        closing(OpenHosts(config, case.base_url, dirs.local, owner.tmp)) as hosts,
    ):
        yield hosts


def _publishes(name: str, config: Config, hosts: OpenHosts) -> bool:
    try:
        return _is_set_up(name, config, hosts) and hosts(name).is_public
    except ConfigError:  # its trial tells
        return False


def _is_set_up(name: str, config: Config, hosts: OpenHosts) -> bool:
    if name in (config.host, LocalHost.name):
        return True
    if config.of_host(name) == HOSTS[name].Config():  # nothing of it was ever set
        return False
    host = hosts(name)
    return host.has_login if isinstance(host, NeedsLogin) else True


def _tried(host: Host, bucket: str, *, is_served: bool) -> Message:
    image = _tiny_picture()
    began = time.monotonic()
    stored = host.upload(image, bucket)
    try:
        if isinstance(host, KeepsFiles) and not (is_served or host.is_public):
            shown = _shown_by_file(host, stored, image)
        else:
            shown = _shown_by_link(host, stored, image)
        ms = round(1000 * (time.monotonic() - began))
    finally:
        left = _deleted(host, stored)
    return Message(
        "a tiny picture came back after {ms} ms; {shown}; {left}",
        {"ms": ms, "shown": shown, "left": left},
    )


def _tiny_picture() -> Image:
    """One that no host has yet."""
    from PIL import Image as Pillow

    file = BytesIO()
    noise = os.urandom(3 * _SIDE_PX * _SIDE_PX)
    Pillow.frombytes("RGB", (_SIDE_PX, _SIDE_PX), noise).save(file, "PNG")
    return check(file.getvalue(), "imghost-doctor.png", Caps())


def _shown_by_file(host: KeepsFiles, stored: Stored, image: Image) -> Message:
    path = host.find(stored.bucket, stored.key)
    if path is None or path.read_bytes() != image.data:
        raise HostRefused("the picture was stored, and is not there; see whether the disk is well")
    return Message("its link answers while imghost runs")


def _shown_by_link(host: Host, stored: Stored, image: Image) -> Message:
    for wait_s in _AGAIN_S:
        time.sleep(wait_s)
        reply = _fetched(host, stored, image, {})
        if reply.status == _OK:
            break
    else:
        raise HostRefused(
            "the picture was taken, but its link answers {status}: {url}",
            status=reply.status,
            url=stored.url,
        )
    if reply.body != image.data:
        raise HostRefused("its link shows other bytes than were sent: {url}", url=stored.url)
    _check_clock(reply, stored.host)
    on_a_page = _fetched(host, stored, image, {"Referer": _FOREIGN_PAGE})
    if on_a_page.status == _OK and on_a_page.body == image.data:
        return Message("every page shows it")
    return Message(
        "pages show it only if they send no Referer: put {tag} into their head",
        {"tag": REFERRER_TAG},
    )


def _fetched(host: Host, stored: Stored, image: Image, headers: Mapping[str, str]) -> Reply:
    return host.http.send(
        Request("GET", stored.url, headers, max_bytes=len(image.data) + _MORE_BYTES)
    )


def _deleted(host: Host, stored: Stored) -> Message:
    if not isinstance(host, Deletes):
        return Message("{host} cannot delete it: {url}", {"host": stored.host, "url": stored.url})
    host.delete(stored)
    return Message("it was deleted again")


def _check_clock(reply: Reply, who: str) -> None:
    """Raise MachineError if the answer's date says that this machine's clock is wrong."""
    try:
        date = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except (ValueError, OverflowError, OSError):
        return
    off_s = time.time() - date
    if abs(off_s) > _SKEW_S:
        raise MachineError(
            "this machine's clock is {minutes} minutes off that of {who}: set it",
            minutes=round(off_s / 60),
            who=who,
        )
