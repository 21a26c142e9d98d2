"""Where messages, rooms and read marks are kept: the interface, and what implements it."""
