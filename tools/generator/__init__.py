"""The parts of `tools/generate.py`, one a format."""
