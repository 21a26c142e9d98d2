"""What is logged is one line, whoever says it and whatever it holds."""

import inspect
import json
import subprocess
import sys

import uvicorn.server

from rejoinder.log import LEFT_OPEN

PROGRAM = """
import logging
import structlog
from rejoinder.log import configure

configure("info")
token = "a-secret-" + "token"
structlog.get_logger("own").info("said", text="one\\ntwo")
try:
    raise ValueError("three\\nfour")
except ValueError:
    logging.getLogger("library").exception("it said %s", "five\\nsix")
    structlog.get_logger("own").exception("failed")
logging.getLogger("library").info("not for people")
"""


def test_each_record_is_one_line_of_json() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("said", "info"),
        ("it said five\nsix", "error"),
        ("failed", "error"),
    ]
    assert lines[0]["text"] == "one\ntwo"
    assert lines[1]["logger"] == "library"
    assert "three" in json.dumps(lines[1]["exception"])
    assert "three" in json.dumps(lines[2]["exception"])
    assert "a-secret-token" not in run.stderr, "values of variables are not for the log"


LEFT_OPEN_PROGRAM = """
import logging
from rejoinder.log import LEFT_OPEN, configure

configure("info")
logging.getLogger("uvicorn.error").error(LEFT_OPEN, 0)
logging.getLogger("uvicorn.error").error(LEFT_OPEN, 2)
"""


def test_a_client_that_does_not_take_its_last_bytes_is_no_error_of_the_server() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN_PROGRAM], capture_output=True, text=True, check=True
    )
    (line,) = [json.loads(line) for line in run.stderr.splitlines()]
    assert line["event"].startswith("Cancel 2 running")
    assert f'"{LEFT_OPEN}"' in inspect.getsource(uvicorn.server), "uvicorn says it in other words"
