"""Masking: a secret is found whatever it was turned into, and nothing else is."""

from __future__ import annotations

import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from random import Random
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imghost.secret import Secret
from imghost.transport.masking import masked
from tests.fakes.bilibili import BILI_JCT, SESSDATA
from tests.fakes.canaries import leaked

SECRETS = [Secret(SESSDATA), Secret(BILI_JCT)]
PLAIN = [SESSDATA, BILI_JCT]
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60)
AROUND = st.binary(max_size=7).filter(lambda data: not set(data) & set(b"%\\"))  # no escapes
SPELLINGS: list[Callable[[str], str]] = [
    str,
    lambda char: f"%{ord(char):02x}",
    lambda char: f"%{ord(char):02X}",
    lambda char: f"%25{ord(char):02X}",
    lambda char: f"\\u{ord(char):04x}",
    lambda char: f"\\\\u{ord(char):04X}",
]
READINGS: list[Callable[[str], str]] = [str, unquote, lambda plain: quote(plain, safe="")]


@pytest.mark.parametrize("secret", PLAIN)
@pytest.mark.parametrize("read", READINGS)
@pytest.mark.parametrize("spell", SPELLINGS)
def test_every_spelling(
    secret: str, read: Callable[[str], str], spell: Callable[[str], str]
) -> None:
    """However each letter is written, a mask stands in the secret's place."""
    text = "".join(map(spell, read(secret)))
    assert leaked(text, PLAIN) == [secret]
    assert masked(f"a {text} b", SECRETS) == "a ******** b"


@given(PRINTABLE, st.randoms())
def test_spellings_mixed(secret: str, chance: Random) -> None:
    """Each letter may be written in its own way."""
    text = "".join(chance.choice(SPELLINGS)(char) for char in secret)
    assert masked(f"\n{text}\n", [Secret(secret)]) == "\n********\n"


@pytest.mark.parametrize("secret", PLAIN)
@pytest.mark.parametrize("read", READINGS)
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@given(before=AROUND, after=AROUND)
def test_base64(
    secret: str,
    read: Callable[[str], str],
    encode: Callable[[bytes], bytes],
    before: bytes,
    after: bytes,
) -> None:
    """In base64 of either alphabet it is found wherever it began."""
    text = encode(before + read(secret).encode() + after).decode()
    assert leaked(text, PLAIN) == [secret]
    for sent in (text, text.replace("/", "\\/"), quote(text, safe="")):
        assert not leaked(masked(sent, SECRETS), PLAIN)


@given(st.text())
def test_other_text_stays(text: str) -> None:
    """Where no secret is, nothing changes."""
    assert masked(text, SECRETS) == text


def test_short_secrets_stay() -> None:
    """What is too short to be told from other words is not looked for."""
    assert masked("a short text", [Secret("short"), Secret("")]) == "a short text"


@pytest.mark.parametrize("piece", ["\\", "%", "%25", "\\u0030", "0", "%2525", "0a1b2c3d"])
def test_long_texts_take_no_time(piece: str) -> None:
    """A mebibyte made to look like the beginning of a secret is read in well under a second."""
    begun = time.process_time()
    masked(piece * ((1 << 20) // len(piece)), SECRETS)
    assert time.process_time() - begun < 2
