"""The catalogue is the contract's table, and each event of it was seen on the wire by a test that says so."""

import ast
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support import schema, tables

from rejoinder.protocol import events
from rejoinder.protocol.catalogue import CLIENT_EVENTS, SERVER_EVENTS


def shown_by_tests(mark: str) -> set[str]:
    """What the tests of this folder are marked with; that a mark is true is checked when its test runs."""
    names: set[str] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef):
                names |= {name for each in node.decorator_list for name in marked(each, mark)}
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
                # Each test of its file says so.
                names |= marked(node.value, mark)
    return names


def marked(decorator: ast.expr, mark: str) -> set[str]:
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != f"pytest.mark.{mark}":
        return set()
    return {ast.literal_eval(argument) for argument in decorator.args}


def test_each_client_event_is_acknowledged_in_a_test() -> None:
    assert shown_by_tests("sends") == set(CLIENT_EVENTS)


def test_each_server_event_is_received_in_a_test() -> None:
    assert shown_by_tests("receives") == set(SERVER_EVENTS)


def test_the_catalogue_has_the_contract_s_events() -> None:
    assert set(CLIENT_EVENTS) == set(tables.CLIENT_EVENTS)
    assert set(SERVER_EVENTS) == set(tables.SERVER_EVENTS)


def fields_of(shape: dict[str, Any]) -> tables.Fields:
    name = shape["$ref"].removeprefix("#/$defs/")
    declared = schema.document()["$defs"][name]
    return set(declared["required"]), set(declared["properties"]) - set(declared["required"])


@pytest.mark.parametrize("name", list(tables.CLIENT_EVENTS))
def test_a_client_event_has_the_contract_s_fields(name: str) -> None:
    declared = schema.document()["clientEvents"][name]
    assert fields_of(declared["payload"]) == tables.CLIENT_EVENTS[name]


@pytest.mark.parametrize("name", list(tables.SERVER_EVENTS))
def test_a_server_event_has_the_contract_s_fields(name: str) -> None:
    declared = schema.document()["serverEvents"][name]
    assert fields_of(declared["payload"]) == tables.SERVER_EVENTS[name]


@pytest.mark.parametrize("name", ["MessageStored", "Failure"])
def test_an_acknowledgement_has_the_contract_s_fields(name: str) -> None:
    assert fields_of({"$ref": f"#/$defs/{name}"}) == tables.SHAPES[name]


def test_reconnection_data_has_the_contract_s_fields() -> None:
    known = {field.encode_name for field in msgspec.structs.fields(events.ReconnectionData)}
    assert (set(), known) == tables.SHAPES["ReconnectionData"]


def test_the_codes_are_the_contract_s() -> None:
    declared = schema.document()["$defs"]["Failure"]["properties"]["code"]["enum"]
    assert set(declared) == tables.CODES
