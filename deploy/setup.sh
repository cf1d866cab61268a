#!/bin/sh
# The steps of the Makefile that need more than a line: finding Python, making .venv, filling it, and saying in plain
# words what is missing. Usage: sh deploy/setup.sh venv | install FILE | serving
set -eu

say() { printf '%s\n' "$@"; }
stop() { say "" "$@" "" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
runs() { "$1" -c "$2" >/dev/null 2>&1; }

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
can_make_venv='import ensurepip, venv'

# Prints the first interpreter that will do. A name on PATH may be a stub that cannot run, so each is tried.
find_python() {
    fallback=
    for name in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        runs "$name" "$new_enough" || continue
        if have uv || runs "$name" "$can_make_venv"; then command -v "$name"; return; fi
        fallback=${fallback:-$name}
    done
    if [ -n "$fallback" ]; then stop_without_venv "$fallback"; else stop_without_python; fi
}

stop_without_venv() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if have apt-get; then
        as_root="sudo "
        [ "$(id -u)" -ne 0 ] || as_root=
        stop "Python $version is here, but its part that makes virtual environments is not. Install it and run make again:" \
            "" "    ${as_root}apt-get install -y python$version-venv"
    fi
    stop "Python $version is here, but without its modules ensurepip and venv. Install them (your system may call the" \
        "package python3-venv or python3-pip), then run make again."
}

stop_without_python() {
    found=$(python3 --version 2>&1) || found="no python3 that runs"
    stop "The shop needs Python 3.11 or newer; found: $found. To install it:" "" \
        "    Debian 12+, Ubuntu 24.04+    sudo apt-get install -y python3 python3-venv" \
        "    Fedora                       sudo dnf install -y python3.13" \
        "    macOS with Homebrew          brew install python@3.13" "" \
        "Then run make again. If it is installed under another name: make PYTHON=/path/to/python demo"
}

# A failed attempt leaves no .venv behind, so that the next make starts afresh.
make_venv() {
    python=$(find_python)
    rm -rf .venv
    trap 'rm -rf .venv' EXIT
    trap 'exit 130' INT TERM
    say "Making .venv with $("$python" --version) ..."
    if ! { have uv && uv venv --quiet --no-project --python "$python" .venv; }; then
        runs "$python" "$can_make_venv" || stop_without_venv "$python"
        "$python" -m venv --clear .venv
    fi
    trap - EXIT
}

install() {
    say "Installing what $1 pins (the first time needs the network and about a minute) ..."
    if have uv && uv pip install --quiet --python .venv/bin/python --require-hashes -r "$1"; then return; fi
    runs .venv/bin/python 'import pip' || .venv/bin/python -m ensurepip >/dev/null
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1" || stop \
        "Installing $1 failed; the lines above say why. Without a network nothing can be installed the first time." \
        "What is there so far stays: run make again to go on."
}

# Containers may hand everything over in the environment; then no file is asked for.
check_settings() {
    if [ -f .env ] || [ -n "${STRIPE_SECRET_KEY:-}${STRIPE_SECRET_KEY_FILE:-}" ]; then return; fi
    stop "There is no .env yet, and make run serves a real shop with your own settings. Make one, fill it in, try again:" \
        "" "    cp .env.example .env" "" "To look around first, without any settings: make demo"
}

wants_postgres() {
    case "${DATABASE_URL:-}" in postgres*) return 0 ;; esac
    [ -f .env ] && grep -Eq "^ *(export +)?DATABASE_URL *= *['\"]?postgres" .env
}

prepare_serving() {
    check_settings
    if wants_postgres && ! runs .venv/bin/python 'import psycopg'; then install requirements-postgres.txt; fi
}

case "${1:-}" in
    venv) make_venv ;;
    install) install "$2" ;;
    serving) prepare_serving ;;
    *) stop "Usage: sh deploy/setup.sh venv | install FILE | serving" ;;
esac
