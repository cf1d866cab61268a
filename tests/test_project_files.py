"""The files around the code agree, and setting up says in plain words what a machine lacks."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PINS = ["requirements.txt", "requirements-postgres.txt", "requirements-dev.txt"]
FLASK_ITSELF = {"werkzeug", "jinja2", "markupsafe", "click", "blinker", "itsdangerous"}
PROMISED_TARGETS = {"help", "demo", "run", "test", "faults", "check", "bench", "lock", "clean"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(name: str) -> set[str]:
    """The libraries a requirements*.in file names."""
    names = re.findall(r"^([A-Za-z0-9][\w.-]*)", read(name), flags=re.MULTILINE)
    return {canonical(name) for name in names}


def pinned(name: str) -> dict[str, str]:
    """Library to exact version, from a compiled requirements file."""
    pairs = re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", read(name), flags=re.MULTILINE)
    return {canonical(name): version for name, version in pairs}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", read("Makefile"), flags=re.MULTILINE))


@pytest.mark.parametrize("name", PINS)
def test_pins_carry_hashes_and_no_address_or_option_of_the_machine_that_made_them(name):
    lines = [line.strip() for line in read(name).splitlines()]
    assert pinned(name)
    assert "://" not in read(name)
    assert [line for line in lines if line.startswith("-") and not line.startswith("--hash=")] == []
    for entry in re.split(r"\n(?=\w)", read(name))[1:]:
        assert "--hash=sha256:" in entry, f"no hash for {entry.splitlines()[0]}"


@pytest.mark.parametrize("name", PINS)
def test_every_wanted_library_is_pinned(name):
    assert wanted(name.replace(".txt", ".in")) <= pinned(name).keys()


def test_the_three_pin_files_agree_on_versions():
    run = pinned("requirements.txt")
    for other in PINS[1:]:
        shared = run.keys() & pinned(other).keys()
        assert {n: pinned(other)[n] for n in shared} == {n: run[n] for n in shared}
    assert pinned("requirements-postgres.txt").items() <= pinned("requirements-dev.txt").items()


def test_every_dependency_says_what_it_saves_us():
    rows = re.findall(r"^\| ([\w.-]+) \| (.+) \|$", read("docs/dependencies.md"), re.MULTILINE)
    explained = {canonical(name) for name, reason in rows if name != "Library" and reason}
    named = {library for name in PINS for library in wanted(name.replace(".txt", ".in"))}
    assert named == explained


def imported_libraries(folder: str) -> set[str]:
    """The distributions whose modules the code in `folder` imports by name."""
    ours = {"storefront", "tests", "bench", "wsgi"}
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    providers = packages_distributions()
    foreign = found - ours - sys.stdlib_module_names
    return {canonical(name) for module in foreign for name in providers.get(module, [module])}


def test_the_shop_imports_only_libraries_it_names_itself():
    assert imported_libraries("storefront") - FLASK_ITSELF <= wanted("requirements.in")


@pytest.mark.parametrize("folder", ["tests", "bench"])
def test_tests_and_benchmarks_import_only_libraries_somebody_named(folder):
    named = {library for name in PINS for library in wanted(name.replace(".txt", ".in"))}
    assert imported_libraries(folder) - FLASK_ITSELF <= named


def test_the_makefile_offers_what_is_promised_and_lists_it():
    assert make_targets() == PROMISED_TARGETS


def test_the_makefile_stays_within_gnu_make_3_81():
    assert ".ONESHELL" not in read("Makefile")
    assert "!=" not in read("Makefile")


def test_every_make_command_in_the_readme_exists():
    text = read("README.md")
    commands = re.findall(r"`make ([a-z]+)", text) + re.findall(r"^\s*make ([a-z]+)", text, re.M)
    assert {"demo", "test"} <= set(commands)
    assert set(commands) <= make_targets()


@pytest.fixture
def machine(tmp_path):
    """A machine of our making: an empty checkout, and a PATH with only a few tools on it."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "id", "rm", "env", "grep"):
        (tools / name).symlink_to(shutil.which(name))
    (tmp_path / "checkout").mkdir()
    return tmp_path


