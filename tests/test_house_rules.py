"""The house rules that a machine can hold us to: who may import whom, and which doors exist."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHOP = ROOT / "storefront"

SURFACES = {"auth", "shop", "payments", "webhooks", "admin", "cli", "work"}
FOUNDATION = {"extensions", "errors", "money", "signals", "config", "i18n"}
MODULES = sorted(SHOP.rglob("*.py"))


def room(path: Path) -> str:
    """The package or top-level module that a file belongs to."""
    first = path.relative_to(SHOP).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Dotted names of what a file imports, those inside functions included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_of(names: set[str]) -> set[str]:
    """Which rooms of ours these names lie in."""
    return {name.split(".")[1] for name in names if name.startswith("storefront.")}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_it_imports_only_what_its_room_may(path: Path) -> None:
    own, names = room(path), imports(path)
    others = rooms_of(names) - {own}
    assert "create_app" not in {name.rsplit(".")[-1] for name in names}, "only wsgi makes the app"
    if own in FOUNDATION:
        assert others <= {"i18n"}, "everything imports these"
    if own == "sandbox":
        assert others == set(), "the sandbox is a stand-in for a foreign company"
    if own == "models":
        assert others <= {"extensions"}
    if own == "services":
        assert not others & (SURFACES | {"demo", "presenting", "templating", "security"})
    if own in SURFACES - {"cli"}:
        assert not others & (SURFACES - {own}), "surfaces link by name, never by import"
    if own not in {"stripe_gateway", "demo", "sandbox"}:
        assert "sandbox" not in others


# The command line names the handled events when it registers the webhook, and runs the pass.
@pytest.mark.parametrize("path", sorted((SHOP / "cli").glob("*.py")), ids=named)
def test_the_command_line_imports_no_page(path: Path) -> None:
    found = rooms_of(imports(path))
    assert not found & {"auth", "shop", "payments", "admin"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_only_the_gateway_and_the_sandbox_know_stripe(path: Path) -> None:
    knows = any(name == "stripe" or name.startswith("stripe.") for name in imports(path))
    assert not knows or room(path) in {"stripe_gateway", "sandbox"}


@pytest.mark.parametrize("path", sorted((SHOP / "services").glob("*.py")), ids=named)
def test_services_never_commit_and_know_no_request(path: Path) -> None:
    tree = ast.parse(path.read_text())
    calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not calls & {"commit", "rollback"}
    assert "writing" not in calls | names
    assert not names & {"request", "session_cookie", "flash", "abort", "current_user"}


def test_modules_import_each_other_without_cycles() -> None:
    graph = {dotted(path): module_imports(path) for path in MODULES if room(path) != "sandbox"}
    for start in graph:
        assert not reaches(start, start, graph), f"{start} imports itself in the end"


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module_imports(path: Path) -> set[str]:
    known = {dotted(module) for module in MODULES}
    found = {name if name in known else name.rpartition(".")[0] for name in imports(path)}
    return (found & known) - {dotted(path), "storefront"}


def reaches(goal: str, start: str, graph: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting += graph.get(name, ())
    return False


def test_stock_is_changed_in_one_place_only() -> None:
    for path in MODULES:
        if room(path) in {"sandbox", "models", "demo"} or path.name == "stock.py":
            continue
        text = path.read_text()
        assert "on_hand=" not in text and "held=" not in text, f"{path} changes stock"


def test_create_app_is_a_table_of_contents() -> None:
    tree = ast.parse((SHOP / "__init__.py").read_text())
    functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert functions == ["create_app"]
