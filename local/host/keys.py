"""
Function keys: who may call an HTTP function, the Event Grid webhook and the admin API.

Kept in a small file in the data folder, so that URLs handed to an event subscription stay good across restarts. The
three keys bear the names that they have in Azure.
"""

import contextlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import assert_never

from local.host.functions import AuthLevel

KEY_BYTES = 33  # a multiple of three, so that base64 needs no padding


class InvalidKeys(ValueError):
    """The key file is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    master: str
    """Opens everything, the admin API included."""
    function: str
    """The host key `default`: opens every function of level `function`."""
    eventgrid_extension: str
    """The system key of the Event Grid webhook."""

    @classmethod
    def new(cls) -> "Keys":
        return cls(**{field.name: secrets.token_urlsafe(KEY_BYTES) for field in fields(cls)})

    def open_function(self, level: AuthLevel, offered: str | None) -> bool:
        """Whether a caller with the key *offered* may call a function of *level*."""
        match level:
            case AuthLevel.ANONYMOUS:
                return True
            case AuthLevel.FUNCTION:
                return _is_one_of(offered, self.function, self.master)
            case AuthLevel.ADMIN:
                return self.open_admin(offered)
            case _:
                assert_never(level)

    def open_webhook(self, offered: str | None) -> bool:
        return _is_one_of(offered, self.eventgrid_extension, self.master)

    def open_admin(self, offered: str | None) -> bool:
        return _is_one_of(offered, self.master)

    def as_dict(self) -> Mapping[str, str]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def load_or_create_keys(path: Path) -> Keys:
    """
    Read the keys at *path*, or make new ones and keep them there.

    Raises:
        InvalidKeys: The file exists and is something else.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path, Keys.new())
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        values = {field.name: document[field.name] for field in fields(Keys)}
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidKeys(
            f"{path} is not a key file; it needs the texts {', '.join(field.name for field in fields(Keys))}."
        ) from error
    if not all(isinstance(value, str) and value for value in values.values()):
        raise InvalidKeys(f"{path} has an empty key, or one that is not text.")
    return Keys(**values)


def _create(path: Path, keys: Keys) -> None:
    """Write *keys* in one step, readable by their owner only; a host that was faster wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys.as_dict(), file, indent=2)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _is_one_of(offered: str | None, *keys: str) -> bool:
    """Compare in constant time, and with every key."""
    given = (offered or "").encode()
    matches = [hmac.compare_digest(given, key.encode()) for key in keys]
    return any(matches)
