"""Exit statuses, the same for every command. By a signal it is 128 and the signal's number."""

DONE = 0
FAILED = 1
INVALID = 2
UNAVAILABLE = 3
