"""A first start as a container platform does it: several processes at once on an empty database."""

from __future__ import annotations

import json
import subprocess

import pytest
import requests

from tests.faults.databases import BOTH, make_empty
from tests.faults.serving import Served
from tests.faults.together import PATIENCE

# `flask shop init`, held until all of them stand at the line: starting takes longer than migrating.
INIT_WHEN_TOLD = """
import sys
from wsgi import app
print("ready", flush=True)
sys.stdin.readline()
result = app.test_cli_runner().invoke(args=["shop", "init"])
print(result.output, result.exception)
sys.exit(result.exit_code)
"""


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("now\n")
    process.stdin.flush()


@pytest.mark.parametrize("kind", BOTH)
def test_four_inits_at_once_make_one_shop(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("boot")
    shop = Served(folder, make_empty(kind, folder, request))
    try:
        shop.start(ready="/healthz")
        assert requests.get(f"{shop.url}/readyz", timeout=10).status_code == 503

        starting = [shop.python("-c", INIT_WHEN_TOLD) for _ in range(4)]
        assert [_hear(process) for process in starting] == ["ready\n"] * 4
        for process in starting:
            _tell(process)

        said = [process.communicate(timeout=PATIENCE)[0] for process in starting]
        assert [process.returncode for process in starting] == [0] * 4, said
        assert requests.get(f"{shop.url}/readyz", timeout=10).status_code == 200
        sku = shop.add_goods(1)
        (level,) = shop.run("stock", "--json").splitlines()
        assert json.loads(level) == {"sku": sku, "on_hand": 1, "held": 0, "sold": 0}
        assert len(shop.endpoints()) == 1
        assert shop.troubles() == []
    finally:
        shop.stop()
