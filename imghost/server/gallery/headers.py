"""The headers of the gallery's answers: nothing runs, is framed, referred or stored."""

from __future__ import annotations

from collections.abc import Mapping

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "form-action 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)

COMMON: Mapping[str, str] = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
PAGE: Mapping[str, str] = {**COMMON, "content-security-policy": "; ".join(_POLICY)}
DATA: Mapping[str, str] = {**COMMON, "content-security-policy": "default-src 'none'; sandbox"}
STATIC: Mapping[str, str] = {**DATA, "cache-control": "private, max-age=31536000, immutable"}
