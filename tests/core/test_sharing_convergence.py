"""Whatever the accounts look like, one round of obeyed changes leaves nothing to do, and no rule of others is gone."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from shared.core.lockdown import Memory
from shared.core.sharing import plan_sharing
from shared.core.storage_rules import LIMIT, AddResourceRules, RemoveResourceRules, forgotten, remembered
from tests.core.perfect_sharing import ruled
from tests.core.test_sharing import a_sharing_policy, a_view, a_workspace, account_id, added, workspace_id
from tests.core.worlds import NOW, a_registry, registry_id

ACCOUNTS = ("sta", "stb")
RULES = st.lists(st.sampled_from(["alpha", "beta", "gamma"]), unique=True, max_size=3)
SETTINGS = st.builds(
    lambda access, action, names, others: {
        **({"publicNetworkAccess": access} if access else {}),
        "networkAcls": {
            "defaultAction": action,
            "resourceAccessRules": [
                {"tenantId": "AAAAAAAA-0000-4000-8000-000000000001", "resourceId": registry_id(name).text.upper()}
                for name in names
            ]
            + [{"tenantId": "t", "resourceId": f"/other/{number}"} for number in range(others)],
        },
    },
    st.sampled_from(["", "Enabled", "Disabled", "SecuredByPerimeter"]),
    st.sampled_from(["Allow", "Deny"]),
    RULES,
    st.sampled_from([0, 1, LIMIT - 1, LIMIT]),
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "workspaces": st.lists(st.sampled_from(["one", "two", "three"]), unique=True, min_size=1).map(
                lambda names: [workspace_id(name).text for name in names]
            ),
            "public_access": st.sampled_from(["keep", "selected-networks"]),
        }
    ),
    max_size=3,
)


@given(
    entries=ENTRIES,
    homes=st.fixed_dictionaries({name: st.sampled_from(ACCOUNTS) for name in ("one", "two", "three")}),
    settings=st.fixed_dictionaries(dict.fromkeys(ACCOUNTS, SETTINGS)),
    remembers=st.lists(st.sampled_from(ACCOUNTS), unique=True),
)
@settings_of(deadline=None)
def test_a_plan_that_was_obeyed_leaves_nothing_to_do(
    entries: list[dict[str, Any]], homes: dict[str, str], settings: dict[str, Any], remembers: list[str]
) -> None:
    policy = a_sharing_policy(*entries)
    view = a_view(
        *(a_workspace(name, home) for name, home in homes.items()),
        accounts={account_id(name): settings[name] for name in ACCOUNTS},
    )
    registry = replace(a_registry(policy), sharing=view)
    memory = Memory(now=NOW, rules_added=tuple(added(account_id(name)) for name in remembers))
    first = plan_sharing(registry, policy, memory)

    kept = remembered(memory.rules_added, first.changes)
    for change in first.changes:
        assert isinstance(change, AddResourceRules | RemoveResourceRules)
        registry, kept = ruled(registry, change), forgotten(kept, change)
    second = plan_sharing(registry, policy, replace(memory, rules_added=kept))

    assert second.changes == ()
    assert [block.name for block in second.blocks] == [block.name for block in first.blocks]
    assert registry.sharing is not None
    for name in ACCOUNTS:
        assert _foreign(registry.sharing.accounts[account_id(name)]) == _foreign(settings[name])


def _foreign(settings: Any) -> list[Any]:
    own = registry_id().key
    return [rule for rule in settings["networkAcls"]["resourceAccessRules"] if rule["resourceId"].lower() != own]
