"""What all tests share: a skip is a failure where every engine is promised, and the folder of shared inputs."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Set by .ci/run, which installs every engine: a test that could not run there has not passed.
ALL_ENGINES_PROMISED = os.environ.get("REQUIRE_ENGINES") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    """Turn a skipped test into a failed one where every engine is promised."""
    return _no_skips((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, object, object]:
    """The same for a module that skips as a whole."""
    return _no_skips((yield))


def _no_skips(report: object) -> object:
    assert isinstance(report, pytest.TestReport | pytest.CollectReport)
    if ALL_ENGINES_PROMISED and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\n(a skip, which REQUIRE_ENGINES=1 makes a failure)"
    return report


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of inputs beside the checkout (portraits, heads, speech); skips where it is absent."""
    folder = Path(os.environ.get("AVATAR3D_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared inputs at {folder}; set AVATAR3D_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """The picture of Eileen Collins that scikit-image carries (NASA, public domain)."""
    pytest.importorskip("skimage", reason="the picture of Eileen Collins comes with scikit-image (extra `demo`)")
    import skimage

    return Path(skimage.__file__).parent / "data" / "astronaut.png"
