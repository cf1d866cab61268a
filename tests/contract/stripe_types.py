"""Stripe's contract, held against a request, an object, an event or an error.

Nothing of Stripe is written down here: `sdk` reads it out of the installed package, so that a
new `stripe` version shows its drift as failing tests.
"""

import re
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl

import stripe
from stripe._list_object import ListObject
from stripe._stripe_object import StripeObject, UntypedStripeObject
from typing_extensions import is_typeddict

from tests.contract import sdk

JSON = dict[str, Any]
UNIONS = (Union, types.UnionType)

# Fields that Stripe leaves out until `expand` asks for them.
ON_DEMAND = {
    "charge": {"refunds"},
    "checkout.session": {"line_items"},
    "customer": {"sources", "subscriptions", "tax", "tax_ids"},
    "invoice": {"payments"},
    "price": {"currency_options", "tiers"},
}
# Objects whose optional fields belong to one kind of them each.
BY_KIND = {"account", "event", "payment_method"}


@dataclass(frozen=True)
class Spot:
    """Where the checker stands: the path for the report, the module that names resolve in."""

    path: str = ""
    module: str = ""
    text: bool = False  # scalars came out of a form
    json: bool = True  # decimals are text
    partial: bool = False  # nothing is required, as in previous_attributes
    complete: bool = False  # fields that may be null must be there all the same

    def at(self, key: str | int, module: str = "") -> "Spot":
        """Return the spot one step further in."""
        step = f"[{key}]" if isinstance(key, int) else f".{key}" if self.path else key
        return replace(self, path=self.path + step, module=module or self.module)

    def wants(self, what: str, value: object) -> list[str]:
        """Return the one problem that a value is not what it should be."""
        enumerated = "'" in what or "literals" in what
        got = repr(value) if enumerated and isinstance(value, str) else type(value).__name__
        return [f"{self.path}: expected {what}, got {got}".removeprefix(": ")]


def check_request(method: str, path: str, params: JSON, *, coerce: bool = False) -> list[str]:
    """Return what Stripe's types hold against a request; `coerce` reads form text as scalars."""
    call = sdk.find_call(method, path)
    if call is None:
        return [f"{method.upper()} {path}: the SDK has no such call"]
    return _check(params, call.params, Spot(module=call.module, text=coerce, json=coerce))


def check_object(obj: JSON, *, complete: bool = False) -> list[str]:
    """Return what Stripe's types hold against an API object, judged by its `object` field.

    Fields that can never be null must be there. With `complete` the others must be there too, as
    Stripe sends them, except what is shown on demand or belongs to other kinds of the object.
    """
    return _check_named(obj, Spot(complete=complete))


def check_event(event: JSON, *, complete: bool = False) -> list[str]:
    """Return what Stripe's types hold against an event and the object it carries."""
    problems = check_object(event)
    if event.get("object") != "event":
        problems.append("object: expected 'event'")
    if event.get("api_version") != stripe.api_version:
        problems.append(f"api_version: expected '{stripe.api_version}'")
    data = event.get("data")
    carried = data.get("object") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(carried, dict):
        problems += _check_named(carried, Spot("data.object", complete=complete))
        problems += _check_topic(str(event.get("type")), carried)
        problems += _check_previous(data.get("previous_attributes") or {}, carried)
    return problems


def check_error(body: JSON) -> list[str]:
    """Return what Stripe's types hold against the body of an answer that tells of an error."""
    kind = stripe.PaymentIntent.LastPaymentError  # the one class that lists the error codes
    return _check(body.get("error"), kind, Spot("error"))


def _check_topic(topic: str, carried: JSON) -> list[str]:
    noun = topic.rpartition(".")[0]
    name = str(carried.get("object"))
    return [] if noun.endswith(name) else [f"type: '{topic}' does not tell of a {name}"]


def _check_previous(previous: JSON, carried: JSON) -> list[str]:
    kind = sdk.class_for(str(carried.get("object")))
    return _check(previous, kind, Spot("data.previous_attributes", partial=True)) if kind else []


def _check(value: Any, kind: Any, spot: Spot) -> list[str]:
    kind = sdk.resolve(kind, spot.module)
    origin = get_origin(kind) or kind
    if origin in UNIONS:
        return _check_union(value, get_args(kind), spot)
    if origin is Any or isinstance(origin, TypeVar):
        return []
    if origin is Literal:
        return [] if value in get_args(kind) else spot.wants(_describe(kind), value)
    if origin in SHAPES:
        return SHAPES[origin](value, (Any, *get_args(kind))[-1], spot)
    if is_typeddict(origin) or issubclass(origin, StripeObject):
        return _check_fields(value, origin, spot)
    return [] if SCALARS[origin](value, spot) else spot.wants(origin.__name__, value)


def _check_union(value: Any, options: Iterable[Any], spot: Spot) -> list[str]:
    """Accept any alternative, else report the one that came nearest."""
    options = [sdk.resolve(option, spot.module) for option in options]
    if any(get_origin(option) is Literal and any(get_args(option)) for option in options):
        # The SDK adds `str` to each enumeration for values that the future may bring.
        options = [option for option in options if option is not str]
    verdicts = [_check(value, option, spot) for option in options]
    if [] in verdicts:
        return []
    inside = [found for found in verdicts if not found[0].startswith(f"{spot.path}: expected")]
    plain = spot.wants(_describe(*options), value)
    return min(inside, key=lambda found: _distance(found, spot), default=plain)


