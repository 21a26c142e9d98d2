"""What goes over the wire: payloads, constants and the catalogue of events. No I/O, no behaviour."""
