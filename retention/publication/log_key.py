"""Owns the audit log's signing key: one Ed25519 key in a file of its own, mode 0600.

It is not in the catalogue and not in its backups (design, section 9).  A systemd
credential of the same name goes before the file (`LoadCredentialEncrypted=log.key`).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from retention.catalogue import log as audit
from retention.catalogue.db import Catalogue
from retention.catalogue.entries import CatalogueSource
from retention.model.errors import CatalogueError
from retention.tlog import note
from retention.tlog import succession as successions
from retention.tlog.canonical import from_base64url
from retention.tlog.entry import origin

NAME = "log.key"
MODE = 0o600

Key: TypeAlias = Ed25519PrivateKey


CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd says which directory it has the service's credentials in."""


def path_of(state_directory: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the key is: a credential, or the file in the state directory."""
    credentials = environment.get(CREDENTIALS)
    if credentials:
        path = Path(credentials) / NAME
        if path.exists():
            return path
    return state_directory / NAME


def exists(state_directory: Path) -> bool:
    """Whether there is a key."""
    return path_of(state_directory).exists()


def make(state_directory: Path) -> Key:
    """Make a key, durable before it has its name, so that a name means a whole key.

    The caller holds the single-instance lock, and has asked whether there is one.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    new = state_directory / f"{NAME}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(new, flags, MODE)
    try:
        os.fchmod(handle, MODE)
        os.write(handle, text)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(new, state_directory / NAME)
    directory = os.open(state_directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return key


def load(state_directory: Path) -> Key:
    """Read the key; CatalogueError where it is no Ed25519 key or can't be read."""
    path = path_of(state_directory)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CatalogueError(
            f"{path} is no signing key (damaged, or of another program): put the right "
            "one back from where its copy is kept"
        ) from error
    except OSError as error:
        raise CatalogueError(f"{path} can't be read: {error.strerror}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CatalogueError(f"{path} is not an Ed25519 key: put the right one back")
    return key


def public(key: Key) -> bytes:
    """The 32 bytes that verify what the key signs."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def named(catalogue: Catalogue) -> bytes:
    """The public half that the log was opened with, 32 bytes."""
    with catalogue.read() as tx:
        return from_base64url(audit.opening(tx)["fields"]["public_key"])


def check(key: Key, catalogue: Catalogue) -> None:
    """CatalogueError where the log was opened with another key."""
    if named(catalogue) != public(key):
        raise CatalogueError(
            f"the signing key {path_of(catalogue.path.parent)} is not the one that this "
            "audit log was opened with: put the right one back"
        )


def succession(key: Ed25519PrivateKey, catalogue: Catalogue, name: str) -> str:
    """What the catalogue's log, `name`, says of those that it goes on for, newest first;
    empty where it is no successor."""
    with catalogue.read() as tx:
        opened = [one.entry for one in CatalogueSource(tx).of_kinds(("log.opened",))]
    names: list[str] = []
    for entry in reversed(opened):
        if lost := entry["fields"].get("lost_head"):
            names.append(note.unverified(lost.encode()).origin)
        names.append(origin(entry))
    before = [one for one in dict.fromkeys(names) if one != name]
    return successions.sign(name, before, key)
