"""Keys, seals and digests."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk.errors import StoreError
from stellwerk.store.vault import Vault, fold_address

SECRET_KEY = "a secret key of the tests, long enough"


def opened(secret_key: str = SECRET_KEY, account: str = "mail:1") -> Vault:
    vault = Vault(secret_key)
    vault.use_hash_key(vault.new_key("hash"))
    vault.use_account_key(account, vault.new_key(account))
    return vault


def test_a_short_secret_key_is_refused_with_a_way_to_make_one() -> None:
    with pytest.raises(StoreError, match="openssl rand"):
        Vault("too short")


def test_a_hash_key_wrapped_by_another_secret_key_is_refused() -> None:
    wrapped = Vault(SECRET_KEY).new_key("hash")
    with pytest.raises(StoreError, match="another secret_key"):
        Vault(SECRET_KEY + "!").use_hash_key(wrapped)


def test_a_key_wrapped_for_one_purpose_serves_no_other() -> None:
    vault = Vault(SECRET_KEY)
    with pytest.raises(StoreError):
        vault.use_account_key("mail:1", vault.new_key("hash"))


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_as_it_was_and_never_looks_the_same_twice(clear: bytes) -> None:
    vault = opened()
    first, second = vault.seal("mail:1", clear), vault.seal("mail:1", clear)
    assert vault.open("mail:1", first) == vault.open("mail:1", second) == clear
    assert first != second


@given(st.data())
def test_a_sealed_text_that_was_changed_does_not_open(data: st.DataObject) -> None:
    vault = opened()
    sealed = bytearray(vault.seal("mail:1", b"the api key"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StoreError):
        vault.open("mail:1", bytes(sealed))


@given(st.text(), st.text())
def test_equal_texts_have_equal_digests_and_others_have_not(one: str, other: str) -> None:
    vault = opened()
    assert (vault.digest(one) == vault.digest(other)) == (one == other)
    assert len(vault.digest(one)) == 22


def test_a_digest_stays_the_same_with_the_same_key_and_differs_with_another() -> None:
    wrapped = Vault(SECRET_KEY).new_key("hash")
    first, again, other = Vault(SECRET_KEY), Vault(SECRET_KEY), opened()
    first.use_hash_key(wrapped)
    again.use_hash_key(wrapped)
    assert first.digest("ada") == again.digest("ada") != other.digest("ada")


def test_a_vault_shows_no_key() -> None:
    assert SECRET_KEY not in repr(opened())


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM\t", "ada@example.com"),
        ("ada+news@example.com", "ada+news@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("jo\u0301@example.com", "jó@example.com"),
        ("J\u030cu@example.com", "\u01f0u@example.com"),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ("no address", "no address"),
        ("ada@\u2028", "ada@"),
        ("ada@-ü-.example", "ada@-ü-.example"),
        ("", ""),
    ],
)
def test_an_address_is_folded_so_that_spellings_meet_and_mailboxes_do_not(written: str, folded: str) -> None:
    assert fold_address(written) == folded


@given(st.text())
def test_folding_an_address_twice_is_folding_it_once(written: str) -> None:
    assert fold_address(fold_address(written)) == fold_address(written)


@given(st.text(), st.sampled_from(["example.com", "bücher.example"]), st.sampled_from(["NFC", "NFD"]))
def test_composed_and_decomposed_spellings_of_an_address_are_one(local: str, domain: str, form: str) -> None:
    written = f"{local}@{domain}"
    spelled = unicodedata.normalize("NFD" if form == "NFD" else "NFC", written)
    assert opened().address(written) != ""
    assert fold_address(spelled) == fold_address(written)


def test_addresses_that_fold_alike_have_one_digest() -> None:
    vault = opened()
    assert vault.address(" Ada@Example.com") == vault.address("ada@example.com") != vault.address("ben@example.com")
