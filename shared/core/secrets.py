"""
What looks like a secret, and texts without it.

Nothing that arrives from outside or from an SDK is kept, logged or answered before it went through here: Azure's error
texts, events that could not be read, the texts of bugs. Ids, actions and digests must survive, or a sentence would no
longer say what to do; that is why a long text counts as a key only if it is padded or mixes all kinds of letters.
"""

import re

HIDDEN = "***"

_NAMES = (
    r"account_?key|shared_?access_?\w{0,30}|client_?secret|secret|password|passwd|pwd|(?:access_?|refresh_?|id_?)?token|sig"
    r"|signature|x-functions-key|x-identity-header|aeg-sas-(?:key|token)|api[-_]?key|passphrase|__Host-isolation"
)
_PATTERNS = (
    # A URL's query may be a signature.
    (re.compile(r"(https?://[^\s?\"'<>]{1,500})\?[^\s\"'<>]+", re.IGNORECASE), rf"\1?{HIDDEN}"),
    (re.compile(r"\b(bearer|basic)\s+(?=[\w.~+/-]*[\d.~+/=_-])[\w.~+/-]{8,}=*", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(\bauthorization[\"']?\s*[=:]\s*[\"']?\w{1,40}\s+)[^\s\"',;]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # In quotes, which a text within a text escapes, a secret may hold anything else.
    (re.compile(rf"((?:{_NAMES})\\{{0,3}}[\"']?\s*[=:]\s*\\{{0,3}}\")[^\"]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(rf"((?:{_NAMES})\\{{0,3}}[\"']?\s*(?:[=:]|%3d)\s*\\{{0,3}}[\"']?)[^\s;&,\"'}}]+", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    # User and password of an address.
    (re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://)[^\s/?#@\"'<>]{1,500}@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # A function key in a query; error codes are shorter.
    (re.compile(r"((?:\b|%3[fF]|%26)code(?:=|%3[dD]))[^\s;&,\"'}]{20,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),  # a JSON web token
    (
        re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40,}={1,2}"),
        HIDDEN,
    ),  # account, topic and function keys end like this
    (re.compile(r"(?<![A-Za-z0-9+])(?=[a-z0-9+]*[A-Z])(?=[A-Z0-9+]*[a-z])(?=[A-Za-z+]*\d)[A-Za-z0-9+]{40,}"), HIDDEN),
)


def without_secrets(text: str) -> str:
    """*text* with *HIDDEN* in place of whatever looks like a key, a token or a signature; bound its length first."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
