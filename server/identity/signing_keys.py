"""Signing keys of one data folder: the newest signs, all of them verify, until one is retired.

They are files of the folder ``keys``, numbered as they were made. Numbers are never given twice
and files never change, so the names of the files say whether anything has happened: whoever holds
the keys looks at them before each use. A rotation or retirement by another process needs neither
a signal nor a restart. Source: wire spec 1.3.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from server.errors import KeyFileError, StartError
from server.identity.secret_files import create, make_folder, read_secret
from server.limits import SIGNING_KEYS_MAX

__all__ = ["KEYS_FOLDER", "SIGNING_KEY_FILE", "SigningKey", "SigningKeys", "signing_key_files"]

KEYS_FOLDER = "keys"
SIGNING_KEY_FILE = f"{KEYS_FOLDER}/0001.pem"
"""The key that a data folder begins with."""

_SINGLE_KEY_FILE = "signing-key.pem"
"""Where the key of a folder was while there was only one."""

_NAME = re.compile(r"(\d{4,})\.pem")

log = structlog.get_logger(__name__)


def signing_key_files(data_dir: Path) -> list[Path]:
    """The files of the keys of a data folder, oldest first; none where there is no folder."""
    folder = data_dir / KEYS_FOLDER
    found = [folder / name for name in _names(folder)] if folder.is_dir() else []
    single = data_dir / _SINGLE_KEY_FILE
    return [single, *found] if single.exists() else found


def _names(folder: Path) -> list[str]:
    found = [match for match in (_NAME.fullmatch(file.name) for file in folder.iterdir()) if match]
    return [match[0] for match in sorted(found, key=lambda match: int(match[1]))]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One ES256 key.

    Attributes:
        private: signs.
        key_id: goes into the header of tokens (``kid``); made from the public half.
        made_at: seconds since the Unix epoch.
    """

    private: EllipticCurvePrivateKey
    key_id: str
    made_at: int

    @classmethod
    def read(cls, path: Path) -> SigningKey:
        """Read the key of a file.

        Raises:
            KeyFileError: the file does not hold a P-256 private key, or others may read it.
        """
        try:
            key = load_pem_private_key(read_secret(path), password=None)
        except (ValueError, TypeError):
            raise KeyFileError(path, "not a private key in PEM") from None
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise KeyFileError(path, "not a P-256 key")
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(key, hashlib.sha256(public).hexdigest()[:16], int(path.stat().st_mtime))

    @property
    def public_pem(self) -> bytes:
        """The public half, for whoever wants to verify our tokens."""
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )


def _fresh_pem() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


class SigningKeys:
    """The keys of a data folder, as its files are now. Made by :meth:`load`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._keys: Mapping[str, SigningKey] = {}

    @classmethod
    def load(cls, data_dir: Path) -> SigningKeys:
        """Read the keys of a data folder, making the first one where there is none.

        Raises:
            KeyFileError: a key is damaged, or others may read it or look into its folder.
        """
        folder = data_dir / KEYS_FOLDER
        make_folder(folder)
        _adopt_single_key(data_dir)
        if not _names(folder):
            create(data_dir / SIGNING_KEY_FILE, _fresh_pem())
        keys = cls(folder)
        keys._names = _names(folder)
        keys._keys = {name: SigningKey.read(folder / name) for name in keys._names}
        return keys

    def all(self) -> Sequence[SigningKey]:
        """All keys, newest first; there is one at least.

        A new file that cannot be used is logged and left out. Without any that can be, those
        that are known go on.
        """
        names = _names(self._folder) if self._folder.is_dir() else []
        if names != self._names:
            self._names = names
            self._keys = self._read(names) or self._keys
        return list(self._keys.values())[::-1]

    @property
    def newest(self) -> SigningKey:
        """The key that signs."""
        return self.all()[0]

    def rotate(self) -> SigningKey:
        """Make a key that signs from now on; the others go on verifying.

        Raises:
            StartError: there are as many keys as may be.
        """
        if len(self.all()) >= SIGNING_KEYS_MAX:
            raise StartError(f"there are {SIGNING_KEYS_MAX} keys; retire one first")
        number = int(Path(self._names[-1]).stem)
        while True:  # whoever else rotates takes a number of its own
            number += 1
            if create(self._folder / f"{number:04}.pem", _fresh_pem()):
                return SigningKey.read(self._folder / f"{number:04}.pem")

    def retire(self, key_id: str) -> SigningKey:
        """Delete a key that no longer signs: tokens that it signed are refused from now on.

        Raises:
            StartError: there is no such key, or it is the one that signs.
        """
        newest = self.newest
        for name, key in self._keys.items():
            if key.key_id != key_id:
                continue
            if key is newest:
                raise StartError(f"{key_id} signs; rotate first")
            (self._folder / name).unlink()
            return key
        raise StartError(f"no such key: {key_id}; keys are {', '.join(map(_id_of, self.all()))}")

    def _read(self, names: Sequence[str]) -> Mapping[str, SigningKey]:
        keys = {}
        for name in names:
            try:
                keys[name] = self._keys.get(name) or SigningKey.read(self._folder / name)
            except FileNotFoundError:  # retired this very moment
                continue
            except (KeyFileError, OSError) as error:
                log.error("a signing key is left out", error=str(error))  # noqa: TRY400 - expected
        return keys


def _id_of(key: SigningKey) -> str:
    return key.key_id


def _adopt_single_key(data_dir: Path) -> None:
    """Give the key of a folder that has only one its place among others, as the oldest."""
    single, place = data_dir / _SINGLE_KEY_FILE, data_dir / KEYS_FOLDER / "0000.pem"
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        with contextlib.suppress(FileExistsError):
            os.link(single, place)
        if single.samefile(place):
            single.unlink()
