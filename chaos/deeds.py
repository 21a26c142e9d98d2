"""What people do, by chance: write, ask, send again, stop, read, leave, reload, and what one had better not."""

from typing import TYPE_CHECKING

from chaos import script
from chaos.view import Draft, View

if TYPE_CHECKING:
    from chaos.device import Device

OUTBOX_MAX = 12
ORDERS = ((3, 0), (20, 30), (40, 40), (12, 100), (60, 15))
"""How many pieces an answer has, and the milliseconds between two of them."""
FAILS = 0.1
CHANCES = {
    "burst": 0.04,
    "again": 0.06,
    "conflict": 0.01,
    "stop": 0.03,
    "regenerate": 0.01,
    "history": 0.03,
    "leave": 0.01,
    "reload": 0.004,
    "read": 0.03,
    "typing": 0.03,
}


def act(device: "Device") -> None:
    """Do one thing that people do."""
    wanted = device.rooms()
    views = [view for view in device.views.values() if view.room in wanted]
    if not views:
        return
    view = device.rng.choice(views)
    chances = {"ask": device.habits.asks, **CHANCES}
    chances["write"] = 1 - sum(chances.values())
    (deed,) = device.rng.choices(list(chances), list(chances.values()))
    match deed:
        case "write" | "ask":
            _write(device, view, asks=deed == "ask")
        case "burst":
            for _ in range(4):
                _write(device, view, asks=False)
        case "reload":
            for each in device.views.values():
                each.forget()
            device.drop()
        case _ if view.inside and not view.leaving:
            _act_inside(device, deed, view)
        case _:
            pass


def _act_inside(device: "Device", deed: str, view: View) -> None:
    match deed:
        case "again" if view.acked:
            asked = [draft for draft in view.acked if draft.asks]
            device.transmit(view, device.rng.choice(asked or list(view.acked)))
        case "conflict" if view.acked:
            draft = device.rng.choice(list(view.acked))
            device.do("deed", device.mention("conflict", view, draft.id, "another text"))
        case "stop" if view.running:
            own = [each for each in view.running if each in view.own_answers]
            chosen = device.rng.choice(own or list(view.running))
            device.do("deed", device.mention("message:stream:stop", view, chosen))
        case "regenerate" if view.acked:
            chosen = device.rng.choice([*view.own_answers, view.acked[-1].id])
            device.do("deed", device.mention("message:regenerate", view, chosen))
        case "history" if view.has_older and view.rows:
            device.do(view.room, device.page(view, before=view.rows[min(view.rows)].id))
        case "leave" if not view.outbox and view.whole:
            device.do(view.room, device.leave(view, comes_back=True))
        case "read" if view.rows:
            payload = {"roomId": view.room, "messageId": view.rows[max(view.rows)].id}
            device.do("deed", device.say("messages:read", payload))
        case "typing":
            device.do("deed", device.say("typing:start", {"roomId": view.room}))
        case _:
            pass


def ask(device: "Device", view: View, pieces: int, pause_ms: int) -> None:
    """Ask the character something whose answer takes that long."""
    message_id = f"{device.name}.{device.next_number()}"
    content = script.order(message_id, pieces, pause_ms)
    view.outbox[message_id] = Draft(message_id, content, asks=True)


def _write(device: "Device", view: View, *, asks: bool) -> None:
    if len(view.outbox) >= OUTBOX_MAX:
        return
    number = device.next_number()
    message_id = f"{device.name}.{number}"
    if asks:
        pieces, pause = device.rng.choice(ORDERS)
        fails = device.rng.random() < FAILS
        content = script.order(message_id, pieces, pause, fails=fails)
    else:
        content = script.remark(message_id, number)
    view.outbox[message_id] = Draft(message_id, content, asks)
