"""For people who write a store, a bus or a character of their own: the suites that ours pass."""
