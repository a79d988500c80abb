"""One isolated world behind one HTTPS front, for all real clients of a session."""

from collections.abc import Iterator

import pytest

from local.simulator import seed
from local.stage import await_azure, launch_azure
from tests.local.clients.world import ServedWorld
from tests.local.isolated import isolated_world


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedWorld]:
    """The simulated Azure in a process of its own, with an isolated registry in it."""
    world = isolated_world()
    folder = tmp_path_factory.mktemp("azure")
    with launch_azure(folder, scale=0.01, document=seed.dump(world.azure)) as child:
        yield ServedWorld(azure=await_azure(child), world=world)
