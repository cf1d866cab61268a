"""How stored pictures are named and sized; light, since every page asks, and none draws."""

from __future__ import annotations

WIDTHS = (320, 640, 960, 1280)


def stored_widths(width: int) -> list[int]:
    """The widths, ascending, in which a picture of this width is kept; none is wider."""
    widest = min(width, WIDTHS[-1])
    return [step for step in WIDTHS if step < widest] + [widest]


def file_name(key: str, width: int) -> str:
    """The name of a stored picture's file in this width, below the media folder."""
    return f"{key}-{width}.webp"
