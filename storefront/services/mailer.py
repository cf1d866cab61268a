"""The outbox: mail is written in the transaction of its cause, and sent later by `work`."""

from __future__ import annotations

from typing import Any

from storefront.database import insert_for_conflict
from storefront.extensions import db
from storefront.models import OutgoingMail


def put(
    kind: str,
    about: str,
    *,
    order_id: int | None = None,
    recipient: str | None = None,
    **details: Any,
) -> None:
    """Put a mail into the outbox, in the transaction of its cause.

    `kind` names its folder under templates/emails/, `about` the thing it tells of; of the two there
    is one mail ever, so a second call writes nothing. Without a recipient it goes to the merchant.
    """
    add = insert_for_conflict(OutgoingMail).values(
        key=f"{kind}:{about}", kind=kind, order_id=order_id, recipient=recipient, details=details
    )
    db.session.execute(add.on_conflict_do_nothing(index_elements=["key"]))
