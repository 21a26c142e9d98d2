"""Socket.IO in and out: the only importer of `rejoinder_socketio`."""
