"""A QR code in the terminal: black on white whatever its colours are, two squares a character."""

from __future__ import annotations

from imghost.secret import Secret

_BLACK_ON_WHITE, _AS_BEFORE = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_MARGINS = (4, 2, 1)  # readers want four squares of white around, and get along with one


def drawn(text: Secret, columns: int, rows: int) -> list[str]:
    """The lines of the code with as much margin as there is room for; none if it is too large."""
    import segno

    code = segno.make_qr(text.reveal(), error="l")
    for margin in _MARGINS:
        squares = [[bool(dark) for dark in row] for row in code.matrix_iter(border=margin)]
        if len(squares[0]) <= columns and (len(squares) + 1) // 2 <= rows:
            return _lines(squares)
    return []


def _lines(squares: list[list[bool]]) -> list[str]:
    white = [False] * len(squares[0])
    pairs = zip(squares[::2], [*squares[1::2], white], strict=False)
    return [
        f"{_BLACK_ON_WHITE}{''.join(map(_BLOCKS.__getitem__, zip(*pair, strict=True)))}{_AS_BEFORE}"
        for pair in pairs
    ]
