"""What restoring does in the perfect Azure."""

from dataclasses import replace

from shared.core.registry import Access, Registry
from shared.core.restore import ACCESS, RestoreSettings


def restored(registry: Registry, change: RestoreSettings) -> Registry:
    """*registry* after *change*: every member of the settings replaces the present one."""
    access = Access.OPEN if str(change.settings[ACCESS]).lower() == "enabled" else Access.CLOSED
    targets = tuple(
        replace(target, access=access, network_settings={**target.network_settings, **change.settings})
        if target.id == change.target
        else target
        for target in registry.targets
    )
    return replace(registry, targets=targets, document=replace(registry.document, target=targets[0]))
