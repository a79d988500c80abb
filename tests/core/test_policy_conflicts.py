"""A refusal by Azure Policy becomes a finding about what was refused."""

from shared.core.policy_conflicts import policy_conflicts
from shared.core.report import Reason
from tests.core.worlds import ACR_NAME, MANAGED, registry_id

ACR = MANAGED.resource("Microsoft.ContainerRegistry/registries", ACR_NAME)
DENIED = Reason(name="DeniedByPolicy", sentence="Policy 'keep-open' refuses the write.", resource=ACR.text)


def test_a_policy_that_refuses_several_writes_to_one_resource_is_one_finding_about_it() -> None:
    (found,) = policy_conflicts({"close": DENIED, "rules": DENIED}, registry_id())

    assert (found.code, found.resource) == ("policy-conflict", ACR)
    assert "keep-open" in found.sentence


def test_a_refusal_that_names_no_resource_is_a_finding_about_the_registry() -> None:
    for text in ("", "somewhere"):
        (found,) = policy_conflicts(
            {"close": Reason(name="DeniedByPolicy", sentence="No.", resource=text)}, registry_id()
        )

        assert found.resource == registry_id()


def test_what_stands_in_the_way_for_other_reasons_is_no_conflict_of_policies() -> None:
    locked = Reason(name="Locked", sentence="A lock.", resource=ACR.text)

    assert policy_conflicts({"close": locked}, registry_id()) == ()
