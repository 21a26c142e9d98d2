"""What the chat does: the service that conducts, and the parts that it conducts."""
