"""Why a message was not taken, and what that means for it and for the rest."""

from __future__ import annotations


class NotSent(Exception):
    """Not taken now. A later try may do better, and the next message as well."""


class Refused(NotSent):
    """This address will never take it."""


class Unreachable(NotSent):
    """There is no server to speak with: every other message would wait for nothing, too."""
