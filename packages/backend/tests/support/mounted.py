"""A program that has the chat mounted below a path: `python mounted.py --host H --port P --data-dir D`."""

import argparse

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from rejoinder import ChatServer

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--data-dir")
    given = parser.parse_args()
    chat = ChatServer(data_dir=given.data_dir)
    app = Starlette(routes=[Mount("/chat", chat)], lifespan=chat.lifespan)
    uvicorn.run(app, host=given.host, port=given.port)
