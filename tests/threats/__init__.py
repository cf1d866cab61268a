"""What may go wrong with webhooks, checkout, stock, refunds and machines, and what proves us right.

Each row: what happens, in few words; the tests that show that no harm comes of it, by file and
name; and, where something is left untested or does not exist yet, a sentence that says so.
"""
