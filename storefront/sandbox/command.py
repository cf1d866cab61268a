"""The sandbox's command line: every function of `control` is a command, and `list` shows the rest.

    python -m storefront.sandbox --file instance/sandbox.sqlite advance 30d
    python -m storefront.sandbox list subscriptions --limit 5

It works on the file, beside the running server: deliveries leave with that server, or with
`deliver-now`.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from storefront.sandbox import control, timekeeping
from storefront.sandbox.app import close, create_sandbox
from storefront.sandbox.core import state
from storefront.sandbox.errors import ApiError

DEFAULT_FILE = "instance/sandbox.sqlite"
DEFAULT_URL = "http://127.0.0.1:8000/sandbox"
LISTS = {
    "charges": "charge",
    "customers": "customer",
    "disputes": "dispute",
    "endpoints": "webhook_endpoint",
    "events": "event",
    "invoices": "invoice",
    "payments": "payment_intent",
    "refunds": "refund",
    "sessions": "checkout.session",
    "subscriptions": "subscription",
    "test-clocks": "test_helpers.test_clock",
}
SHORT = {
    "cancel_subscription": "cancel",
    "expire_session": "expire",
    "fail_payment": "fail",
    "inject_fault": "faults",
    "resend_event": "resend",
    "set_chaos": "chaos",
    "set_switches": "switches",
    "settle_payment": "settle",
}
WORDS = {"true": True, "yes": True, "false": False, "no": False}
Command = Callable[..., Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and print its result as JSON; return the exit status."""
    given = vars(_parser().parse_args(arguments))
    file, base_url = Path(given.pop("file")), given.pop("base_url")
    command: Command = given.pop("command")
    if not file.exists():
        print(f"There is no sandbox in {file}: start one, or name its --file.", file=sys.stderr)
        return 2
    given.update(given.pop("pairs", []))
    app = create_sandbox(file, base_url, background=False)
    try:
        timekeeping.sweep(state(app).store)
        print(json.dumps(_show(command(app, **given)), indent=2, ensure_ascii=False))
    except ApiError as error:
        print(error.message, file=sys.stderr)
        return 1
    finally:
        close(app)
    return 0


def list_commands() -> dict[str, Command]:
    """Return every public function of control by its name."""
    found = inspect.getmembers(control, inspect.isfunction)
    return {
        name: function
        for name, function in found
        if function.__module__ == control.__name__ and not name.startswith("_")
    }


def list_objects(app: Flask, what: str, limit: int = 20) -> list[dict[str, Any]]:
    """Show what the sandbox holds of one kind, newest first."""
    if what == "deliveries":
        return control.list_deliveries(app, limit)
    with state(app).store.read() as tx:
        found = tx.select("type = ?", (LISTS[what], limit), "ORDER BY seq DESC LIMIT ?")
    return [dict(obj) for obj in found]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m storefront.sandbox", description="Control a local stand-in for Stripe."
    )
    parser.add_argument("--file", default=DEFAULT_FILE, help="its database (%(default)s)")
    parser.add_argument("--base-url", default=DEFAULT_URL, help="its address (%(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, function in list_commands().items():
        text = _summary(function)
        aliases = [SHORT[name]] if name in SHORT else []
        command = commands.add_parser(
            name.replace("_", "-"), aliases=aliases, help=text, description=text
        )
        command.set_defaults(command=function)
        for parameter in _parameters(function):
            _add_argument(command, parameter)
    listing = commands.add_parser("list", help=_summary(list_objects))
    listing.add_argument("what", choices=[*LISTS, "deliveries"])
    listing.add_argument("--limit", type=int, default=20)
    listing.set_defaults(command=list_objects)
    return parser


def _summary(function: Command) -> str:
    return (inspect.getdoc(function) or "").split("\n")[0].replace("%", "%%")


def _parameters(function: Command) -> Iterator[inspect.Parameter]:
    """Yield the parameters that a command line can fill: texts, numbers, yes or no, objects."""
    for parameter in list(inspect.signature(function, eval_str=True).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD or _reader(parameter.annotation):
            yield parameter


def _add_argument(command: argparse.ArgumentParser, parameter: inspect.Parameter) -> None:
    name, reader = parameter.name, _reader(parameter.annotation) or str
    if parameter.kind is parameter.VAR_KEYWORD:
        command.add_argument("pairs", nargs="*", type=_pair, metavar="NAME=VALUE")
    elif parameter.default is parameter.empty:
        command.add_argument(name, type=reader)
    else:
        option = "--" + name.replace("_", "-")
        shown = f"{parameter.default!r} unless given".replace("%", "%%")
        command.add_argument(option, type=reader, default=parameter.default, help=shown)


def _reader(annotation: Any) -> Callable[[str], Any] | None:
    """Return what reads a word as a value of this type, or None where none can."""
    readers: dict[Any, Callable[[str], Any]] = {
        str: str,
        int: int,
        float: float,
        bool: _read_truth,
        dict[str, Any]: json.loads,
    }
    for type, reader in readers.items():
        if annotation in (type, type | None):
            return reader
    return None


def _read_truth(word: str) -> bool:
    if word not in WORDS:
        raise argparse.ArgumentTypeError(f"{word} is neither of yes and no")
    return WORDS[word]


def _pair(text: str) -> tuple[str, Any]:
    name, equals, word = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=VALUE")
    try:
        return name, json.loads(word)
    except ValueError:
        return name, word


def _show(result: Any) -> Any:
    """Return a result as JSON knows it; an outcome is told by its name."""
    if is_dataclass(result):
        return {"outcome": type(result).__name__.lower()}
    return {} if result is None else result
