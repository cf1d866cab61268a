"""What the documents say is true: their commands exist, and their code does what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from storefront.cli.group import shop
from storefront.mail.kinds import get_kind
from storefront.sandbox import close, command, control
from storefront.signals import order_paid
from tests.conftest import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"flask(?: --app \w+)? shop ([a-z][^`#\n|]*)")
SANDBOX = (ROOT / "docs" / "sandbox.md").read_text()
LEVER = re.compile(r"`([a-z-]+ [^`|]+)`")


def python(name: str) -> list[str]:
    """The blocks of Python in a document."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / name).read_text(), re.DOTALL)


def levers() -> list[str]:
    """The second column of the sandbox's table: what is typed."""
    rows = [line.split(" | ") for line in SANDBOX.splitlines() if line.startswith("| ")]
    return [typed for row in rows[1:] for typed in LEVER.findall(row[1])]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_exists_with_its_options(path: Path) -> None:
    for typed in COMMAND.findall(path.read_text()):
        name, *words = re.split(r"[\s]+", re.split(r"[.,;:)] |[.,;:)]$", typed)[0].strip())
        found = shop.commands.get(name)
        assert isinstance(found, click.Command), typed
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options | {"--help"}, typed


def test_every_lever_of_the_sandbox_can_be_typed() -> None:
    parser = command._parser()
    assert len(levers()) > 10
    for typed in levers():
        assert parser.parse_args(shlex.split(typed)).command, typed


def test_the_sandbox_is_driven_from_tests_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    body, closing = python("sandbox.md")[-1].rsplit("\n", 2)[0], "close(sandbox)"
    assert closing in python("sandbox.md")[-1]
    space: dict[str, Any] = {}
    exec(body, space)
    (typed,) = re.findall(r"storefront\.sandbox (chaos .+)", SANDBOX)
    pairs = command._parser().parse_args(shlex.split(typed)).pairs
    try:
        assert control.set_chaos(space["sandbox"], **dict(pairs))["duplicate"] == 0.3
    finally:
        close(space["sandbox"])


def test_an_extension_as_written_takes_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SETTINGS.items():
        if isinstance(value, str):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("SHOP_INSTANCE", str(tmp_path))
    (block,) = python("extending.md")
    space: dict[str, Any] = {"__name__": "my_shop"}
    exec(block, space)
    app = space["app"]
    with app.app_context():
        assert get_kind("member_thanks").to_buyer
    with pytest.raises(ValueError, match="already"):
        space["handlers"].register(app, "invoice.paid", space["thank_a_member"])
    assert space["tell_the_studio"] in list(order_paid.receivers_for(app))
