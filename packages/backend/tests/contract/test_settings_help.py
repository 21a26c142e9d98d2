"""Every setting is a flag and a variable of the environment, and the help tells both with the default."""

import re
import subprocess
import sys

import pytest
from tests.support.process import Start, environment, run
from tests.support.rest import request

from rejoinder.settings import Settings


@pytest.fixture(scope="module")
def options() -> dict[str, str]:
    """The help, in one line for each option."""
    ended = run("serve", "--help", env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert ended.returncode == 0
    text = ended.stdout.partition("Options:")[2]
    blocks = re.split(r"\n {2,4}(?=--)", text)
    return {
        block.split()[0].rstrip(","): " ".join(block.split()) for block in blocks if block.strip()
    }


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_a_setting_is_in_the_help(options: dict[str, str], name: str) -> None:
    text = options[f"--{name.replace('_', '-')}"]
    assert f"(env REJOINDER_{name.upper()})" in text
    assert re.search(r"\[default: [^\]]+\]", text)


@pytest.mark.parametrize(
    ("flag", "default"),
    [
        ("--host", "127.0.0.1"),
        ("--port", "8000"),
        ("--content-limit", "32768"),
        ("--payload-limit", "65536"),
        ("--send-rate", "10"),
        ("--send-burst", "20"),
        ("--connection-policy", "single"),
    ],
)
def test_the_help_tells_the_default(options: dict[str, str], flag: str, default: str) -> None:
    assert f"[default: {default}]" in options[flag]


async def test_the_environment_counts_and_a_flag_beats_it(start: Start) -> None:
    env = {"REJOINDER_CONTENT_LIMIT": "111", "REJOINDER_GUESTS": "false"}
    by_environment = (await request(start(env=env), "GET", "/api/info")).body
    assert (by_environment["contentLimitBytes"], by_environment["guests"]) == (111, False)
    by_flag = (
        await request(start("--content-limit=222", "--guests", env=env), "GET", "/api/info")
    ).body
    assert (by_flag["contentLimitBytes"], by_flag["guests"]) == (222, True)


def test_it_is_also_python_m_rejoinder() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "rejoinder", "serve", "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0
    assert "--data-dir" in ended.stdout
