"""How a row of the table is written."""

from __future__ import annotations

from typing import NamedTuple


class Threat(NamedTuple):
    """One thing that may happen. `tests` maps a file under tests/ to the names of its tests."""

    what: str
    tests: dict[str, tuple[str, ...]]
    but: str = ""


def _names(text: str) -> tuple[str, ...]:
    return tuple(f"test_{name}" for name in text.split())


def threat(what: str, but: str = "", **tests: str) -> Threat:
    """A row; `folder__file="name other_name"` names tests without their `test_`."""
    return Threat(
        what,
        {
            "/".join([*path.split("__")[:-1], f"test_{path.split('__')[-1]}.py"]): _names(names)
            for path, names in tests.items()
        },
        but,
    )
