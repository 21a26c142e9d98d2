"""What one server of a chat asks of the others."""
