"""What restoring does in the perfect Azure."""

from dataclasses import replace

from shared.core.registry import Access, Registry
from shared.core.restore import ACCESS, RestoreSettings, body_of


def restored(registry: Registry, change: RestoreSettings) -> Registry:
    """*registry* after *change*: every member that is written replaces the present one."""
    access = Access.OPEN if str(change.settings[ACCESS]).lower() == "enabled" else Access.CLOSED
    targets = tuple(
        replace(target, access=access, network_settings={**target.network_settings, **body_of(target, change)})
        if target.id == change.target
        else target
        for target in registry.targets
    )
    return replace(registry, targets=targets, document=replace(registry.document, target=targets[0]))
