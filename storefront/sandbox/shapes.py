"""A help for writing down objects that have many more fields than a sandbox has uses for."""

from typing import Any


def nulls(names: str) -> dict[str, Any]:
    """Return the named fields, each of them null, as Stripe sends what does not apply."""
    return dict.fromkeys(names.split())
