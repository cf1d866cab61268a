"""A stage on which nothing is delivered by itself: each test says which event arrives, and when."""

import pytest

from tests.stage import Stage


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with the sandbox's own deliveries held back."""
    stage.silence()
    return stage
