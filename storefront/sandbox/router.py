"""How an API call is answered: key, fault, parameters, idempotency, transaction, expansion."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import stripe
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from storefront.sandbox import deliveries, faults, idempotency, timekeeping, versions
from storefront.sandbox.core import Sandbox, state
from storefront.sandbox.errors import ApiError, invalid, unauthorized
from storefront.sandbox.expand import expand
from storefront.sandbox.ids import new_id
from storefront.sandbox.params import Field, Group, ListOf, Text, decode
from storefront.sandbox.store import Cause, Tx


@dataclass(frozen=True)
class Call:
    """One call as an endpoint sees it: a transaction, typed parameters, the sandbox's address."""

    tx: Tx
    params: dict[str, Any]
    base_url: str


Handler = Callable[..., dict[str, Any] | ApiError]


@dataclass(frozen=True)
class Endpoint:
    """A method and path with the parameters it takes and the function that carries it out."""

    method: str
    path: str
    schema: Group
    handler: Handler


@dataclass(eq=False)
class Api:
    """The endpoints of one part of the API, collected by decorators."""

    endpoints: list[Endpoint] = field(default_factory=list)

    def route(
        self,
        method: str,
        path: str,
        fields: Mapping[str, Field] | None = None,
        required: tuple[str, ...] = (),
    ) -> Callable[[Handler], Handler]:
        """Register a function for a method and path.

        It returns an object, or an ApiError when the refusal itself changed something to keep.
        """
        schema = Group({**(fields or {}), "expand": ListOf(Text(), 20)}, required)

        def register(handler: Handler) -> Handler:
            self.endpoints.append(Endpoint(method, path, schema, handler))
            return handler

        return register


def install(app: Flask, *apis: Api) -> None:
    """Let the app answer each endpoint, and as Stripe does on all other paths."""
    routes = _compile(*apis)

    def view(path: str) -> Response:
        try:
            rule, ids = routes.map.bind("").match(request.path, request.method, return_rule=True)
        except HTTPException:
            return _answer(request.path, _unrecognized)
        endpoint = routes.endpoints[rule.endpoint]
        return _answer(rule.rule, lambda fault, cause: _execute(endpoint, dict(ids), fault, cause))

    methods = ["GET", "POST", "DELETE"]
    app.add_url_rule("/v1/<path:path>", "api", view, methods=methods)


@dataclass(frozen=True)
class Routes:
    """Where each endpoint is found, by its place in the list."""

    endpoints: list[Endpoint]
    map: Map


@cache
def _compile(*apis: Api) -> Routes:
    """Once for all sandboxes of a process: it takes longer than all else that makes one."""
    endpoints = [endpoint for api in apis for endpoint in api.endpoints]
    rules = [
        Rule(endpoint.path, methods=[endpoint.method], endpoint=place)
        for place, endpoint in enumerate(endpoints)
    ]
    return Routes(endpoints, Map(rules))


def _unrecognized(fault: faults.Fault | None, cause: Cause) -> Response:
    _authenticate()
    raise ApiError(
        f"Unrecognized request URL ({request.method}: {request.path}). If Stripe has it, this "
        "sandbox does not: it stands in for Checkout, payments, refunds, disputes, "
        "subscriptions, invoices, and what these are made of.",
        status=404,
    )


def _answer(rule: str, execute: Callable[[faults.Fault | None, Cause], Response]) -> Response:
    fault = faults.take(state(current_app).store, request.method, request.path, rule)
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    cause = Cause(new_id("req"), key)

    def attempt() -> Response:
        try:
            return execute(fault, cause)
        except ApiError as error:
            return _json(json.dumps(error.body()), error.status)

    response = faults.respond(fault, attempt)
    response.headers["Request-Id"] = cause.request_id or ""
    response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", stripe.api_version)
    if key:
        response.headers["Idempotency-Key"] = key
    return response


def _execute(
    endpoint: Endpoint, ids: dict[str, str], fault: faults.Fault | None, cause: Cause
) -> Response:
    _authenticate()
    sandbox = state(current_app)
    raw = versions.read_old(_read_params(), request.headers.get("Stripe-Version", ""))
    params = endpoint.schema.read(raw, "")
    timekeeping.sweep(sandbox.store)
    if fault is not None and fault.kind == faults.STORED and cause.idempotency_key is None:
        raise faults.ANSWERS["500"]
    if endpoint.method == "GET":
        with sandbox.store.read() as tx:
            return _json(*_run(endpoint, Call(tx, params, sandbox.base_url), ids))
    if cause.idempotency_key is None:
        with _write(sandbox, cause) as tx:
            return _json(*_run(endpoint, Call(tx, params, sandbox.base_url), ids))
    claim = idempotency.begin(sandbox.store, cause.idempotency_key, request.path, raw)
    if isinstance(claim, idempotency.Replay):
        response = _json(claim.body, claim.status)
        response.headers["Idempotent-Replayed"] = "true"
        return response
    return _json(*_execute_once(endpoint, ids, params, claim, fault, cause))


def _execute_once(
    endpoint: Endpoint,
    ids: dict[str, str],
    params: dict[str, Any],
    claim: idempotency.Claim,
    fault: faults.Fault | None,
    cause: Cause,
) -> tuple[str, int]:
    """Carry out a request and store its answer in one transaction; a refusal is stored as well."""
    sandbox = state(current_app)
    try:
        with _write(sandbox, cause) as tx:
            if fault is not None and fault.kind == faults.STORED:
                raise faults.ANSWERS["500"]
            body, status = _run(endpoint, Call(tx, params, sandbox.base_url), ids)
            idempotency.finish(tx, claim, status, body)
    except ApiError as error:
        body, status = json.dumps(error.body()), error.status
        with sandbox.store.write(cause) as tx:
            idempotency.finish(tx, claim, status, body)
    except BaseException:
        idempotency.abandon(sandbox.store, claim)
        raise
    return body, status


@contextmanager
def _write(sandbox: Sandbox, cause: Cause) -> Iterator[Tx]:
    """Open the transaction of a call; where so ordered, its events arrive before its answer."""
    with sandbox.store.write(cause) as tx:
        yield tx
        parcels = deliveries.claim_of_call(tx)
    for parcel in parcels:
        deliveries.send(sandbox, parcel)


def _run(endpoint: Endpoint, call: Call, ids: dict[str, str]) -> tuple[str, int]:
    result = endpoint.handler(call, **ids)
    if isinstance(result, ApiError):
        return json.dumps(result.body()), result.status
    expand(call.tx, result, call.params.get("expand", []))
    return json.dumps(result, separators=(",", ":"), ensure_ascii=False), 200


def _authenticate() -> None:
    authorization = request.authorization
    key = ""
    if authorization is not None:
        key = authorization.token or authorization.username or ""
    if not key:
        raise unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if not re.fullmatch(r"(sk|rk)_test_\w+", key, re.ASCII):
        raise unauthorized(f"Invalid API Key provided: {key[:8]}***")


def _read_params() -> dict[str, Any]:
    try:
        text = request.get_data().decode() if request.method == "POST" else ""
        text = text or request.query_string.decode()
        return decode(parse_qsl(text, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise invalid("Invalid request: the parameters are not UTF-8") from error


def _json(body: str, status: int = 200) -> Response:
    return Response(body, status, content_type="application/json")


def sandbox_of_request() -> Sandbox:
    """Return the sandbox that answers the present request."""
    return state(current_app)