def _distance(problems: list[str], spot: Spot) -> tuple[bool, int]:
    misnamed = any(problem.startswith(f"{spot.path}.object: ") for problem in problems)
    return misnamed, len(problems)


def _check_list(value: Any, kind: Any, spot: Spot) -> list[str]:
    if not isinstance(value, list):
        return spot.wants("list", value)
    return [each for i, item in enumerate(value) for each in _check(item, kind, spot.at(i))]


def _check_dict(value: Any, kind: Any, spot: Spot) -> list[str]:
    if spot.text and isinstance(value, list):  # metadata[0]=... looks like a list in a form
        value = {str(i): item for i, item in enumerate(value)}
    if not isinstance(value, dict):
        return spot.wants("object", value)
    return [each for key in value for each in _check(value[key], kind, spot.at(key))]


def _check_page(value: Any, kind: Any, spot: Spot) -> list[str]:
    problems = _check_fields(value, ListObject, spot)
    items = value.get("data") if isinstance(value, dict) else None
    for i, item in enumerate(items if isinstance(items, list) else ()):
        here = spot.at(f"data[{i}]")
        problems += _check_named(item, here) if kind is Any else _check(item, kind, here)
    return problems


def _check_named(obj: Any, spot: Spot) -> list[str]:
    if not isinstance(obj, dict):
        return spot.wants("object", obj)
    kind = sdk.class_for(str(obj.get("object")))
    if kind is None:
        return spot.at("object").wants("an 'object' that the SDK knows", obj.get("object"))
    return _check(obj, kind, spot)


def _check_fields(value: Any, kind: Any, spot: Spot) -> list[str]:
    if not isinstance(value, dict):
        return spot.wants(_describe(kind), value)
    fields = sdk.fields_of(kind)
    problems = [f"{spot.at(key).path}: unknown key" for key in value if key not in fields]
    problems += [f"{spot.at(key).path}: missing" for key in _due(value, kind, spot) - set(value)]
    for key in value.keys() & fields.keys():
        problems += _check(value[key], fields[key], spot.at(key, kind.__module__))
    return sorted(problems)


def _due(value: JSON, kind: Any, spot: Spot) -> frozenset[str]:
    """Return the keys that must be there."""
    if spot.partial:
        return frozenset()
    if value.get("deleted") is True:
        return frozenset({"id", "object"})
    name = getattr(kind, "OBJECT_NAME", "")
    if not (spot.complete and name) or name in BY_KIND:
        return sdk.required_of(kind)
    return frozenset(sdk.fields_of(kind)) - {"deleted", *ON_DEMAND.get(name, ())}


def _describe(*kinds: Any) -> str:
    return " or ".join(dict.fromkeys(_name(kind) for kind in kinds))


def _name(kind: Any) -> str:
    origin, args = get_origin(kind) or kind, get_args(kind)
    if origin in UNIONS:
        return _describe(*args)
    if origin is Literal:
        return " or ".join(map(repr, args)) if len(args) < 9 else f"one of {len(args)} literals"
    return NAMES.get(origin) or str(getattr(origin, "__name__", origin))


def _is_text(value: Any, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_int(value: Any, spot: Spot) -> bool:
    return _is_text(value, r"-?\d+") if spot.text else type(value) is int


def _is_number(value: Any, spot: Spot) -> bool:
    return _is_text(value, NUMBER) if spot.text else type(value) in (int, float)


def _is_bool(value: Any, spot: Spot) -> bool:
    return value in ("true", "false") if spot.text else type(value) is bool


def _is_decimal(value: Any, spot: Spot) -> bool:
    return _is_text(value, NUMBER) if spot.json else isinstance(value, Decimal)


NUMBER = r"-?\d+(\.\d+)?"
SCALARS: dict[Any, Callable[[Any, Spot], bool]] = {
    str: lambda value, spot: isinstance(value, str),
    int: _is_int,
    float: _is_number,
    bool: _is_bool,
    Decimal: _is_decimal,
    type(None): lambda value, spot: value is None,
}
SHAPES: dict[Any, Callable[[Any, Any, Spot], list[str]]] = {
    list: _check_list,
    dict: _check_dict,
    StripeObject: _check_dict,
    UntypedStripeObject: _check_dict,
    ListObject: _check_page,
}
NAMES = {dict: "object", UntypedStripeObject: "object", type(None): "null"}


def decode_form(body: bytes | str) -> JSON:
    """Return the structure that a form or query spells in Stripe's brackets, scalars as text.

    Raises ValueError when two of its names contradict each other.
    """
    text = body.decode() if isinstance(body, bytes) else body
    tree: JSON = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        _put(tree, name, value)
    return {key: _with_lists(value) for key, value in tree.items()}


def _put(node: JSON, name: str, value: str) -> None:
    *parents, last = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
    for key in parents:
        node = node.setdefault(key or str(len(node)), {})
        if not isinstance(node, dict):
            raise ValueError(f"{name}: inside something that has a value already")
    if (last or str(len(node))) in node:
        raise ValueError(f"{name}: named twice")
    node[last or str(len(node))] = value


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    grown = {key: _with_lists(value) for key, value in node.items()}
    numbered = list(grown) == [str(i) for i in range(len(grown))]
    return list(grown.values()) if numbered else grown
