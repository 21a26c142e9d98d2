"""The parts of the set-up: what is missing, what is out of date, and how to put it right."""
