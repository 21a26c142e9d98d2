"""`rejoinder`: run the server, and look after its store, from a command line."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar, get_args, get_origin

import structlog
import typer
import uvloop
from pydantic.fields import FieldInfo
from rich.console import Console

from rejoinder import maintain
from rejoinder.characters.cards import Library
from rejoinder.characters.cards.library import read_content, write_file
from rejoinder.characters.cards.persona import shown_name
from rejoinder.errors import ConfigurationError
from rejoinder.log import configure
from rejoinder.run import serve
from rejoinder.settings import PREFIX, Settings, load, unknown_variables

T = TypeVar("T")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

database = typer.Typer(
    name="db",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look after the store of the messages.",
)
app.add_typer(database)

character = typer.Typer(
    name="character",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Character cards that the server offers.",
)
app.add_typer(character)

DataDir = Annotated[
    Path, typer.Option(envvar=f"{PREFIX}DATA_DIR", help="The server's data directory.")
]


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
    _run(serve(settings))


@database.command("upgrade")
def upgrade(
    database: Annotated[
        str, typer.Option(envvar=f"{PREFIX}DATABASE", help="MongoDB address.", show_envvar=True)
    ] = "",
    data_dir: Annotated[
        Path, typer.Option(envvar=f"{PREFIX}DATA_DIR", help="Folder of the embedded database.")
    ] = Path("data"),
) -> None:
    """Bring the store to the schema that this version works with. Stop all servers on it before."""
    console = Console(stderr=True, highlight=False)
    _say(_run(maintain.upgrade(database, data_dir, console)))


@database.command("copy")
def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="mongodb://…, a data directory or a .db file")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="the same; made where it is not there yet")
    ],
) -> None:
    """Copy all rooms into another store. Broken off, the same command goes on. No server may use either of them."""
    console = Console(stderr=True, highlight=False)
    _say(_run(maintain.copy(source, target, console)))


@character.command("import")
def import_cards(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="cards: JSON, PNG or CHARX")
    ],
    data_dir: DataDir = Path("data"),
) -> None:
    """Keep character cards in the data directory. The server offers them from its next start on."""
    library, failed = Library(data_dir), 0
    for path in files:
        try:
            card, content = read_content(path)
            character_id, new = library.add(content)
        except ConfigurationError as error:
            failed += 1
            _complain(error)
            continue
        what = "is kept" if new else "was there already"
        _say(f"{shown_name(card.card)} {what}: {character_id}")
    if failed:
        raise typer.Exit(1)


@character.command("export")
def export_card(
    character_id: Annotated[str, typer.Argument(metavar="ID", help="as `list` shows it")],
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="ends in .json, .png or .charx; made anew")
    ],
    data_dir: DataDir = Path("data"),
) -> None:
    """Write a character card into a file of any format."""
    try:
        card = Library(data_dir).get(character_id).file
        written = write_file(card, path)
    except ConfigurationError as error:
        _fail(error, 1)
    _say(f"{path} is written." + (f" Its {written} did not fit into it." if written else ""))


@character.command("list")
def list_cards(data_dir: DataDir = Path("data")) -> None:
    """Show the character cards in the data directory."""
    library = Library(data_dir)
    try:
        paths = library.paths()
    except ConfigurationError as error:
        _fail(error, 1)
    for character_id, path in paths.items():
        try:
            _say(f"{character_id}: {shown_name(library.get(character_id).file.card)} ({path})")
        except ConfigurationError as error:
            _complain(error)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except ConfigurationError as error:
        _fail(error, 1)


def _say(text: str) -> None:
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def _complain(error: ConfigurationError) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"rejoinder: {error}", markup=False)


def _fail(error: ConfigurationError, code: int) -> NoReturn:
    _complain(error)
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
