"""The errors of the API, in the shape and with the status that Stripe's SDKs expect."""

from typing import Any


class ApiError(Exception):
    """An answer other than 2xx: raised anywhere below a request, it rolls back and becomes JSON."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return the JSON document Stripe would send; fields without a value are left out."""
        fields: dict[str, Any] = {"type": self.kind, "code": self.code, "message": self.message}
        fields |= {"param": self.param, **self.details}
        if self.code:
            fields["doc_url"] = f"https://docs.stripe.com/error-codes#{self.code}"
        return {"error": {name: value for name, value in fields.items() if value is not None}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return the 400 for a request that is well formed and still cannot be carried out."""
    return ApiError(message, code=code, param=param)


def unknown_parameter(param: str, extra: str = "") -> ApiError:
    """Return the 400 for a parameter that this call does not have."""
    message = f"Received unknown parameter: {param}" + (f". {extra}" if extra else "")
    return ApiError(message, code="parameter_unknown", param=param)


def missing_parameter(param: str) -> ApiError:
    """Return the 400 for a required parameter that was not sent."""
    return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def not_found(noun: str, id: str, param: str = "id") -> ApiError:
    """Return the error for an id nobody knows: 404 when it was in the path, 400 in a parameter."""
    return ApiError(
        f"No such {noun}: '{id}'",
        status=404 if param == "id" else 400,
        code="resource_missing",
        param=param,
    )


def unauthorized(message: str) -> ApiError:
    """Return the 401 for a missing, malformed or live key."""
    return ApiError(message, status=401)


def idempotency_mismatch(key: str) -> ApiError:
    """Return the 400 for a key that comes back with other parameters."""
    return ApiError(
        "Keys for idempotent requests can only be used with the same parameters they were first "
        f"used with. Try using a key other than '{key}' if you meant to execute a different "
        "request.",
        kind="idempotency_error",
    )


def idempotency_in_use(key: str) -> ApiError:
    """Return the 409 for a key whose first request has not been answered yet."""
    return ApiError(
        "There is currently another in-progress request using this Idempotent Key (that probably "
        f"means you submitted twice, and the other request is still going through): {key}",
        status=409,
        code="idempotency_key_in_use",
    )


def card_error(decline: "dict[str, Any]", charge: str | None, payment_intent: Any) -> ApiError:
    """Return the 402 for a card that was refused, with what the buyer may be told."""
    return ApiError(
        decline["message"],
        status=402,
        kind="card_error",
        code=decline["code"],
        decline_code=decline["decline_code"],
        charge=charge,
        payment_intent=payment_intent,
    )
