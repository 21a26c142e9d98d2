"""Socket.IO in and out: the only importer of `socketio` and `engineio`."""
