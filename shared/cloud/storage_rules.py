"""
Writes resource instance rules to storage accounts.

A write is a read, a merge on the JSON as it came, a PATCH, and a read again until what was asked for is there. Whoever
calls holds the lease of the account, so no other pass of the app comes between. Somebody else may: what they wrote before
the last read is kept, because the merge starts from it; when they write over the app's rule, the next read shows it and
the rule is added to what they wrote. Azure offers no condition for the PATCH itself, so a foreign write that lands in the
one round trip between the last read and the PATCH cannot be seen by anybody; the reads are as late as they can be.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.cloud.api_versions import ApiVersions, is_unsupported
from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import Document, member
from shared.core.arm import ResourceId
from shared.core.errors import Busy, ChangedUnderneath, Refused, RegistryIsolationError, RuleLimitReached
from shared.core.report import Done
from shared.core.storage_rules import LIMIT, AddResourceRules, RemoveResourceRules, addition, count_rules, removal

ROUNDS = 5
"""Writes in a row that somebody else may overwrite before the app lets the queue wait."""

_API_VERSION = "2025-06-01"
_KNOWS_IPV6 = "2023-01-01"
"""First api-version that shows `ipv6Rules` (recorded); an older one would wipe them with every write."""
_READ = "read storage account"
_WRITE = "update storage account network rules"


class StorageRules:
    """Resource instance rules of the storage accounts of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm
        self._versions = ApiVersions(_API_VERSION)

    async def add(self, change: AddResourceRules) -> Done:
        """
        Add what is missing.

        Raises:
            RuleLimitReached: There is no room.
            ChangedUnderneath: The account is gone.
            Busy: Somebody else keeps writing over it.
        """

        def wanted(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
            if settings is None:
                raise _gone(change.account)
            body = addition(settings, change)
            if body is not None and count_rules(body) > LIMIT:
                raise _full(change.account, count_rules(settings))
            return body

        return await self._until_it_holds(change.account, wanted)

    async def remove(self, change: RemoveResourceRules) -> Done:
        """Take rules away; an account that is gone has none."""

        def wanted(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
            return None if settings is None else removal(settings, change)

        return await self._until_it_holds(change.account, wanted)

    async def _until_it_holds(
        self, account: ResourceId, wanted: Callable[[Mapping[str, Any] | None], dict[str, Any] | None]
    ) -> Done:
        """Write what is *wanted*, the body that is missing in the settings as read (None: no such account), until it is None."""
        for _ in range(ROUNDS):
            body = wanted(await self._settings(account))
            if body is None:
                return Done()
            await self._patch(account, body)
        if wanted(await self._settings(account)) is None:
            return Done()
        raise Busy(
            f"Somebody else keeps writing the network rules of storage account {account.name}.",
            resource_id=account.text,
            operation=_WRITE,
        )

    async def _settings(self, account: ResourceId) -> Mapping[str, Any] | None:
        version = self._versions.reading
        try:
            document = await self._get(account, version)
        except RegistryIsolationError as error:
            if not is_unsupported(error.code) or not self._versions.learn(version, str(error.__cause__)):
                raise
            document = await self._get(account, self._versions.reading)
        if document is None:
            return None
        found = member(document, "properties")
        return found if isinstance(found, Mapping) else {}

    async def _get(self, account: ResourceId, version: str) -> Document | None:
        if version < _KNOWS_IPV6:
            raise Refused(
                f"The network rules of storage account {account.name} are not written: the newest api-version of "
                f"Microsoft.Storage here is {version}, which does not know ipv6Rules and would remove them. Add the rule by "
                "hand.",
                code="ApiVersionTooOld",
                resource_id=account.text,
                operation=_READ,
            )
        return await self._arm.get(account.text, version, operation=_READ)

    async def _patch(self, account: ResourceId, properties: Mapping[str, Any]) -> None:
        url = self._arm.url(account.text, self._versions.reading)
        await self._arm.send(
            "PATCH", url, operation=_WRITE, resource=account.text, body={"properties": dict(properties)}
        )


def _gone(account: ResourceId) -> ChangedUnderneath:
    return ChangedUnderneath(
        f"Storage account {account.name} does not exist any more.", resource_id=account.text, operation=_READ
    )


def _full(account: ResourceId, count: int) -> RuleLimitReached:
    return RuleLimitReached(
        f"Storage account {account.name} has {count} resource instance rules, and Azure allows {LIMIT}. Remove rules of "
        "resources that are gone.",
        resource_id=account.text,
        operation=_WRITE,
    )
