"""How wide a text can turn out: a page is drawn here, and read with fonts unknown here."""

from __future__ import annotations

import unicodedata

# In ems, as DejaVu Sans or Verdana has them, whichever is wider: of the fonts that a browser
# shows as sans-serif these are the widest. Arial takes a sixth less.
_WIDTHS = {
    character: width
    for width, characters in (
        (0.38, " ',.ijl"),
        (0.46, "!()-/:;I[\\]Jfrt|"),
        (0.56, "`csz"),
        (0.64, "0123456789abdeghknopquvxy"),
        (0.70, "ABCEFKLPRSTVXYZ"),
        (0.79, "DGHNOQU"),
        (1.08, "%@MWm…"),
    )
    for character in characters
}
_OTHER_ASCII, _OTHER_LETTER, _EMOJI = 0.84, 1.10, 1.25
_ELLIPSIS = "…"


def widest(text: str, size: float) -> float:
    """The width that a text of a font size takes at most, in the unit of that size."""
    return size * sum(map(_ems, text))


def fitted(text: str, room: float, size: float) -> str:
    """The text, or its beginning and an ellipsis where it could be wider than `room`."""
    if widest(text, size) <= room:
        return text
    left = room - widest(_ELLIPSIS, size)
    for number, character in enumerate(text):
        left -= widest(character, size)
        if left < 0:
            return text[:number].rstrip() + _ELLIPSIS
    return text


def _ems(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0  # drawn over the one before, or not at all
    plain = unicodedata.normalize("NFD", character)[0]  # without its accent
    if plain in _WIDTHS:
        return _WIDTHS[plain]
    if plain.isascii():
        return _OTHER_ASCII
    return _OTHER_LETTER if plain.isalpha() else _EMOJI
