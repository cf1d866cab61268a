"""A bank's early word that a payment may be fraud: worth acting on until the money went back."""

from storefront.sandbox.dispute_shapes import WARNING, warning_shape
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored, Tx


def warn(tx: Tx, charge: Stored, fraud_type: str) -> Stored:
    """Pass on what a bank suspects of a charge."""
    warning = Stored(warning_shape(tx, charge, fraud_type))
    warning["actionable"] = not charge["refunded"] and not charge["disputed"]
    tx.add(warning)
    emit(tx, "radar.early_fraud_warning.created", warning)
    return warning


def too_late(tx: Tx, charge: Stored) -> None:
    """Note that a refund of the whole charge, or a dispute, leaves nothing to be done."""
    for warning in tx.select(
        "type = ? AND json_extract(data, '$.charge') = ? AND json_extract(data, '$.actionable')",
        (WARNING, charge["id"]),
    ):
        warning["actionable"] = False
        tx.save(warning)
        emit(tx, "radar.early_fraud_warning.updated", warning, {"actionable": True})
