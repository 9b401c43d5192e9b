"""Answering a meter's question for a password: Digest, or Basic where it asks for no better."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from urllib.request import parse_http_list, parse_keqv_list

_UNQUOTABLE = set('"\\\r\n')
_HASHES = {"MD5": "md5", "SHA-256": "sha256"}


def login_for(asks: Sequence[str], path: str, user: str, password: str) -> str | None:
    """The header that answers the first challenge that we can; Digest goes before Basic."""
    for challenge in sorted(asks, key=lambda ask: not ask.lower().startswith("digest")):
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "digest":
            wanted = parse_keqv_list([pair for pair in parse_http_list(rest) if "=" in pair])
            if (login := _digest(wanted, path, user, password)) is not None:
                return login
        if scheme.lower() == "basic":
            return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    return None


def _digest(wanted: Mapping[str, str], path: str, user: str, password: str) -> str | None:
    """Answer to a Digest challenge (RFC 7616, section 3.4), with `auth` or without protection.

    `urllib` knows no SHA-256, which second-generation Shellys ask for.
    """
    algorithm = wanted.get("algorithm", "MD5").upper()
    qualities = [quality.strip() for quality in wanted.get("qop", "auth").split(",")]
    if algorithm not in _HASHES or "auth" not in qualities:
        return None

    def hashed(*parts: str) -> str:
        return hashlib.new(_HASHES[algorithm], ":".join(parts).encode()).hexdigest()

    realm, nonce, own = wanted.get("realm", ""), wanted.get("nonce", ""), secrets.token_hex(8)
    count = "00000001"
    response = hashed(hashed(user, realm, password), nonce, count, own, "auth", hashed("GET", path))
    quoted = {
        "username": user,
        "realm": realm,
        "nonce": nonce,
        "uri": path,
        "cnonce": own,
        "response": response,
    }
    if "opaque" in wanted:
        quoted["opaque"] = wanted["opaque"]
    if any(not value.isascii() or _UNQUOTABLE & set(value) for value in quoted.values()):
        return None
    listed = ", ".join(f'{key}="{value}"' for key, value in quoted.items())
    return f"Digest {listed}, algorithm={algorithm}, qop=auth, nc={count}"
