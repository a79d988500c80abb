"""
Find what belongs to a registry, and never what belongs to another one.

The registry's own GET is authoritative: it names the managed resource group and, region by region, its storage accounts
and its container registry. Only when it does not name the group is the group looked for by name, and then anchored:
`azureml-rg-<name>_<GUID>` is also the pattern of customer-managed-key workspaces, and names may hold underscores, so
`azureml-rg-foo_` is a prefix of the group of `foo_bar` as well.
"""

import re
from collections.abc import Iterable, Sequence

from shared.core.arm import ResourceId
from shared.core.errors import AmbiguousGroup, NotReadyYet
from shared.core.registry import ACR_TYPE, STORAGE_TYPE, GroupCandidate, RegistryDocument

_GUID_TAIL = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def group_prefix(registry: ResourceId) -> str:
    """What the name of the registry's managed group starts with; necessary, not sufficient."""
    return f"azureml-rg-{registry.name}_"


def choose_group(registry: ResourceId, candidates: Iterable[GroupCandidate]) -> ResourceId:
    """Choose the managed group among *candidates* by name and `managedBy`.

    Raises:
        NotReadyYet: No candidate fits; Azure has not made the group yet.
        AmbiguousGroup: Several fit, and the registry does not say which is its own.
    """
    pattern = re.compile(re.escape(group_prefix(registry)) + _GUID_TAIL, re.IGNORECASE | re.ASCII)
    fitting = [
        candidate
        for candidate in candidates
        if pattern.fullmatch(candidate.id.name) and candidate.managed_by.lower().rstrip("/") in {"", registry.key}
    ]
    owned = [candidate for candidate in fitting if candidate.managed_by] or fitting
    match owned:
        case []:
            raise NotReadyYet(
                f"Registry {registry.name} does not name its managed resource group yet, and no group is called "
                f"{group_prefix(registry)}<GUID>.",
                resource_id=registry.text,
                operation="find managed resource group",
            )
        case [only]:
            return only.id
        case _:
            *others, last = sorted(candidate.id.name for candidate in owned)
            names = f"{', '.join(others)} and {last}"
            raise AmbiguousGroup(
                f"Registry {registry.name} does not name its managed resource group, and {names} could each be it. "
                "Delete what is left over from an earlier registry, or wait until the registry names its own.",
                resource_id=registry.text,
                operation="find managed resource group",
            )


def distinct(ids: Iterable[ResourceId]) -> tuple[ResourceId, ...]:
    """Each id once, in order of first appearance, whatever its casing (one ACR repeats in every region)."""
    return tuple(dict.fromkeys(ids))


def storage_accounts(document: RegistryDocument) -> tuple[ResourceId, ...]:
    """Every storage account that the registry names, each once."""
    return distinct(account for region in document.regions for account in region.storage_accounts)


def container_registries(document: RegistryDocument) -> tuple[ResourceId, ...]:
    """Every container registry that the registry names, each once; normally one."""
    return distinct(acr for region in document.regions for acr in region.container_registries)


def require_complete(document: RegistryDocument) -> None:
    """Raise NotReadyYet while the registry does not name a storage account and a container registry in each region."""
    if not document.complete:
        missing = ", ".join(
            region.location
            for region in document.regions
            if not region.storage_accounts or not region.container_registries
        )
        raise NotReadyYet(
            f"Azure is still creating registry {document.target.id.name}: "
            f"{f'the resources of {missing} are' if missing else 'its regions are'} not named yet.",
            resource_id=document.target.id.text,
            operation="read registry",
        )


def disagreements(document: RegistryDocument, listed: Sequence[ResourceId]) -> tuple[str, ...]:
    """Compare what the registry names with what its managed group holds; one sentence for each difference."""
    named = {*storage_accounts(document), *container_registries(document)}
    held = {item for item in listed if item.is_type(STORAGE_TYPE) or item.is_type(ACR_TYPE)}
    missing = [f"{item.name} is named by the registry but not in its managed resource group." for item in named - held]
    extra = [f"{item.name} is in the managed resource group but not named by the registry." for item in held - named]
    return (*sorted(missing), *sorted(extra))
