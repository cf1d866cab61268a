"""Lists as the API gives them: newest first, by cursor, with filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storefront.sandbox.errors import invalid
from storefront.sandbox.params import Field, Group, Integer, Raw, Text
from storefront.sandbox.router import Call
from storefront.sandbox.store import Tx

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Moments:
    """A time, or a hash of bounds for one: read as a list of (SQL comparison, seconds)."""

    def read(self, raw: Raw, name: str) -> list[tuple[str, int]]:
        if isinstance(raw, str):
            return [("=", Integer().read(raw, name))]
        bounds = Group({key: Integer() for key in COMPARISONS}).read(raw, name)
        return [(COMPARISONS[key], value) for key, value in bounds.items()]


PAGING: dict[str, Field] = {
    "limit": Integer(1, 100),
    "starting_after": Text(),
    "ending_before": Text(),
}


def list_objects(
    call: Call,
    type: str,
    url: str,
    filters: dict[str, str] | None = None,
    condition: str = "1",
) -> dict[str, Any]:
    """Return one page of the objects of a type.

    `filters` maps parameters to JSON paths; a parameter given as a list selects any of its values.
    `condition` is fixed SQL that holds for all.
    """
    where = ["type = ?", condition]
    values: list[Any] = [type]
    for comparison, moment in call.params.get("created", []):
        where.append(f"created {comparison} ?")
        values.append(moment)
    for param, path in (filters or {}).items():
        if param in call.params:
            wanted = call.params[param]
            wanted = wanted if isinstance(wanted, list) else [wanted]
            where.append(f"json_extract(data, '{path}') IN ({','.join('?' * len(wanted))})")
            values.extend(wanted)
    return page(call, where, values, url)


def page(call: Call, where: list[str], values: list[Any], url: str) -> dict[str, Any]:
    """Return the page of a selection that the paging parameters ask for."""
    limit = call.params.get("limit", 10)
    order = "DESC"
    if "starting_after" in call.params:
        where.append("seq < ?")
        values.append(_position(call.tx, call.params["starting_after"], "starting_after"))
    elif "ending_before" in call.params:
        where.append("seq > ?")
        values.append(_position(call.tx, call.params["ending_before"], "ending_before"))
        order = "ASC"
    found = call.tx.select(
        " AND ".join(where), tuple(values), f"ORDER BY seq {order} LIMIT {limit + 1}"
    )
    shown = found[:limit] if order == "DESC" else found[:limit][::-1]
    return make_list(shown, url, has_more=len(found) > limit)


def make_list(data: Sequence[dict[str, Any]], url: str, has_more: bool = False) -> dict[str, Any]:
    """Return a list object around data that is already chosen."""
    return {"object": "list", "data": list(data), "has_more": has_more, "url": url}


def page_of(call: Call, data: list[dict[str, Any]], url: str) -> dict[str, Any]:
    """Return the page that the paging parameters ask for from a short list in the order given."""
    limit = call.params.get("limit", 10)
    ids = [item["id"] for item in data]
    start = 0
    if "starting_after" in call.params:
        if call.params["starting_after"] not in ids:
            raise invalid("No such object", "starting_after", "resource_missing")
        start = ids.index(call.params["starting_after"]) + 1
    shown = data[start : start + limit]
    return make_list(shown, url, has_more=len(data) > start + limit)


def _position(tx: Tx, id: str, param: str) -> int:
    row = tx.connection.execute("SELECT seq FROM objects WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise invalid(f"No such object: '{id}'", param, "resource_missing")
    return int(row[0])
