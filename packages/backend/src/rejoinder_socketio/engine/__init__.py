"""Engine.IO v4: sessions over long polling and WebSockets. Knows nothing of Socket.IO."""
