"""The libraries that the shop loads: the floor for memory carries the same."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

SHOP = Path(__file__).resolve().parent.parent / "storefront"
NOT_SERVED = ("sandbox", "demo")  # a real shop loads neither


def load_all() -> None:
    """Import every module from outside that the shop's own files import at their top."""
    for path in sorted(SHOP.rglob("*.py")):
        if path.relative_to(SHOP).parts[0] in NOT_SERVED:
            continue
        for name in _imported(path):
            if name.partition(".")[0] not in ("storefront", "__future__"):
                import_module(name)


def _imported(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found
