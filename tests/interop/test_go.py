"""Go's checksum database packages, written by others, accept what we publish."""

import os
import subprocess
from pathlib import Path

import pytest

from retention.tlog import merkle, note, tiles
from retention.tlog.directory import Published
from retention.tlog.entry import Stored
from retention.tlog.proof import prove_entry
from tests.support import needs
from tests.support.publishing import NAME, OTHER_KEY, VERIFIER, head, public, publish

pytestmark = needs.go

SIZES = [1, 2, 255, 256, 257, 511, 512, 5000, 65_535, 65_536, 65_537, 70_000]
LARGEST = max(SIZES)


@pytest.fixture(scope="module")
def verify(tmp_path_factory):
    """Run the Go verifier on a directory; its output, AssertionError where it fails."""
    binary = tmp_path_factory.mktemp("go") / "verify"
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOFLAGS": "",
        "GOCACHE": str(binary.parent / "cache"),
    }
    source = Path(__file__).with_name("verify.go")
    command = ["go", "build", "-o", binary, source]
    built = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr

    def run(directory, *arguments, vkey=VERIFIER.vkey):
        command = [binary, directory, vkey, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture(scope="module")
def entries():
    """Entries of all lengths, the shortest and the longest that a bundle takes among
    them: for the tree any bytes are an entry."""
    found = [Stored(n, b'{"index":%d}' % n + b" " * (n % 7)) for n in range(LARGEST)]
    found[3] = Stored(3, b"")
    found[200] = Stored(200, bytes(range(256)) * 255 + bytes(255))
    return found


@pytest.fixture(scope="module")
def directories(entries, tmp_path_factory):
    where = tmp_path_factory.mktemp("logs")
    made = {}

    def at(size):
        if size not in made:
            made[size] = publish(where / str(size), entries[:size])
        return made[size]

    return at


@pytest.mark.parametrize("size", SIZES)
def test_checkpoint_bundles_and_every_tile(verify, directories, size):
    count = sum(1 for tile in tiles.new_files(0, size) if tile.level != "entries")
    assert verify(directories(size), "all") == f"{size} entries {count} tiles"


def test_the_checkpoint_of_an_empty_log(verify, tmp_path):
    assert verify(publish(tmp_path, [], [0]), "all") == "0 entries 0 tiles"


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_is_proven_from_our_tiles(verify, directories, size):
    for number in sorted({0, size // 2, size - 1}):
        path = merkle.prove_inclusion(
            number, size, Published(directories(size)).reader(size)
        )
        assert verify(directories(size), "entry", number) == str(len(path))


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_file_is_read_as_it_is(verify, directories, entries, tmp_path, size):
    shown = (n for n in (0, size // 3, size - 1) if n != 200)  # that one is no text
    for number in sorted(set(shown)):
        proof = prove_entry(Published(directories(size)), number)
        (tmp_path / "proof").write_text(proof)
        assert verify(directories(size), "proof", tmp_path / "proof", number) == str(
            size
        )


@pytest.mark.parametrize("old", [size for size in SIZES if size < 5000])
def test_consistency_is_proven_from_our_tiles(
    verify, directories, entries, tmp_path, old
):
    (tmp_path / "old").write_bytes(head(entries, old))
    for size in (size for size in SIZES if old <= size <= 5000):
        verify(directories(size), "since", tmp_path / "old")


def test_a_changed_log_is_refused_there_too(verify, directories, tmp_path):
    """Else this test would show nothing."""
    for path in ("tile/0/000.p/255", "tile/entries/000.p/255", "checkpoint"):
        copy = publish(tmp_path / path.replace("/", "-"), [], [0])
        for file in directories(255).rglob("*"):
            if file.is_file():
                target = copy / file.relative_to(directories(255))
                target.parent.mkdir(parents=True, exist_ok=True)
                data = bytearray(file.read_bytes())
                if str(target).endswith(path):
                    data[len(data) // 2] ^= 1
                target.write_bytes(data)
        with pytest.raises(AssertionError):
            verify(copy, "all")
    with pytest.raises(AssertionError):
        verify(directories(255), "all", vkey=note.vkey(NAME, public(OTHER_KEY)))
