"""Putting a backup back: only a whole one, never over data unasked, and never half."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storefront import create_app, database
from storefront.extensions import db
from storefront.services import archive, restore
from tests.conftest import SETTINGS
from tests.factories import make_product
from tests.payments.interventions import on_sqlite
from tests.services.test_backup import add_picture, folder, run, take
from tests.stage import Stage

__all__ = ["folder"]
ROOT = Path(__file__).parent.parent.parent


def slugs(stage: Stage) -> list[str]:
    with stage.app.app_context():
        return sorted(db.session.scalars(db.select(db.metadata.tables["product"].c.slug)))


def rewritten(path: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> Path:
    """The archive with other entries in it, as somebody with a text editor and tar would make."""
    with tarfile.open(path) as tar:
        entries = [(entry, tar.extractfile(entry).read()) for entry in tar]  # type: ignore[union-attr]
    change(entries)
    made = path.with_name("changed.tar.gz")
    with tarfile.open(made, "w:gz") as tar:
        for entry, content in entries:
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return made


def foreign(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


def insert(entry: tarfile.TarInfo) -> Callable[[Path], Path]:
    return lambda path: rewritten(path, lambda entries: entries.insert(1, (entry, b"")))


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-20])
    return path


def flip(where: float) -> Callable[[Path], Path]:
    def change(path: Path) -> Path:
        content = bytearray(path.read_bytes())
        content[int(len(content) * where) - 1] ^= 16
        path.write_bytes(content)
        return path

    return change


def edit(path: Path) -> Path:
    def change(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        at = next(n for n, (entry, _) in enumerate(entries) if entry.name.startswith("media/"))
        entries[at] = (entries[at][0], b"another picture")

    return rewritten(path, change)


def as_zip(path: Path) -> Path:
    made = path.with_name("shop.zip")
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("../../evil", "evil")
    return made


DAMAGES: dict[str, Callable[[Path], Path]] = {
    "cut": cut,
    "a bit flipped in the first half": flip(0.4),
    "a bit flipped in the second half": flip(0.8),
    "a bit flipped in the last byte": flip(1.0),
    "a zip": as_zip,
    "a name that climbs": insert(foreign("media/../../evil")),
    "an absolute name": insert(foreign("/tmp/evil")),
    "a link to a file": insert(foreign("media/evil.webp", tarfile.SYMTYPE, "/etc/passwd")),
    "a link in place of a folder": insert(foreign("media", tarfile.SYMTYPE, "/tmp")),
    "a hard link": insert(foreign("media/evil.webp", tarfile.LNKTYPE, "database.sqlite")),
    "a device": insert(foreign("media/evil.webp", tarfile.CHRTYPE)),
    "one picture more": insert(foreign("media/evil.webp")),
    "another picture": edit,
    "one picture less": lambda path: rewritten(path, lambda entries: entries.pop(1)),
    "a file twice": lambda path: rewritten(path, lambda entries: entries.insert(1, entries[1])),
    "no manifest": lambda path: rewritten(path, lambda entries: entries.pop()),
}


@on_sqlite
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_changes_nothing(stage: Stage, folder: Path, damage: str) -> None:
    picture = add_picture(stage)
    path = take(stage, folder)
    bad = DAMAGES[damage](path)
    stage.add_product({"sku": "NEW"}, slug="new", name="New")
    picture.write_bytes(b"newer")
    media, beside = picture.parent, picture.parent.parent.parent
    before = slugs(stage), sorted(os.listdir(media)), sorted(os.listdir(beside))

    result = run(stage, "restore", str(bad), "--force")

    assert result.exit_code == 1 and "Nothing was changed" in result.output
    after = slugs(stage), sorted(os.listdir(media)), sorted(os.listdir(beside))
    assert after == before and picture.read_bytes() == b"newer"
    assert not Path("/tmp/evil").exists()


def test_it_refuses_to_write_over_data_unless_forced(stage: Stage, folder: Path) -> None:
    picture = add_picture(stage)
    path = take(stage, folder)
    stage.add_product({"sku": "NEW"}, slug="new", name="New")
    stage.started_with.pop("NEW")
    picture.unlink()

    refused = run(stage, "restore", str(path))
    assert refused.exit_code == 1 and "--force" in refused.output and "product: 6" in refused.output
    assert "new" in slugs(stage) and not picture.exists()

    done = run(stage, "restore", str(path), "--force")
    assert done.exit_code == 0, done.output
    assert "new" not in slugs(stage)
    assert picture.read_bytes() == b"a picture"
    kept = done.output.split("is kept: ")[1].splitlines()[0]
    assert stage.app.test_client().get("/readyz").status_code == 200
    assert slugs_of_kept(stage, kept).count("new") == 1


def slugs_of_kept(stage: Stage, kept: str) -> list[str]:
    """The products in what a restore put aside."""
    if kept.startswith("/"):
        with closing(sqlite3.connect(kept)) as database:
            return [row[0] for row in database.execute("SELECT slug FROM product")]
    schema = kept.removeprefix("the schema ")
    with stage.app.app_context(), db.engine.connect() as connection:
        found = connection.execute(db.text(f"SELECT slug FROM {schema}.product")).scalars().all()
        connection.execute(db.text(f"DROP SCHEMA {schema} CASCADE"))
        connection.commit()
    return list(found)


def test_an_empty_database_needs_no_force(stage: Stage, folder: Path, tmp_path: Path) -> None:
    path = take(stage, folder)
    if stage.app.config["DATABASE_URL"].startswith("sqlite"):
        moved = {"SHOP_INSTANCE": str(tmp_path / "elsewhere")}
        app = create_app(SETTINGS | {"STRIPE_SECRET_KEY": "", "STRIPE_PUBLISHABLE_KEY": ""} | moved)
        result = app.test_cli_runner().invoke(args=["shop", "restore", str(path)])
        with app.app_context():
            assert db.session.scalar(db.text("SELECT count(*) FROM product")) == 5
            db.engine.dispose()
    else:
        with stage.app.app_context(), db.engine.connect() as connection:
            connection.execute(db.text("DROP SCHEMA public CASCADE"))
            connection.commit()
        result = run(stage, "restore", str(path))
        assert len(slugs(stage)) == 5
    assert result.exit_code == 0, result.output
    assert "is kept" not in result.output


def test_it_waits_until_the_shop_is_stopped(stage: Stage, folder: Path) -> None:
    path = take(stage, folder)
    serving = create_app(
        SETTINGS | {name: stage.app.config[name] for name in ("DATABASE_URL", "SHOP_INSTANCE")}
    )
    try:
        serving.test_client().get("/readyz")  # leaves a connection in the pool, idle
        result = run(stage, "restore", str(path), "--force")
        assert result.exit_code == 1 and "Stop the shop" in result.output
    finally:
        with serving.app_context():
            db.engine.dispose()
    assert run(stage, "restore", str(path), "--force").exit_code == 0
    forget_kept_schemas(stage)


def forget_kept_schemas(stage: Stage) -> None:
    if stage.app.config["DATABASE_URL"].startswith("sqlite"):
        return
    with stage.app.app_context(), db.engine.connect() as connection:
        found = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'"
        for schema in connection.execute(db.text(found)).scalars().all():
            connection.execute(db.text(f"DROP SCHEMA {schema} CASCADE"))
        connection.commit()


@on_sqlite
def test_a_damaged_database_can_be_replaced(stage: Stage, folder: Path) -> None:
    path = take(stage, folder)
    with stage.app.app_context():
        db.session.remove()
        db.engine.dispose()
        target = restore.database_copy.sqlite_path()
    target.write_bytes(b"what was a database" * 1000)
    target.with_name("shop.sqlite-wal").write_bytes(b"its log" * 1000)

    result = run(stage, "restore", str(path), "--force")

    assert result.exit_code == 0, result.output
    assert len(slugs(stage)) == 5
    (kept,) = target.parent.glob("shop.sqlite.before-*Z")
    assert kept.read_bytes().startswith(b"what was a database")


@on_sqlite
@pytest.mark.parametrize("told", [{"revision": "9999"}, {"format": 2}])
def test_a_backup_of_a_newer_version_is_refused(
    stage: Stage, folder: Path, told: dict[str, Any]
) -> None:
    def change(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        entry, manifest = entries[-1]
        entries[-1] = entry, json.dumps(json.loads(manifest) | told).encode()

    result = run(stage, "restore", str(rewritten(take(stage, folder), change)), "--force")
    assert result.exit_code == 1 and "newer version" in result.output


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_backup_of_the_other_kind_of_database_is_refused(
    stage: Stage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = take(stage, folder)
    moved = create_app(SETTINGS | {"SHOP_INSTANCE": str(tmp_path / "elsewhere")})
    result = moved.test_cli_runner().invoke(args=["shop", "restore", str(path)])
    assert result.exit_code == 1 and "another kind of database (postgresql)" in result.output


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_restore_that_breaks_off_on_postgresql_changes_nothing(
    stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = take(stage, folder)
    stage.add_product({"sku": "NEW"}, slug="new", name="New")
    write_script = restore.database_copy.write_script

    def break_off(copy: Path, script: Path) -> None:
        write_script(copy, script)
        script.write_text(script.read_text() + "SELECT 1/0;\n")

    monkeypatch.setattr(restore.database_copy, "write_script", break_off)
    result = run(stage, "restore", str(path), "--force")
    assert result.exit_code == 1 and "division by zero" in result.output
    assert "new" in slugs(stage)


def test_what_was_paid_since_the_backup_is_paid_again(stage: Stage, folder: Path) -> None:
    session_id = stage.open_session(stage.browser())
    path = take(stage, folder)
    stage.pay(session_id)

    result = run(stage, "restore", str(path), "--force")

    assert result.exit_code == 0, result.output
    forget_kept_schemas(stage)
    assert "Stripe says" in result.output and session_id in result.output
    assert stage.order().state == "paid"
    assert stage.stock() == (4, 0, 1)


@on_sqlite
def test_a_purchase_begun_and_paid_since_the_backup_is_told(stage: Stage, folder: Path) -> None:
    path = take(stage, folder)
    session_id = stage.open_session(stage.browser())
    stage.pay(session_id)
    result = run(stage, "restore", str(path), "--force")
    assert result.exit_code == 0, result.output
    assert session_id in result.output


@on_sqlite
def test_without_an_answer_of_stripes_it_says_what_to_do_later(stage: Stage, folder: Path) -> None:
    path = take(stage, folder)
    stage.fault("500", count=9)
    result = run(stage, "restore", str(path), "--force")
    assert result.exit_code == 0, result.output
    assert "Once Stripe answers, run: flask shop reconcile --repair" in result.output


@on_sqlite
def test_the_archive_checks_itself_without_a_shop(stage: Stage, folder: Path) -> None:
    path = take(stage, folder)
    with stage.app.app_context():
        assert archive.read(path)["rows"]["product"] == 5
    with pytest.raises(archive.BadArchive):
        archive.read(flip(0.5)(path))


@pytest.fixture
def prepared(sqlite_template: Path, tmp_path: Path) -> Path:
    """An instance folder with one product and a picture, to be copied for each death."""
    instance = tmp_path / "prepared"
    (instance / "media").mkdir(parents=True)
    (instance / "media" / "aa-320.webp").write_bytes(b"a picture")
    shutil.copy(sqlite_template, instance / "shop.sqlite")
    app = create_app({"TESTING": True, "SHOP_INSTANCE": str(instance)})
    with app.app_context():
        with database.writing():
            make_product({"sku": "OLD"}, slug="old", name="Old")
        db.engine.dispose()
    return instance


def deaths(prepared: Path, *words: str) -> list[dict[str, Any]]:
    """What each death in the command left; the last run is the one that lived."""
    command = [sys.executable, "-m", "tests.services.dying", str(prepared), *words]
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["status"] for each in told[:-1]} == {70} and told[-1]["status"] == 0
    assert {each["sound"] for each in told} == {"ok"}
    return told


def test_a_backup_that_is_killed_leaves_no_archive(prepared: Path) -> None:
    told = deaths(prepared, "backup")
    visible = [[name for name in each["archives"] if not name.startswith(".")] for each in told]
    assert visible[0] == [] and len(visible[-1]) == 1
    assert sorted(map(len, visible)) == [len(each) for each in visible]  # once there, it stays
    assert len(told) > 4


def test_a_restore_that_is_killed_leaves_the_old_or_the_new(prepared: Path, tmp_path: Path) -> None:
    app = create_app({"TESTING": True, "SHOP_INSTANCE": str(prepared)})
    made = app.test_cli_runner().invoke(args=["shop", "backup", "--to", str(tmp_path)])
    path = made.output.splitlines()[0]
    with app.app_context():
        with database.writing():
            make_product({"sku": "NEW"}, slug="new", name="New")
        db.engine.dispose()
    (prepared / "media" / "aa-320.webp").unlink()

    told = deaths(prepared, "restore", path, "--force")

    products = [each["products"] for each in told]
    assert products[0] == ["new", "old"] and products[-1] == ["old"]
    changed = products.index(["old"])
    assert products == [["new", "old"]] * changed + [["old"]] * (len(products) - changed)
    assert all("aa-320.webp" in each["media"] for each in told[changed:])
    assert changed > 4
