"""What every test shares: no network, no file of the user touched, the models at hand."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from likeness import models

REPOSITORY = Path(__file__).resolve().parents[1]
# How long an example takes is the machine's affair.
settings.register_profile("likeness", deadline=None)
settings.load_profile("likeness")
OFFLINE = Path(__file__).parent / "offline"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the tests marked `full`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked `full` unless they were asked for."""
    if config.getoption("--full"):
        return
    longer = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=longer)
    items[:] = [item for item in items if item not in longer]


def pytest_configure() -> None:
    """Close the network, here and in every Python that a test starts; and let Ctrl-C get through to those.

    A shell starts what runs in its background with Ctrl-C ignored, and that is handed down.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    spec = importlib.util.spec_from_file_location("likeness_tests_offline", OFFLINE / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(OFFLINE), os.environ.get("PYTHONPATH"))))
    os.environ["LIKENESS_OFFLINE"] = "1"


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty `LIKENESS_HOME`, so that no test reads or writes the user's identity or cache.

    The models that `./test` pulled are copied beside it and found through `LIKENESS_MODELS`.
    """
    at_hand = [(entry.file_name, path) for entry in models.all_models() if (path := models.find(entry.name))]
    folder = tmp_path_factory.mktemp("likeness")
    (folder / "models").mkdir()
    for file_name, path in at_hand:
        shutil.copyfile(path, folder / "models" / file_name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIKENESS_HOME", str(folder / "home"))
        patch.setenv("LIKENESS_MODELS", str(folder / "models"))
        yield folder / "home"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real media that stays out of the repository; tests skip where it is absent."""
    path = Path(os.environ.get("LIKENESS_SHARED", REPOSITORY.parent / "shared"))
    if not (path / "media").is_dir():
        pytest.skip("needs ../shared/media")
    return path


@pytest.fixture(scope="session")
def hopper_path(home: Path) -> Path:
    """The demo's portrait, 512 by 600 px."""
    return models.fetch("grace-hopper")


@pytest.fixture(scope="session")
def carphone_path(home: Path) -> Path:
    """The demo's driving video, 176 by 144 px, silent."""
    return models.fetch("carphone")
