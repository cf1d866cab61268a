"""Is this shop fit to sell? Each question with what was found and how to mend it."""
