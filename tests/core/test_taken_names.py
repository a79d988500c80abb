"""A name that the app would use may be another endpoint's."""

from shared.core.changes import CreateEndpoint
from tests.core.test_endpoints import ACR, NEW, STORAGE, stand
from tests.core.worlds import with_view


def test_no_endpoint_is_put_over_one_that_leads_elsewhere() -> None:
    block = stand(with_view(NEW, taken=frozenset({STORAGE.id}))).block

    assert block is not None
    assert block.name == "EndpointNameTaken"
    assert block.resource == STORAGE.id.text
    assert isinstance(stand(with_view(NEW, taken=frozenset({ACR.id}))).change, CreateEndpoint)
