from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.errors import KeyFileError, StartError, TokenError
from server.identity.issuers import TrustedIssuers
from server.identity.keys import CLUSTER_SECRET_FILE, load_cluster_secret
from server.identity.signing_keys import (
    KEYS_FOLDER,
    SIGNING_KEY_FILE,
    SigningKeys,
    signing_key_files,
)
from server.identity.tokens import Authenticator
from server.limits import SIGNING_KEYS_MAX

NOW = 1_800_000_000_000_000


def authenticator(keys: SigningKeys) -> Authenticator:
    return Authenticator(keys, TrustedIssuers((), lambda: 0.0), clock=lambda: NOW)


def ids(keys: SigningKeys) -> list[str]:
    return [key.key_id for key in keys.all()]


def test_the_first_key_is_made_for_its_owner_alone_and_stays(tmp_path):
    folder = tmp_path / "data"
    first = SigningKeys.load(folder)
    assert ids(SigningKeys.load(folder)) == ids(first)
    assert isinstance(first.newest.private.curve, ec.SECP256R1)
    assert (folder / KEYS_FOLDER).stat().st_mode & 0o777 == 0o700
    assert [file.name for file in (folder / KEYS_FOLDER).iterdir()] == ["0001.pem"]
    assert (folder / SIGNING_KEY_FILE).stat().st_mode & 0o777 == 0o600


async def test_the_newest_signs_and_the_old_ones_verify_until_they_are_retired(tmp_path):
    keys = SigningKeys.load(tmp_path)
    minting = authenticator(keys)
    (old,) = ids(keys)
    before = minting.mint_anonymous()
    new = keys.rotate().key_id
    after = minting.mint_anonymous()
    assert ids(keys) == [new, old]
    assert [jwt.get_unverified_header(one.token)["kid"] for one in (before, after)] == [old, new]
    for bearer in (before, after):
        assert await minting.verify(bearer.token) == bearer.claims
    keys.retire(old)
    assert await minting.verify(after.token) == after.claims
    with pytest.raises(TokenError, match="signature is not valid"):
        await minting.verify(before.token)


async def test_what_another_process_does_is_seen_at_the_next_use(tmp_path):
    running, command = SigningKeys.load(tmp_path), SigningKeys.load(tmp_path)
    server = authenticator(running)
    old = server.mint_anonymous()
    command.rotate()
    for _ in range(2):
        by_command = authenticator(command).mint_anonymous()
        assert await server.verify(by_command.token) == by_command.claims
    assert ids(running) == ids(command)
    assert server.public_pem == command.newest.public_pem
    command.retire(ids(command)[-1])
    with pytest.raises(TokenError):
        await server.verify(old.token)


async def test_tokens_without_a_key_id_are_tried_with_every_key(tmp_path):
    keys = SigningKeys.load(tmp_path)
    payload = {"iss": "localhost", "sub": "early", "iat": NOW // 1_000_000}
    for headers in ({}, {"kid": "of-another-tool"}):
        token = jwt.encode(payload, keys.newest.private, "ES256", headers)
        keys.rotate()
        assert (await authenticator(keys).verify(token)).subject == "early"


async def test_a_key_id_does_not_make_a_signature(tmp_path):
    keys, stranger = SigningKeys.load(tmp_path / "a"), SigningKeys.load(tmp_path / "b")
    payload = {"iss": "localhost", "sub": "eve", "iat": NOW // 1_000_000}
    headers = {"kid": keys.newest.key_id}
    token = jwt.encode(payload, stranger.newest.private, "ES256", headers)
    with pytest.raises(TokenError, match="signature is not valid"):
        await authenticator(keys).verify(token)


def test_keys_that_cannot_be_retired(tmp_path):
    keys = SigningKeys.load(tmp_path)
    with pytest.raises(StartError, match="rotate first"):
        keys.retire(keys.newest.key_id)
    with pytest.raises(StartError, match=f"no such key: x; keys are {keys.newest.key_id}"):
        keys.retire("x")


def test_numbers_are_not_given_twice_and_keys_have_a_limit(tmp_path):
    keys = SigningKeys.load(tmp_path)
    first = keys.newest.key_id
    keys.rotate()
    keys.retire(first)
    keys.rotate()
    names = [file.name for file in signing_key_files(tmp_path)]
    assert names == ["0002.pem", "0003.pem"]
    for _ in range(SIGNING_KEYS_MAX - 2):
        keys.rotate()
    with pytest.raises(StartError, match="retire one first"):
        keys.rotate()


def test_the_only_key_of_an_older_folder_is_the_oldest_of_several(tmp_path):
    SigningKeys.load(tmp_path / "other")
    tmp_path.joinpath("data").mkdir()
    single = tmp_path / "data" / "signing-key.pem"
    (tmp_path / "other" / SIGNING_KEY_FILE).rename(single)
    keys = SigningKeys.load(tmp_path / "data")
    (adopted,) = ids(keys)
    assert not single.exists()
    assert ids(SigningKeys.load(tmp_path / "data")) == [adopted]
    new = keys.rotate().key_id
    assert ids(SigningKeys.load(tmp_path / "data")) == [new, adopted]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
@pytest.mark.parametrize("name", [SIGNING_KEY_FILE, CLUSTER_SECRET_FILE])
def test_secrets_that_others_may_touch_are_refused(tmp_path, name, mode):
    SigningKeys.load(tmp_path)
    load_cluster_secret(tmp_path)
    (tmp_path / name).chmod(mode)
    load = SigningKeys.load if name == SIGNING_KEY_FILE else load_cluster_secret
    with pytest.raises(KeyFileError, match=f"{name}: others may read it.*chmod 600"):
        load(tmp_path)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o770])
def test_a_folder_of_keys_that_others_may_look_into_is_refused(tmp_path, mode):
    SigningKeys.load(tmp_path)
    (tmp_path / KEYS_FOLDER).chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 700 {tmp_path / KEYS_FOLDER}"):
        SigningKeys.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_damaged_key_is_refused_at_the_start_and_left_out_later(tmp_path, content):
    keys = SigningKeys.load(tmp_path)
    before = ids(keys)
    bad = tmp_path / KEYS_FOLDER / "0009.pem"
    bad.touch(mode=0o600)
    bad.write_bytes(content)
    assert ids(keys) == before
    with pytest.raises(KeyFileError, match="not a private key"):
        SigningKeys.load(tmp_path)


def test_another_curve_is_refused(tmp_path):
    SigningKeys.load(tmp_path)
    key = ec.generate_private_key(ec.SECP384R1())
    file = tmp_path / SIGNING_KEY_FILE
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyFileError, match="not a P-256 key"):
        SigningKeys.load(tmp_path)


def test_keys_that_are_known_go_on_when_their_folder_is_gone(tmp_path):
    keys = SigningKeys.load(tmp_path)
    before = ids(keys)
    (tmp_path / SIGNING_KEY_FILE).unlink()
    assert ids(keys) == before
    (tmp_path / KEYS_FOLDER).rmdir()
    assert ids(keys) == before
