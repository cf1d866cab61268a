"""Requests as Stripe reads them: brackets decoded, parameters known, typed, named when wrong."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from storefront.sandbox.errors import invalid, missing_parameter, unknown_parameter

Raw = Any  # a text, or a dict of Raw; lists are dicts with the keys "0", "1", ...
MAX_DEPTH = 8
MAX_PAIRS = 2000
NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Raw]:
    """Turn pairs such as `a[0][b]=x` and `a[]=x` into nested dicts; raise ApiError on nonsense."""
    tree: dict[str, Raw] = {}
    for count, (name, value) in enumerate(pairs, start=1):
        if count > MAX_PAIRS:
            raise invalid("Too many parameters")
        _place(tree, name, value)
    return tree


def _place(tree: dict[str, Raw], name: str, value: str) -> None:
    match = NAME.fullmatch(name)
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else []
    if not path or len(path) > MAX_DEPTH:
        raise invalid(f"Invalid parameter name: {name[:100]}")
    node = tree
    for step in path[:-1]:
        child = node.setdefault(step or str(len(node)), {})
        if not isinstance(child, dict):
            raise invalid(f"Invalid parameter: {name[:100]} is both a value and a hash", name[:100])
        node = child
    node[path[-1] or str(len(node))] = value


class Field(Protocol):
    """How one parameter is read."""

    def read(self, raw: Raw, name: str) -> Any:
        """Return the typed value, or raise the ApiError that names the parameter."""


@dataclass(frozen=True)
class Text:
    """A string; with `choices`, one of them; with `clearable`, "" reads as None."""

    choices: tuple[str, ...] = ()
    max_length: int = 5000
    clearable: bool = False

    def read(self, raw: Raw, name: str) -> str | None:
        if not isinstance(raw, str):
            raise invalid(f"Invalid string: {_show(raw)}", name)
        if raw == "" and self.clearable:
            return None
        if raw == "":
            raise invalid(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt "
                f"to unset a parameter; however '{name}' cannot be unset. You should remove "
                f"'{name}' from your request or supply a non-empty value.",
                name,
                "parameter_invalid_empty",
            )
        if len(raw) > self.max_length:
            raise invalid(
                f"Invalid string: {raw[:12]}...; must be at most {self.max_length} characters", name
            )
        if self.choices and raw not in self.choices:
            raise invalid(f"Invalid {name}: must be one of {_either(self.choices)}", name)
        return raw


@dataclass(frozen=True)
class Url:
    """An absolute http or https address."""

    def read(self, raw: Raw, name: str) -> str:
        text = Text().read(raw, name)
        if not text or not re.fullmatch(r"https?://[^/\s?#@]+([/?#]\S*)?", text):
            raise invalid("Not a valid URL", name, "url_invalid")
        return text


@dataclass(frozen=True)
class Email:
    """An address with an @ in the right place; with `clearable`, "" reads as None."""

    clearable: bool = False

    def read(self, raw: Raw, name: str) -> str | None:
        text = Text(max_length=512, clearable=self.clearable).read(raw, name)
        if text is not None and not is_email(text):
            raise invalid(f"Invalid email address: {text}", name, "email_invalid")
        return text


@dataclass(frozen=True)
class Integer:
    """A whole number in decimal digits, within bounds."""

    minimum: int | None = None
    maximum: int | None = None

    def read(self, raw: Raw, name: str) -> int:
        if not isinstance(raw, str) or not re.fullmatch(r"[+-]?[0-9]{1,18}", raw):
            raise invalid(f"Invalid integer: {_show(raw)}", name, "parameter_invalid_integer")
        value = int(raw)
        if self.minimum is not None and value < self.minimum:
            raise invalid(
                f"Invalid value: must be greater than or equal to {self.minimum}",
                name,
                "parameter_invalid_integer",
            )
        if self.maximum is not None and value > self.maximum:
            raise invalid(
                f"Invalid value: must be less than or equal to {self.maximum}",
                name,
                "parameter_invalid_integer",
            )
        return value


@dataclass(frozen=True)
class Boolean:
    """`true` or `false`, nothing else."""

    def read(self, raw: Raw, name: str) -> bool:
        if raw not in ("true", "false"):
            raise invalid(f"Invalid boolean: {_show(raw)}", name)
        return bool(raw == "true")


@dataclass(frozen=True)
class Number:
    """A decimal number with at most 12 places, not negative."""

    def read(self, raw: Raw, name: str) -> Decimal:
        try:
            value = Decimal(raw if isinstance(raw, str) else "nothing")
        except InvalidOperation:
            value = Decimal("NaN")
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", str(raw)) or not value.is_finite():
            raise invalid(f"Invalid decimal: {_show(raw)}", name)
        return value


@dataclass(frozen=True)
class ListOf:
    """A list of one kind of thing, at most `maximum` long."""

    item: Field
    maximum: int = 100

    def read(self, raw: Raw, name: str) -> list[Any]:
        if raw == "":
            return []
        if not isinstance(raw, dict) or not all(key.isdigit() for key in raw):
            raise invalid(f"Invalid array: {_show(raw)}", name)
        if len(raw) > self.maximum:
            raise invalid(f"Array {name} exceeded maximum {self.maximum} allowed elements.", name)
        keys = sorted(raw, key=int)
        return [self.item.read(raw[key], f"{name}[{key}]") for key in keys]


@dataclass(frozen=True)
class Group:
    """A hash of known parameters, of which some are required."""

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()

    def read(self, raw: Raw, name: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise invalid(f"Invalid object: {_show(raw)}", name)
        for key in raw:
            if key not in self.fields:
                raise unknown_parameter(_join(name, key))
        for key in self.required:
            if key not in raw:
                raise missing_parameter(_join(name, key))
        return {key: self.fields[key].read(raw[key], _join(name, key)) for key in raw}


@dataclass(frozen=True)
class Clearable:
    """A hash or list that "" unsets."""

    field: Field

    def read(self, raw: Raw, name: str) -> Any:
        return None if raw == "" else self.field.read(raw, name)


@dataclass(frozen=True)
class Metadata:
    """Up to 50 pairs of texts; "" as the whole, or as a value, takes away."""

    def read(self, raw: Raw, name: str) -> dict[str, str] | None:
        if raw == "":
            return None
        if not isinstance(raw, dict) or not all(isinstance(text, str) for text in raw.values()):
            raise invalid("Invalid object: metadata must be a hash of strings", name)
        for key, text in raw.items():
            if len(key) > 40 or len(text) > 500:
                raise invalid(
                    "Metadata keys can have up to 40 characters and values up to 500",
                    _join(name, key),
                )
        if len(raw) > 50:
            raise invalid("Metadata can have up to 50 keys", name)
        return raw


@dataclass(frozen=True)
class Anything:
    """Something that Stripe knows and that makes no difference here: accepted and not looked at."""

    def read(self, raw: Raw, name: str) -> Raw:
        return raw


@dataclass(frozen=True)
class Refused:
    """Something that Stripe knows, or knew, and that this call refuses, with the reason."""

    reason: str
    code: str | None = None

    def read(self, raw: Raw, name: str) -> Raw:
        raise invalid(self.reason, name, self.code)


@dataclass(frozen=True)
class Only:
    """A boolean of which only one value is supported, with the reason."""

    supported: str
    reason: str

    def read(self, raw: Raw, name: str) -> bool:
        value = Boolean().read(raw, name)
        if raw != self.supported:
            raise invalid(self.reason, name)
        return value


def merge_metadata(old: dict[str, str] | None, new: dict[str, str] | None) -> dict[str, str]:
    """Return `old` changed by `new`: None clears all, an empty value takes one away."""
    if new is None:
        return {}
    merged = {**(old or {}), **new}
    return {key: text for key, text in merged.items() if text != ""}


def is_email(text: str) -> bool:
    """Say whether Stripe would take this for an e-mail address."""
    return bool(re.fullmatch(r"[^@\s<>()]+@[^@\s<>()]+\.[^@\s<>().]{2,}", text))


def _join(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


def _show(raw: Raw) -> str:
    return str(raw)[:100]


def _either(choices: tuple[str, ...]) -> str:
    return ", ".join(choices[:-1]) + f", or {choices[-1]}" if len(choices) > 1 else choices[0]