def install_tool(machine: Path, name: str, script: str) -> None:
    tool = machine / "bin" / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def set_up(machine: Path, step: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["sh", ROOT / "deploy/setup.sh", step],
        cwd=machine / "checkout",
        env={"PATH": str(machine / "bin"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_python_the_set_up_says_how_to_get_it(machine):
    result = set_up(machine, "venv")
    assert result.returncode == 1
    assert "needs Python 3.11 or newer; found: no python3 that runs" in result.stderr
    assert "apt-get install -y python3 python3-venv" in result.stderr
    assert "brew install python" in result.stderr


def test_an_old_python_is_named_and_refused(machine):
    install_tool(machine, "python3", '[ "$1" = --version ] && echo Python 3.9.18 || exit 1')
    result = set_up(machine, "venv")
    assert result.returncode == 1
    assert "found: Python 3.9.18." in result.stderr


def python_without_ensurepip(machine: Path) -> str:
    shadow = machine / "shadow"
    shadow.mkdir()
    (shadow / "ensurepip.py").write_text("raise ImportError('not packaged')")
    return f'PYTHONPATH="{shadow}" exec "{sys.executable}" "$@"'


def test_without_ensurepip_the_one_line_that_mends_it_is_printed_and_no_half_venv_left(machine):
    install_tool(machine, "python3", python_without_ensurepip(machine))
    install_tool(machine, "apt-get", "exit 99")
    result = set_up(machine, "venv")
    assert result.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"apt-get install -y python{version}-venv" in result.stderr
    assert list((machine / "checkout").iterdir()) == []


def test_a_failed_attempt_at_a_venv_is_cleared_away(machine):
    fails = '[ "$1" = -m ] && { mkdir -p .venv/bin; exit 1; } || exit 0'
    (machine / "bin" / "mkdir").symlink_to(shutil.which("mkdir"))
    install_tool(machine, "python3", fails)
    assert set_up(machine, "venv").returncode == 1
    assert list((machine / "checkout").iterdir()) == []


def test_an_interpreter_that_cannot_run_is_passed_over_for_one_that_can(machine):
    install_tool(machine, "python3", "echo 'no such version' >&2; exit 127")
    install_tool(machine, "python3.12", f'exec "{sys.executable}" "$@"')
    result = set_up(machine, "venv")
    assert result.returncode == 0, result.stderr
    assert (machine / "checkout/.venv/bin/python").exists()


def test_serving_for_real_asks_for_an_env_file_first(machine):
    refused = set_up(machine, "serving")
    assert refused.returncode == 1
    assert "cp .env.example .env" in refused.stderr
    assert set_up(machine, "serving", STRIPE_SECRET_KEY="sk_from_a_container").returncode == 0
    (machine / "checkout/.env").touch()
    assert set_up(machine, "serving").returncode == 0


@pytest.mark.parametrize("url", ["postgresql://shop@db/shop", "'postgres://shop@db/shop'"])
def test_serving_on_postgresql_installs_its_driver(machine, url):
    folder = machine / "checkout/.venv/bin"
    folder.mkdir(parents=True)
    # Without psycopg, and telling what it was asked to install.
    install_tool(machine, "fake", 'case "$*" in *psycopg*) exit 1 ;; *install*) echo "$@" ;; esac')
    (folder / "python").symlink_to(machine / "bin/fake")
    (machine / "checkout/.env").write_text("DATABASE_URL=sqlite:///shop.sqlite\n")
    assert "requirements" not in set_up(machine, "serving").stdout
    (machine / "checkout/.env").write_text(f"SHOP_NAME=Mugs\nDATABASE_URL={url}\n")
    assert "--require-hashes -r requirements-postgres.txt" in set_up(machine, "serving").stdout


def test_ready_stamps_keep_make_away_from_pip(machine):
    venv = machine / "checkout/.venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to(sys.executable)
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, machine / "checkout")
    for stamp in (".stamp-run", ".stamp-dev"):
        (venv / stamp).touch()
    make = ["make", "--question", ".venv/.stamp-dev"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}

    def is_ready() -> bool:
        ran = subprocess.run(make, cwd=machine / "checkout", env=environment, timeout=60)
        return ran.returncode == 0

    assert is_ready()
    later = (venv / ".stamp-run").stat().st_mtime + 5
    os.utime(machine / "checkout/requirements.txt", (later, later))
    assert not is_ready()
    os.utime(machine / "checkout/requirements.txt", (later - 10, later - 10))
    assert is_ready()
    (venv / "bin/python").unlink()
    assert not is_ready()
