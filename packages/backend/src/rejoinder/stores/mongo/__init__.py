"""The store for production: MongoDB 6 or newer, as a replica set."""

from rejoinder.stores.mongo.store import MongoStore

__all__ = ["MongoStore"]
