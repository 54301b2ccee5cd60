"""What is sealed, and how addresses and values are hashed.

`secret_key` wraps two kinds of random keys: one for hashes, made once per database and never changed, and one per account
for credentials and payloads. Sealed bytes are bound to their account: AES-GCM with its id as associated data.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from binascii import b2a_base64
from typing import TYPE_CHECKING

import idna
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stellwerk.errors import StoreError

if TYPE_CHECKING:
    from hashlib import _Hash

SHORTEST_SECRET = 16
NONCE_BYTES = 12

_FOR_URLS = bytes.maketrans(b"+/", b"-_")
_BLOCK_BYTES = 64


def _key(secret_key: str, purpose: bytes = b"wrapping key") -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"stellwerk " + purpose).derive(
        secret_key.encode()
    )


def _hmac(key: bytes) -> tuple[_Hash, _Hash]:
    """HMAC-SHA256 (RFC 2104) with the key taken in: copies of both go on from there, in half the time of `hmac.new`."""
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return hashlib.sha256(bytes(one ^ 0x36 for one in block)), hashlib.sha256(bytes(one ^ 0x5C for one in block))


class UnknownAccount(KeyError):
    """The key of this account was not read yet, or is gone with it; nothing can be said of what was sealed."""


class Vault:
    """Wraps keys with `secret_key`, seals with account keys, hashes with the hash key."""

    def __init__(self, secret_key: str, before: str | None = None) -> None:
        """`before` is the `secret_key` that is being replaced: what it wrapped can still be read, and is wrapped anew."""
        if len(secret_key) < SHORTEST_SECRET:
            raise StoreError(
                f"secret_key is shorter than {SHORTEST_SECRET} characters; make one with: openssl rand -hex 32"
            )
        self._secret_key = secret_key
        self._wrapper = AESGCM(_key(secret_key))
        self._wrapper_before = None if before is None else AESGCM(_key(before))
        self._account_keys_before: dict[str, AESGCM] = {}
        self._inner, self._outer = _hmac(b"")
        self._account_keys: dict[str, tuple[bytes, AESGCM]] = {}

    def derived_key(self, label: str) -> bytes:
        """32 bytes for one purpose (sessions, …): another label, another key, and none of them tells `secret_key`."""
        return _key(self._secret_key, b"derived key: " + label.encode())

    def new_key(self, name: str) -> bytes:
        """A fresh random key, wrapped."""
        return self._seal(self._wrapper, name, os.urandom(32))

    def use_hash_key(self, wrapped: bytes) -> None:
        """Raises `StoreError` when the key was wrapped by another `secret_key`."""
        self._inner, self._outer = _hmac(self._unwrap("hash", wrapped))

    def use_account_key(self, account: str, wrapped: bytes) -> None:
        """Raises `StoreError` when the key was wrapped by another `secret_key`."""
        held = self._account_keys.get(account)
        # A key proposed in a transaction that was undone must not outlive it: what counts is the key in the row.
        if held is None or held[0] != wrapped:
            self._account_keys[account] = (wrapped, AESGCM(self._unwrap(account, wrapped)))

    def use_account_key_before(self, account: str, wrapped: bytes) -> None:
        """What was sealed with this key can still be opened. Raises `StoreError`."""
        self._account_keys_before[account] = AESGCM(self._unwrap(account, wrapped))

    def forget_keys_before(self) -> None:
        """Nothing is sealed with a former key any more."""
        self._account_keys_before.clear()

    def wrapped_anew(self, name: str, wrapped: bytes) -> bytes | None:
        """The same key wrapped with `secret_key`; None when it is already. Raises `StoreError` for a third one."""
        if _opened(self._wrapper, name, wrapped) is not None:
            return None
        return self._seal(self._wrapper, name, self._unwrap(name, wrapped))

    def sealed_anew(self, account: str, sealed: bytes) -> bytes | None:
        """The same sealed with the account's key of today; None when it is already, or cannot be read."""
        before = self._account_keys_before.get(account)
        clear = None if before is None else _opened(before, account, sealed)
        return None if clear is None else self.seal(account, clear)

    def seal(self, account: str, clear: bytes) -> bytes:
        return self._seal(self._key_of(account), account, clear)

    def open(self, account: str, sealed: bytes) -> bytes:
        """Raises `StoreError` for what was sealed for another account or changed since."""
        for key in (self._key_of(account), self._account_keys_before.get(account)):
            clear = None if key is None else _opened(key, account, sealed)
            if clear is not None:
                return clear
        raise StoreError(f"what is stored sealed for {account} cannot be opened; restore a back-up")

    def digest(self, text: str) -> str:
        """Keyed hash, 22 characters. Equal text, equal digest; nobody without the key can guess the text from it."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return b2a_base64(outer.digest()[:16], newline=False).translate(_FOR_URLS)[:22].decode()

    def address(self, email: str) -> str:
        """The digest of an address after `fold_address`."""
        return self.digest("address:" + fold_address(email))

    def _key_of(self, account: str) -> AESGCM:
        try:
            return self._account_keys[account][1]
        except KeyError:
            raise UnknownAccount(account) from None

    @staticmethod
    def _seal(key: AESGCM, name: str, clear: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + key.encrypt(nonce, clear, name.encode())

    def _unwrap(self, name: str, wrapped: bytes) -> bytes:
        for wrapper in (self._wrapper, self._wrapper_before):
            key = None if wrapper is None else _opened(wrapper, name, wrapped)
            if key is not None:
                return key
        raise StoreError("this database was sealed with another secret_key; start with the one it was made with")


def _opened(key: AESGCM, name: str, sealed: bytes) -> bytes | None:
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
    except (InvalidTag, ValueError):  # the second for what is too short to have been sealed
        return None


def fold_address(email: str) -> str:
    """Trimmed, Unicode NFC, lower case, domain in IDNA; nothing else, so that different mailboxes stay different."""
    # Composed again after lower-casing: some letters have a composed form in lower case only.
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).lower())
    local, at, domain = folded.rpartition("@")
    if not at or domain.isascii():
        return folded
    try:
        return local + at + idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return folded
