"""A program that ends in the middle of an answer, without closing anything, ends well and soon."""

import subprocess
import sys
import time

import pytest

PROGRAM = """
import asyncio, sys, threading
from rejoinder.characters import CharacterInfo, Turn
from rejoinder.characters.local import LocalCharacter, LocalModel, LocalModelSettings, find_model
from rejoinder.characters.local.llama import load_llama

stage = sys.argv[1]
text = "one two three four five " * 150 if stage == "reading" else "Tell me a very long story."
begun = threading.Event()
forever = []

def load(settings):
    if stage == "loading":
        begun.set()
    engine = load_llama(settings)
    generate = engine.generate
    asked = []

    def watched(request, write, stopped):
        def noticed():
            asked.append(None)
            if len(asked) == (4 if stage == "reading" else 30):
                begun.set()
            return stopped()
        return generate(request, write, noticed)

    engine.generate = watched
    return engine

async def main():
    settings = LocalModelSettings(path=find_model(), context_tokens=1024)
    character = LocalCharacter(CharacterInfo("bot", "Bot"), LocalModel(settings, load=load), max_tokens=200,
                               sampling={"ignore_eos": True})
    async def read():
        async for _ in character.reply(Turn("room", "m", "kim", text, ())):
            if stage == "unread":
                await asyncio.Event().wait()
    forever.append(character)
    forever.append(asyncio.create_task(read()))
    await asyncio.to_thread(begun.wait)
    print("begun", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("stage", ["loading", "reading", "writing", "unread"])
def test_a_program_that_ends_in_the_middle(stage: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, stage],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == "begun\n"
        begun = time.monotonic()
        rest, errors = program.communicate(timeout=30)
    assert (program.returncode, rest, errors) == (0, "", "")
    assert time.monotonic() - begun < 10
