"""What a command knows of its surroundings, found out when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from imghost.cli.console import Console
from imghost.dirs import Dirs, find_dirs
from imghost.disk import is_there
from imghost.door import Door, find_door, settings_of
from imghost.errors import DaemonError
from imghost.text import speaker

if TYPE_CHECKING:
    from imghost.app import App
    from imghost.config import Config
    from imghost.config_file import ConfigFile


class Context:
    """The folders, the config, the running daemon, and the terminal."""

    def __init__(self, environ: Mapping[str, str], console: Console, config_option: str) -> None:
        self.environ = environ
        self.console = console
        self._config_option = config_option

    @cached_property
    def dirs(self) -> Dirs:
        """Where imghost keeps its things."""
        return find_dirs(self.environ)

    @cached_property
    def config_file(self) -> Path:
        """The file that --config or IMGHOST_CONFIG names, else config.json in the config folder."""
        chosen = self._config_option or self.environ.get("IMGHOST_CONFIG", "")
        return Path(chosen).expanduser().absolute() if chosen else self.dirs.config / "config.json"

    @property
    def named_config(self) -> Path | None:
        """The config file, if --config or IMGHOST_CONFIG names it."""
        named = self._config_option or self.environ.get("IMGHOST_CONFIG")
        return self.config_file if named else None

    @cached_property
    def source(self) -> ConfigFile:
        """The config file as a source of configs."""
        from imghost.config_file import ConfigFile
        from imghost.login import LoginFile

        is_named, logins = self.named_config is not None, LoginFile(self.dirs.login)
        return ConfigFile(self.config_file, self.environ, logins, required=is_named)

    @cached_property
    def config(self) -> Config:
        """The config. Raises ConfigError."""
        return self.source.load()

    @cached_property
    def daemon(self) -> Door | None:
        """The door of the running daemon."""
        return find_door(self.dirs)

    def running(self) -> Door:
        """The door of the running daemon. Raises DaemonError if there is none."""
        if self.daemon is None:
            raise DaemonError("no imghost is running; imghost watch starts it")
        return self.daemon

    @cached_property
    def helper(self) -> Door | None:
        """The running daemon, if it works with this very config; looking loads no config."""
        door = self.daemon
        if door and door.settings == settings_of(self.config_file, self.environ, door.token):
            return door
        return None

    def copy(self, text: str) -> None:
        """Put a text onto the clipboard, by the running daemon if it can. Raises MachineError."""
        from imghost.cli.client import copy

        if not (self.daemon and copy(self.daemon, text)):
            from imghost.copying import copy_text

            copy_text(self.environ, text)
        self.console.tell("it is on the clipboard")

    def choose_language(self) -> None:
        """Let the console speak the user's language."""
        if self.helper:
            configured = self.helper.language
        elif is_there(self.config_file):
            from imghost.config_file import language_of

            configured = language_of(self.config_file)
        else:
            configured = ""
        self.console.say = speaker(configured, self.environ)

    def start_log(self) -> None:
        """Write the log file, in the detail that IMGHOST_LOG asks for."""
        from imghost.log import start_log

        start_log(self.dirs.logs, self.environ.get("IMGHOST_LOG", "info"))

    def repair_journal(self) -> None:
        """Have a damaged journal made anew. Raises MachineError."""
        with self.app() as app:
            app.look_after_journal(thorough=True)

    def app(self) -> App:
        """The parts that accept and send, for a command that works by itself. Close it."""
        from imghost.app import App

        self.start_log()
        port = self.config.server.port
        here = f"http://127.0.0.1:{port}" if port else ""
        base_url = self.daemon.url if self.daemon else here
        app = App(self.dirs, self.source, self.config, base_url=base_url)
        if note := app.journal_note:
            self.console.tell(note)
        return app
