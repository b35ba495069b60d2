"""What the daemon does for editors that call its door."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from imghost.app import App
from imghost.errors import ConfigError, HostRefused, UsageError
from imghost.forget import forget
from imghost.hosts.base import Deletes, KeepsFiles
from imghost.imaging.prepare import few_at_once
from imghost.imaging.style import split_style
from imghost.server.asked import Input, UploadRequest
from imghost.server.wire import Settled

if TYPE_CHECKING:
    from imghost.imaging.prepare import Prepare
    from imghost.watch.watcher import Watcher

_FILES_HOST = "local"


class Editors:
    """Each method may be called from several threads; `watcher` is None in a mere server."""

    def __init__(
        self,
        app: App,
        upload: Callable[[UploadRequest, threading.Event, Prepare], Iterator[Settled]],
        watcher: Watcher | None,
    ) -> None:
        self._app = app
        self._watcher = watcher
        self._upload = upload

    def upload(self, request: UploadRequest, gone: threading.Event) -> Iterator[Settled]:
        """Accept and send the inputs, until nobody listens any more.

        A call's images are decoded one after the other: one process does for a hundred of them, and
        another editor finds one that is free.
        """
        return self._upload(request, gone, few_at_once(self._app.prepare, 1))

    def check(self, host: str, bucket: str) -> None:
        """Raise ConfigError unless the host is known, and the bucket of it or used there."""
        pipeline = self._app.checked_pipeline()
        target = pipeline.config.target(host, bucket)
        known = {
            *pipeline.hosts(target.host).buckets,
            *self._app.journal.buckets(target.host),
            pipeline.config.of_host(target.host).bucket,
        }
        if target.bucket not in known:
            raise ConfigError(
                "unknown bucket {bucket}; known at {host} are {known}",
                bucket=target.bucket,
                host=target.host,
                known=", ".join(sorted(known)),
            )

    def copied(self) -> Sequence[Input]:
        """The images on the clipboard, by the daemon's own eyes if it has any.

        Where it has put a link in an image's place already, that image is meant.
        """
        from imghost.copying import held_now, inputs_of, replaced_inputs

        max_bytes = self._app.config.limits.input_bytes
        board = self._watcher.board if self._watcher else None
        held = board.held_now(max_bytes) if board else held_now(os.environ, max_bytes)
        given = self._watcher.given if self._watcher else tuple[int, ...]
        return inputs_of(held, self._app.off_limits) or replaced_inputs(given())

    def known(self, links: Collection[str]) -> Mapping[str, int | None]:
        """Those of the links that are ours, whatever their style, with the ids of their uploads."""
        plain = {link: split_style(link)[0] for link in links}
        rows = self._app.journal.with_links({*plain.values()})
        ids = {row.url: row.id for row in rows}
        return {
            link: ids.get(url)
            for link, url in plain.items()
            if url in ids or self._is_file_of_ours(url)
        }

    def delete(self, record_id: int, link: str) -> None:
        """Delete the upload here and at its host, if that is its link. Raises ImghostError."""
        pipeline, record = self._app.pipeline(), self._app.journal.get(record_id)
        if split_style(link)[0] not in {record.url, pipeline.current(record).url} - {""}:
            raise UsageError("{url} is not the link of the upload {id}", url=link, id=record_id)
        if not isinstance(pipeline.hosts(record.host), Deletes):
            raise HostRefused(
                "{host} cannot delete images; imghost history rm {id} forgets it here only",
                host=record.host,
                id=record_id,
            )
        forget(self._app, record, at_host=True)

    def _is_file_of_ours(self, url: str) -> bool:
        host = self._app.pipeline().hosts(_FILES_HOST)
        bucket, key = ["", "", *url.split("/")][-2:]
        return (
            isinstance(host, KeepsFiles)
            and url == host.link(bucket, key)
            and host.find(bucket, key) is not None
        )
