"""imghost login: a code to scan with the phone, or a browser's cookies."""

from __future__ import annotations

import argparse
import time
from contextlib import closing

from imghost import config_file
from imghost.account import days_left, time_left
from imghost.cli.console import Answer, Console
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.errors import LoginExpired, UsageError
from imghost.hosts.bilibili import WARNINGS
from imghost.hosts.bilibili_login import CODE_S, Code, Scan
from imghost.logging_in import LoggingIn, Progress
from imghost.login import Login, LoginFile
from imghost.models import Message
from imghost.secret import Secret
from imghost.transport import Http

SUMMARY = "Log in to Bilibili with its app on your phone."
_HOST = config_file.LOGIN_HOST
_CODES = 3
_STATES = {
    Scan.WAITING: Message("not scanned yet"),
    Scan.SCANNED: Message("scanned: confirm it on your phone"),
}
_NO_ANSWER = Message("no answer; asking again")


def add_arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add(
        "--cookies",
        action="store_true",
        help="by the Cookie line of a browser, which is asked for, or read from standard input",
    )


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Log in, keep the login, say what there is to know, and ask whether it is to be used."""
    console, config = context.console, context.config
    settings = config.of_host(_HOST)
    with closing(Http(timeout_s=settings.timeout_s, proxy=settings.proxy)) as http:
        logging_in = LoggingIn(context.source, LoginFile(context.dirs.login), config, http)
        progress = _pasted(logging_in, console) if options.cookies else _scan(logging_in, console)
    if progress.login:
        _tell(progress.login, console)
    for note in progress.notes:
        console.tell(note)
    _offer(context)
    return Answer([])


def _pasted(logging_in: LoggingIn, console: Console) -> Progress:
    try:
        line = console.ask_hidden("the Cookie line of a page of bilibili.com (not shown):")
    except EOFError:
        raise UsageError("no cookies were given; nothing has changed") from None
    return logging_in.take(Secret(line))


def _scan(logging_in: LoggingIn, console: Console) -> Progress:
    for _ in range(_CODES):
        code = logging_in.new_code()
        _show(code, console)
        progress = _followed(logging_in, code, console)
        if progress.scan is Scan.DONE:
            return progress
    raise LoginExpired("nobody scanned {count} codes; try again when you are ready", count=_CODES)


def _show(code: Code, console: Console) -> None:
    from imghost.cli.qr_code import drawn

    columns, rows = console.room()
    if lines := drawn(code.address, columns, rows - 1):
        console.tell("scan this with the Bilibili app on your phone:")
        console.draw(lines)
        return
    if columns:
        console.tell("this window is too small for the code; make it larger and start again, or:")
    console.tell(
        "draw the QR code of this address, and scan it with the Bilibili app on your phone; the "
        "gallery's login page draws one too: {address}",
        address=code.address.reveal(),
    )


def _followed(logging_in: LoggingIn, code: Code, console: Console) -> Progress:
    """Show what becomes of the code until it is done or has expired."""
    until, progress = time.monotonic() + CODE_S, Progress(Scan.WAITING)
    told = None
    while (left_s := until - time.monotonic()) > 0:
        state = progress.problem or _STATES[progress.scan]
        if console.watched:
            state = _NO_ANSWER if progress.problem else state  # the line must not be too long
            left = f"{int(left_s) // 60}:{int(left_s) % 60:02}"
            console.bar(console.say("{state} · {left} left", state=state, left=left))
        elif state != told:
            console.tell(state)
            told = state
        time.sleep(progress.rest_s)
        progress = logging_in.poll(code)
        if progress.scan in (Scan.DONE, Scan.EXPIRED):
            break
    console.bar("")
    if progress.scan is not Scan.DONE:
        console.tell("the code has expired")
    return progress


def _tell(login: Login, console: Console) -> None:
    if login.name or login.mid:
        console.tell("logged in to Bilibili as {name}", name=login.name or login.mid)
    else:
        console.tell("logged in to Bilibili, which did not tell the name just now")
    days = days_left(login.ends_at, time.time())
    if days is not None:
        left = time_left(days)
        console.tell("{left}; imghost tells you a week before it ends", left=left)


def _offer(context: Context) -> None:
    console = context.console
    if context.config.host == _HOST:
        return
    for message in WARNINGS:
        console.tell(message)
    if not console.asked:
        console.tell("imghost config set host bilibili uses it for new pictures")
    elif console.ask("Use Bilibili for new pictures? [y/N]"):
        config_file.change(context.config_file, "host", _HOST, context.environ)
        console.tell("new pictures go to Bilibili")
