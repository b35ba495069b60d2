"""The one place for HTTP: a request goes out once, in time, and what goes wrong has its own error."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from imghost.errors import HostError, HostRefused, HostUnavailable, LoginExpired
from imghost.secret import MASK, Secret
from imghost.text import printable
from imghost.web import Reply, Request

if TYPE_CHECKING:
    from imghost.wire import Call
