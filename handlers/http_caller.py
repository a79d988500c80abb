"""
Who asks: a name for the history, from what the platform or the offered key says.

The Python worker is not told which key opened the door, so a caller with a key is known by the key's fingerprint, and
by the name that a setting gives to that. The headers of Easy Auth count only where a setting says that Easy Auth is on, and
the platform says so as well: without it anybody can send them.
"""

from collections.abc import Mapping
from hashlib import sha256

from handlers.runtime import Runtime

NOBODY = "anonymous"
_FINGERPRINT_DIGITS = 8
_LONGEST_NAME = 128
_KEY_HEADER, _KEY_PARAMETER = "x-functions-key", "code"
_PRINCIPAL_ID, _PRINCIPAL_NAME = "x-ms-client-principal-id", "x-ms-client-principal-name"


def guards_principals(app: Runtime) -> bool:
    """Whether principals are named in headers that the platform guards; a developer's machine has no such platform."""
    settings = app.settings
    return settings.http.easy_auth and (settings.platform_auth or settings.development)


def caller_of(
    headers: Mapping[str, str], query: Mapping[str, str], *, easy_auth: bool, key_names: Mapping[str, str]
) -> str:
    """
    Name the caller.

    Args:
        headers: By lower-case name.
        easy_auth: The platform has checked who it is, and overwrites what a client says of itself.
        key_names: Fingerprint of a key to the name of its holder.
    """
    identifier = _printable(headers.get(_PRINCIPAL_ID, "")) if easy_auth else ""
    if identifier:
        name = _printable(headers.get(_PRINCIPAL_NAME, ""))
        return f"{name} ({identifier})" if name else identifier
    key = headers.get(_KEY_HEADER) or query.get(_KEY_PARAMETER)
    if not key:
        return NOBODY
    print_ = fingerprint(key)
    name = key_names.get(print_, "")
    return f"{name} (key:{print_})" if name else f"key:{print_}"


def fingerprint(key: str) -> str:
    """The first eight hexadecimal digits of the key's SHA-256: enough to tell keys apart, useless to find one."""
    return sha256(key.encode("utf-8", errors="surrogatepass")).hexdigest()[:_FINGERPRINT_DIGITS]


def _printable(text: str) -> str:
    return "".join(character for character in text.strip() if character.isprintable())[:_LONGEST_NAME]
