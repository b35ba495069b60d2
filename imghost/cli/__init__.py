"""The command line: find the command, run it, print what it gives, and exit with its code."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from imghost import __version__
from imghost.cli.console import Console
from imghost.cli.context import Context
from imghost.cli.parser import Parser
from imghost.cli.picgo import OPTION, PicgoConsole, take_flag
from imghost.dirs import find_dirs
from imghost.errors import ImghostError, Interrupted, JournalDamaged, UsageError

COMMANDS = (
    *("upload", "watch", "serve", "status", "pause", "resume", "putback", "stop"),
    *("history", "retry", "prune", "migrate", "links", "export", "import", "config"),
    *("login", "logout", "autostart", "doctor"),
)
_KEYWORDS = {"import": "import_"}
_SUMMARY = "Copy an image, paste a link."
_GARBAGE = 20_000  # looking for it while modules load takes a twentieth of a short command


def run() -> NoReturn:
    """Be the program; it ends without taking its modules apart, which takes a tenth of its time."""
    _keep_stderr()
    _interrupt_by_signals()
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or none at all
            stream.flush()
    os._exit(code)


def run_picgo() -> NoReturn:
    """Be the program as others call PicGo's."""
    sys.argv.insert(1, OPTION)
    run()


def _interrupt_by_signals() -> None:
    """Whatever is to end a command ends it as Ctrl-C does: nothing unfinished is left behind."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _keep_stderr() -> None:
    """Speak on a handle of one's own: that of the process is closed while some decoders work."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or none at all
        sys.stderr = open(os.dup(sys.stderr.fileno()), "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for good


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command with this process's arguments and streams; its exit code."""
    gc.set_threshold(_GARBAGE)
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not take_flag(words):
        return _guarded(words, Console.of_process(), COMMANDS)
    console = PicgoConsole.of_process()
    return console.finish(_guarded(words, console, COMMANDS[:1]))


def _guarded(words: list[str], console: Console, commands: Sequence[str]) -> int:
    try:
        return _run(words, console, commands)
    except KeyboardInterrupt:
        console.tell("interrupted; what was accepted is kept, see imghost status")
        return Interrupted.exit_code
    except BrokenPipeError:  # whoever read the output has seen enough
        console.abandon()
        return 0
    except ImghostError as exc:
        console.tell(exc.message)
        return exc.exit_code
    except Exception as exc:  # noqa: BLE001 - logged with its traceback
        return _tell_bug(exc, console)


def _run(words: list[str], console: Console, commands: Sequence[str]) -> int:
    context = Context(os.environ, console, _take_option(words, "--config"))
    context.choose_language()
    if not words or words[0] in ("-h", "--help"):
        console.line(_overview(console))
        return 0 if words else UsageError.exit_code
    if words == ["--version"]:
        console.line(f"imghost {__version__}")
        return 0
    if words[0] == "-copy":
        words[0] = "watch"
    name = words.pop(0) if words[0] in commands else COMMANDS[0]
    command = _module(name)
    if words and words[0] in getattr(command, "ACTIONS", ()):
        name = f"{name} {words.pop(0)}"
        command = _module(name.replace(" ", "_"))
    parser = Parser(f"imghost {name}", command.SUMMARY, console.say)
    command.add_arguments(parser)
    options = parser.parse(words)
    console.quiet = getattr(options, "quiet", False)
    as_json = getattr(options, "json", False)
    try:
        return console.print(command.run(options, context), as_json=as_json)
    except JournalDamaged:
        if console.has_printed:
            raise
        context.repair_journal()
        return console.print(command.run(options, context), as_json=as_json)


def _module(name: str) -> Any:  # noqa: ANN401 - as modules are
    return import_module(f"imghost.cli.{_KEYWORDS.get(name, name)}")


def _tell_bug(exc: Exception, console: Console) -> int:
    import logging

    from imghost.log import start_log

    folder = find_dirs(os.environ).logs
    start_log(folder, "info")
    logging.getLogger(__name__).error("a bug", exc_info=exc)
    console.tell(
        "this is a bug in imghost, and nothing that you did: {detail}; the log in {folder} has the "
        "details",
        detail=f"{type(exc).__name__}: {exc}",
        folder=str(folder),
    )
    return ImghostError.exit_code


def _take_option(words: list[str], name: str) -> str:
    for at, word in enumerate(words):
        if word == "--":
            break
        if word.startswith(f"{name}="):
            return words.pop(at).partition("=")[2]
        if word == name:
            if at + 1 == len(words):
                raise UsageError("{name} needs a value after it", name=name)
            del words[at]
            return words.pop(at)
    return ""


def _overview(console: Console) -> str:
    say = console.say
    summaries = {name: _module(name).SUMMARY for name in COMMANDS}
    return "\n".join(
        [
            f"imghost: {say(_SUMMARY)}",
            "",
            *(f"  imghost {name:<9}  {say(text)}" for name, text in summaries.items()),
            "",
            say("imghost PATH alone uploads. Each command tells more: imghost upload --help"),
            say("--config FILE works with another config; --version tells the version."),
        ]
    )
