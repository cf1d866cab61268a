"""Balance transactions: what refunds and disputes took from the merchant's balance and returned."""

from storefront.sandbox.ids import new_id
from storefront.sandbox.store import Stored, Tx

TYPE = "balance_transaction"


def record(tx: Tx, type: str, amount: int, source: Stored, *, fee: int = 0, text: str) -> Stored:
    """Store one movement, positive towards the merchant, that `source` is the cause of."""
    detail = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": "Dispute fee",
        "type": "stripe_fee",
    }
    return tx.add(
        Stored(
            {
                "id": new_id("txn"),
                "object": TYPE,
                "amount": amount,
                "available_on": tx.now,
                "balance_type": "payments",
                "created": tx.now,
                "currency": source["currency"],
                "description": text,
                "exchange_rate": None,
                "fee": fee,
                "fee_details": [detail] if fee else [],
                "net": amount - fee,
                "reporting_category": "dispute" if type == "adjustment" else type,
                "source": source["id"],
                "status": "available",
                "type": type,
            }
        )
    )
