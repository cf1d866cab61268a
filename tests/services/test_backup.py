"""Backups: taken while the shop sells, whole or not at all, and none but our own ever removed."""

from __future__ import annotations

import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import make_url

from storefront.services import archive, backup, database_copy
from tests.conftest import SETTINGS
from tests.faults.together import at_once
from tests.payments.interventions import on_sqlite
from tests.stage import Stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def take(stage: Stage, folder: Path, *words: str) -> Path:
    result = run(stage, "backup", "--to", str(folder), *words)
    assert result.exit_code == 0, result.output
    return Path(result.output.splitlines()[0])


def run(stage: Stage, *words: str) -> Result:
    return stage.app.test_cli_runner().invoke(args=["shop", *words])


def add_picture(stage: Stage, name: str = "aa11-320.webp", content: bytes = b"a picture") -> Path:
    media = Path(stage.app.config["MEDIA_FOLDER"])
    media.mkdir(exist_ok=True)
    (media / name).write_bytes(content)
    return media / name


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def sell(stage: Stage, times: int, sku: str) -> None:
    for _ in range(times):
        stage.pay(stage.open_session(stage.browser(), sku))


def test_a_backup_taken_while_four_sell_holds_whole_sales(stage: Stage, folder: Path) -> None:
    stage.add_product({"sku": "BOWL", "on_hand": 60}, slug="bowl", name="Bowl")
    sell(stage, 1, "BOWL")
    tasks = [partial(sell, stage, 4, "BOWL")] * 4 + [partial(take, stage, folder)]

    path = at_once(tasks, threads=5)[-1]

    before = len(stage.orders())
    assert before == 17
    with stage.app.app_context():
        told = archive.read(path)
    result = run(stage, "restore", str(path), "--force")
    assert result.exit_code == 0, result.output
    orders = stage.orders()
    assert 1 <= told["rows"]["order"] <= before
    # What was sold after it, or was in the middle of being sold, Stripe was asked about; and
    # `stage` counts the goods.
    assert [order.state for order in orders] == ["paid"] * before
    assert len({order.checkout_session for order in orders}) == before


def test_it_is_readable_by_its_owner_only_and_holds_no_secret(stage: Stage, folder: Path) -> None:
    add_picture(stage)
    add_picture(stage, ".picture-half", b"half a pic")
    secrets = Path(stage.app.config["SHOP_INSTANCE"]) / "secrets"
    secrets.write_text(f"SECRET_KEY={SETTINGS['SECRET_KEY']}\n")

    path = take(stage, folder)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert names(path)[1:] == ["media/aa11-320.webp", "manifest.json"]
    with tarfile.open(path) as tar:
        everything = b"".join(tar.extractfile(name).read() for name in names(path))  # type: ignore[union-attr]
    for name in ("SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
        assert SETTINGS[name].encode() not in everything
    assert "secrets/secrets" in names(take(stage, folder, "--with-secrets"))


@on_sqlite
def test_the_oldest_go_and_what_is_not_ours_stays(stage: Stage, folder: Path) -> None:
    folder.mkdir()
    foreign = ["notes.txt", "shop-old.tar.gz", "shop-20260101T000000Z.tar.gz"]
    for name in foreign:
        (folder / name).write_text("mine")
    old = [folder / f"shop-2026010{day}T000000Z-00000{day}.tar.gz" for day in range(1, 5)]
    for path in old:
        path.write_bytes(b"damaged")

    newest = take(stage, folder, "--keep", "3")

    assert {*foreign, newest.name, old[3].name, old[2].name} == set(os.listdir(folder))
    # A clock that went wrong must not make the only good one the oldest.
    (folder / "shop-29990101T000000Z-999999.tar.gz").write_bytes(b"from the future")
    newest = take(stage, folder, "--keep", "1")
    assert {*foreign, newest.name} == set(os.listdir(folder))


@on_sqlite
def test_a_failed_backup_leaves_nothing_and_removes_nothing(
    stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take(stage, folder)

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_add_manifest", full)
    result = run(stage, "backup", "--to", str(folder), "--keep", "1")

    assert result.exit_code == 1
    assert "No space left" in result.output and "Traceback" not in result.output
    assert os.listdir(folder) == [first.name]


@on_sqlite
def test_a_damaged_database_is_not_passed_off_as_a_backup(stage: Stage, folder: Path) -> None:
    with stage.app.app_context():
        path = database_copy.sqlite_path()
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA foreign_keys=OFF")
            database.execute("INSERT INTO refund_line VALUES (1, 77, 88, 1)")
            database.commit()
    result = run(stage, "backup", "--to", str(folder))
    assert result.exit_code == 1 and "damaged" in result.output
    assert os.listdir(folder) == []


def test_the_shop_remembers_its_last_backup(stage: Stage, folder: Path) -> None:
    path = take(stage, folder)
    with stage.app.app_context():
        told = backup.settings.find(backup.MARK)
    assert told is not None and told["path"] == str(path)


@on_sqlite
def test_without_postgresqls_programs_it_says_what_to_install(stage: Stage) -> None:
    with pytest.raises(database_copy.CopyFailed, match="apt-get install postgresql-client"):
        database_copy.find_tool("pg_no_such_program")


def test_no_password_stands_in_a_command_line() -> None:
    url = make_url("postgresql+psycopg://ada:geheim@db.example:5433/shop?sslmode=require")
    address, secret = database_copy.address_for_tools(url)
    assert address == "postgresql://ada@db.example:5433/shop?sslmode=require"
    assert secret == {"PGPASSWORD": "geheim"}
