"""The list of somebody's rooms: one aggregation over four collections, an index for each step."""

from typing import Any

from rejoinder.core.branches import head_of
from rejoinder.stores.mongo import model
from rejoinder.stores.mongo.branches import FORK_FIELDS, branching_of
from rejoinder.stores.mongo.model import Document
from rejoinder.stores.records import FORKS_LOOK, UNREAD_LOOK, UNREAD_MAX, RoomOverview


def overview_pipeline(user_id: str, limit: int) -> list[dict[str, Any]]:
    """The user's memberships, each with its room, last message and read mark."""
    same_room = {"$expr": {"$eq": ["$roomId", "$$room"]}}
    return [
        {"$match": {"userId": user_id}},
        {
            "$lookup": {
                "from": model.ROOMS,
                "localField": "roomId",
                "foreignField": "_id",
                "as": "room",
            }
        },
        {"$unwind": "$room"},
        {"$match": {"room.deletedAt": {"$exists": False}}},
        {"$sort": {"room.updatedAt": -1, "roomId": 1}},
        {"$limit": limit},
        {
            "$lookup": {
                "from": model.MESSAGES,
                "let": {"room": "$roomId"},
                "pipeline": [{"$match": same_room}, {"$sort": {"seq": -1}}, {"$limit": 1}],
                "as": "last",
            }
        },
        {
            "$lookup": {
                "from": model.MESSAGES,
                "let": {"room": "$roomId"},
                "pipeline": [
                    {"$match": {**same_room, "parentSeq": {"$exists": True}}},
                    {"$sort": {"seq": -1}},
                    {"$limit": FORKS_LOOK},
                    {"$project": FORK_FIELDS},
                ],
                "as": "forks",
            }
        },
        {
            "$lookup": {
                "from": model.MARKS,
                "localField": "_id",
                "foreignField": "_id",
                "as": "mark",
            }
        },
        {
            "$lookup": {
                "from": model.MESSAGES,
                "let": {
                    "room": "$roomId",
                    "read": {"$ifNull": [{"$first": "$mark.seq"}, 0]},
                },
                "pipeline": [
                    {
                        "$match": {
                            "$expr": {
                                "$and": [
                                    {"$eq": ["$roomId", "$$room"]},
                                    {"$gt": ["$seq", "$$read"]},
                                ]
                            }
                        }
                    },
                    {"$sort": {"seq": 1}},
                    {"$limit": UNREAD_LOOK},
                    {"$match": {"deletedAt": {"$exists": False}}},
                    {
                        "$match": {
                            "$or": [{"role": {"$ne": "user"}}, {"senderId": {"$ne": user_id}}]
                        }
                    },
                    {"$limit": UNREAD_MAX},
                    {"$count": "count"},
                ],
                "as": "unread",
            }
        },
    ]


def overview_of(document: Document) -> RoomOverview:
    """A document of that aggregation."""
    last = model.message_of(document["last"][0]) if document["last"] else None
    updated_at = model.epoch_ms(document["room"]["updatedAt"])
    if document["last"]:
        updated_at = max(updated_at, model.epoch_ms(document["last"][0]["timestamp"]))
    return RoomOverview(
        room=model.room_of(document["room"]),
        updated_at=updated_at,
        last_seq=last.seq if last else 0,
        read_seq=document["mark"][0]["seq"] if document["mark"] else 0,
        last_message=last,
        unread=document["unread"][0]["count"] if document["unread"] else 0,
    )


def head_in(document: Document) -> tuple[str, int] | None:
    """The room of such a document and where the path ends that is chosen in it, unless that is the log's last row."""
    last = document["last"][0]["seq"] if document["last"] else 0
    head = head_of(branching_of(document["room"], document["forks"]), last)
    return None if head == last else (document["roomId"], head)
