"""Bringing the books to what Stripe says, all at once: for what no news will tell any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import InterfaceError, OperationalError

from storefront import database
from storefront.services import reconcile
from storefront.services.reconcile import Difference

MOST_ROUNDS = 4


def mend(
    found: list[Difference], since: datetime, cause: str, complain: Callable[[str], object]
) -> list[Difference]:
    """Mend what can be mended and look again, as long as that helps; what is left.

    What is mended first, such as a payment, may bring to light more: `found` grows by it.
    `complain` is told of each difference that could not be mended. Raises PaymentUnavailable.
    """
    left = found
    for _round in range(MOST_ROUNDS if found else 0):
        for difference in left:
            _mend(difference, cause, complain)
        before, left = left, list(reconcile.compare(since))
        found += [difference for difference in left if difference not in found]
        if not left or left == before:
            break
    return left


def _mend(difference: Difference, cause: str, complain: Callable[[str], object]) -> None:
    if difference.mend is None:
        return
    try:
        with database.writing():
            difference.mend(cause)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        complain(f"{difference.key}: {type(error).__name__}: {error}")
