"""The installed SDK read as a schema: its calls, its object classes and the names in their types.

Private modules of `stripe` are used on purpose: the declarations are what we are after, and a
release that moves them should be looked at by a person.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import (
    Any,
    ForwardRef,
    Literal,
    NamedTuple,
    NotRequired,
    Required,
    get_args,
    get_origin,
)

from stripe._object_classes import OBJECT_CLASSES
from stripe._request_options import RequestOptions
from stripe._stripe_service import StripeService
from typing_extensions import get_original_bases, is_typeddict

ANY_ID = "~"


class Call(NamedTuple):
    """One endpoint as the SDK knows it, and the type of its parameters."""

    method: str
    path: str
    annotation: Any
    module: str

    @property
    def params(self) -> Any:
        """The class of the parameters."""
        return resolve((get_args(self.annotation) or (self.annotation,))[0], self.module)

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request with ids in its path is this call."""
        pattern = re.escape(self.path).replace(re.escape(ANY_ID), "[^/]+")
        return method == self.method and re.fullmatch(pattern, path) is not None


def find_call(method: str, path: str) -> Call | None:
    """Return the call behind a request, or None; a fixed path wins over one with an id in it."""
    found = (call for call in list_calls() if call.matches(method.lower(), path))
    return min(found, key=lambda call: call.path.count(ANY_ID), default=None)


@cache
def list_calls() -> tuple[Call, ...]:
    """Return every /v1 call of the SDK."""
    services = _list_services("stripe._v1_services", "V1Services")
    return tuple(call for service in services for call in _calls_of(service))


def _list_services(module: str, name: str) -> Iterator[type[StripeService]]:
    service = getattr(import_module(module), name)
    yield service
    for child in vars(sys.modules[module]).get("_subservices", {}).values():
        yield from _list_services(*child)


def _calls_of(service: type[StripeService]) -> Iterator[Call]:
    for name, function in vars(service).items():
        annotations = getattr(function, "__annotations__", {})
        if "params" in annotations and not name.endswith("_async"):
            heard = _Eavesdropper()
            _invoke(service(heard), function)
            for method, path in heard.requests:
                yield Call(method, path, annotations["params"], service.__module__)


def _invoke(service: StripeService, function: Callable[..., object]) -> None:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    ids = [ANY_ID for item in parameters if item.kind is item.POSITIONAL_ONLY]
    function(service, *ids, params={})


class _Eavesdropper:
    """Stands where the SDK keeps its requestor and notes what it was asked for."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []

    def request(self, method: str, path: str, *_: object, **__: object) -> None:
        self.requests.append((method, path))

    request_stream = request


@cache
def class_for(name: str) -> Any | None:
    """Return the SDK's class for the value of an object's `object` field, or None."""
    module, attribute = OBJECT_CLASSES.get(name, ("", ""))
    return getattr(import_module(module), attribute) if module else None


@cache
def fields_of(kind: Any) -> dict[str, Any]:
    """Return the fields that a class of the SDK declares, each with its unresolved type."""
    if is_typeddict(kind):
        options = RequestOptions.__annotations__ if is_request(kind) else {}
        return {name: type_ for name, type_ in _annotations(kind) if name not in options}
    declared = {
        name: type_
        for owner in reversed(kind.__mro__)
        for name, type_ in _annotations(owner)
        if not name.startswith("_") and name != "OBJECT_NAME"
    }
    name = getattr(kind, "OBJECT_NAME", None)
    return {"object": Literal[name], **declared} if name else declared


@cache
def required_of(kind: Any) -> frozenset[str]:
    """Return the fields that must be there: the marked ones, or in an answer those never null."""
    if is_typeddict(kind):
        return frozenset(kind.__required_keys__)
    optional = (resolve(type_, kind.__module__) for type_ in fields_of(kind).values())
    nullable = [type(None) in get_args(type_) for type_ in optional]
    return frozenset(name for name, null in zip(fields_of(kind), nullable, strict=True) if not null)


def is_request(kind: Any) -> bool:
    """Tell whether a TypedDict is a whole request, into which the SDK mixes its own options."""
    return RequestOptions in get_original_bases(kind)


def _annotations(owner: Any) -> Iterable[tuple[str, Any]]:
    return inspect.get_annotations(owner).items()


def resolve(kind: Any, module: str) -> Any:
    """Return a type freed of forward references and required marks at its top level."""
    while True:
        if isinstance(kind, ForwardRef | str):
            kind = _evaluate(getattr(kind, "__forward_arg__", kind), module)
        elif get_origin(kind) in (NotRequired, Required):
            kind = get_args(kind)[0]
        else:
            return kind


@cache
def _evaluate(expression: str, module: str) -> Any:
    return eval(expression, {}, _Names(module))


class _Names(dict[str, Any]):
    """A module's names, with what it imports for type checkers only brought in when asked for."""

    def __init__(self, module: str) -> None:
        super().__init__(vars(import_module(module)))
        self.module = module

    def __missing__(self, name: str) -> Any:
        source, attribute = _guarded_imports(self.module)[name]
        return getattr(import_module(source), attribute)


@cache
def _guarded_imports(module: str) -> dict[str, tuple[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    guards = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    )
    return {
        alias.asname or alias.name: (statement.module or "", alias.name)
        for guard in guards
        for statement in guard.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
