"""A command of the shop, killed at each of its steps in turn: `python -m tests.services.dying`.

A step is each rename, link, sync and removal it is about to do. Each run starts from a fresh copy
of a folder, in a process of its own that ends as by kill -9; what it leaves is told on standard
output.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from storefront import create_app

STEPS = ("replace", "link", "fsync", "unlink", "rmdir", "chmod")


def main() -> None:
    """Take from the command line: a prepared instance folder, and the words of the command."""
    prepared, *words = sys.argv[1:]
    instance = Path(prepared).with_name("dying")
    number, status = 0, 1
    while status:
        number += 1
        shutil.rmtree(instance, ignore_errors=True)
        shutil.copytree(prepared, instance)
        status = killed_at(number, instance, words)
        told = {"step": number, "status": status, **left(instance)}
        print(json.dumps(told), flush=True)


def killed_at(number: int, instance: Path, words: list[str]) -> int:
    """Run the command in a child that dies at this step; its exit status, 70 for the death."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        app = create_app({"TESTING": True, "SHOP_INSTANCE": str(instance)})
        die_at(number)
        result = app.test_cli_runner().invoke(args=["shop", *words])
        if result.exit_code:
            print(result.output, file=sys.stderr)
        os._exit(result.exit_code)
    finally:
        os._exit(71)


def die_at(number: int) -> None:
    steps = iter(range(1, number))

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if next(steps, None) is None:
                os._exit(70)
            return step(*args, **options)

        return call

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))


def left(instance: Path) -> dict[str, Any]:
    """What there is: the products by the database, whether it is sound, and the archives."""
    with closing(sqlite3.connect(instance / "shop.sqlite")) as database:
        sound = database.execute("PRAGMA integrity_check").fetchone()[0]
        products = [row[0] for row in database.execute("SELECT slug FROM product ORDER BY slug")]
    folder = instance / "backups"
    archives = sorted(path.name for path in folder.glob("*")) if folder.exists() else []
    media = sorted(path.name for path in (instance / "media").glob("*"))
    return {"sound": sound, "products": products, "archives": archives, "media": media}


if __name__ == "__main__":
    main()
