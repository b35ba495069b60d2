"""Where images can go: to add a host, write its file and its line here."""

from __future__ import annotations

from collections.abc import Mapping

from imghost.hosts.base import Kind
from imghost.hosts.bilibili import BilibiliHost
from imghost.hosts.local import LocalHost
from imghost.hosts.s3 import S3Host

HOSTS: Mapping[str, Kind] = {kind.name: kind for kind in (LocalHost, BilibiliHost, S3Host)}
