"""`make bench`: our pages and webhook beside bare reference programs, in one interleaved run."""
