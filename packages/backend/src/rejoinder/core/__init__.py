"""Rules without I/O and without a clock: everything here takes `now` and says what to do."""
