"""`rejoinder`: run the server from a command line."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Literal, NoReturn, get_args, get_origin

import structlog
import typer
import uvloop
from pydantic.fields import FieldInfo
from rich.console import Console

from rejoinder.errors import ConfigurationError
from rejoinder.log import configure
from rejoinder.run import serve
from rejoinder.settings import PREFIX, Settings, load, unknown_variables

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """The command. It ends with 2 for a wrong setting and with 1 for a server that can't start, each with a sentence."""
    app()


@app.callback()
def root() -> None:
    """Real-time chat with AI characters that never loses a message."""


def _serve(**values: Any) -> None:
    given = {name: value for name, value in values.items() if value is not None}
    try:
        settings = load(**given)
    except ConfigurationError as error:
        _fail(error, 2)
    configure(settings.log_level)
    for name in unknown_variables():
        structlog.get_logger("rejoinder.cli").warning("this variable is no setting", variable=name)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except ConfigurationError as error:
        _fail(error, 1)


def _fail(error: ConfigurationError, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"rejoinder: {error}", markup=False)
    raise typer.Exit(code)


def _command() -> Callable[..., None]:
    """The command `serve`, with one option for each setting."""

    def command(**values: Any) -> None:
        """Run the chat server. Each setting can also be given as REJOINDER_… in the environment."""
        _serve(**values)

    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_option(name, field),
            annotation=bool | None if _kind(field) is bool else str | None,
        )
        for name, field in Settings.model_fields.items()
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _option(name: str, field: FieldInfo) -> Any:
    flag = f"--{name.replace('_', '-')}"
    text = f"{field.description or ''} (env {PREFIX}{name.upper()})"
    if "[default:" not in text:
        text += f" [default: {_shown(field.default)}]"
    names = (f"{flag}/--no-{name.replace('_', '-')}",) if _kind(field) is bool else (flag,)
    return typer.Option(None, *names, help=text, metavar=_metavar(field))


def _kind(field: FieldInfo) -> Any:
    """The type of a setting, without its None."""
    annotation = field.annotation
    if type(None) in get_args(annotation):
        return next(kind for kind in get_args(annotation) if kind is not type(None))
    return annotation


def _metavar(field: FieldInfo) -> str | None:
    kind = _kind(field)
    if kind is bool:
        return None
    if get_origin(kind) is Literal:
        return "|".join(get_args(kind))
    return {int: "NUMBER", float: "NUMBER", str: "TEXT"}.get(
        kind, "TEXT" if get_origin(kind) else "PATH"
    )


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default) if default not in ("", (), None) else "none"


app.command("serve")(_command())
