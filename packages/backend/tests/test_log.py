"""What is logged is one line, whoever says it and whatever it holds."""

import json
import subprocess
import sys

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
