"""Scenario 8: an auditor: "prove that camera 16, 3 September, 14:00 to 15:00, was deleted
on time".

From the log only, on another machine, with the public key and an anchor that was kept.
A flipped byte, a record taken out, records in another order and a tail that is gone each
make verification fail, and it says where.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from retention import cli
from retention.model.values import DAY, MINUTE
from tests.support.room import instant

CAMERAS = "id,location\n16,Clock Tower\n17,Station\n"
HOUR = ("--camera", "16", "--from", "2026-09-03 14:00", "--to", "2026-09-03 15:00")


@pytest.fixture
def elsewhere(tmp_path, capsys, monkeypatch):
    """Another machine: neither the service nor its settings are there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str]:
        status = cli.run(["--config", str(tmp_path / "none.toml"), *words])
        out, err = capsys.readouterr()
        return status, out + err

    return run


def bundle(log: Path) -> Path:
    """The newest bundle of entries."""
    found = (log / "tile" / "entries").rglob("*")
    return max((one for one in found if one.is_file()), key=lambda one: int(one.name))


def entries(data: bytes) -> list[bytes]:
    """Each entry with the two bytes that say how long it is."""
    found = []
    while data:
        size = 2 + int.from_bytes(data[:2])
        found.append(data[:size])
        data = data[size:]
    return found


def changed(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def tamper(log: Path) -> None:
        file = bundle(log)
        file.write_bytes(b"".join(change(entries(file.read_bytes()))))

    return tamper


def flipped(found: list[bytes]) -> list[bytes]:
    at = found[5].index(b'"kind"') + 9
    found[5] = found[5][:at] + bytes([found[5][at] ^ 1]) + found[5][at + 1 :]
    return found


TAMPERED = {
    "a byte": changed(flipped),
    "a record gone": changed(lambda found: found[:5] + found[6:]),
    "another order": changed(
        lambda found: [*found[:5], found[6], found[5], *found[7:]]
    ),
}


def test_camera_16_was_deleted_on_time_and_a_stranger_can_prove_it(
    room, people, elsewhere, tmp_path
):
    place = room("03/09/2026 15:30", cameras=CAMERAS)
    files = place.film("16", "03/09/2026 14:00", "03/09/2026 15:00")
    others = place.film("17", "03/09/2026 14:00", "03/09/2026 15:00")
    place.install()
    place.ask(people.ada, "audit", "publish")
    early = tmp_path / "early"
    shutil.copytree(place.state / "log", early)
    place.pass_until(instant("03/09/2026 15:00") + 28 * DAY + MINUTE)
    place.wait_gone(files + others)
    place.ask(people.ada, "audit", "publish")
    place.stop_service()
    log, anchor, proofs = (tmp_path / name for name in ("log", "anchor", "proofs"))
    shutil.copytree(place.state / "log", log)
    shutil.copy(log / "checkpoint", anchor)
    key = ("--key", (log / "key").read_text().strip())
    kept = ("--since", str(anchor))

    certificate = ("report", "certificate", *HOUR, "--dir", str(log), *key)
    status, text = elsewhere(*certificate, "--proofs", str(proofs))
    assert status == 0, text
    assert "Camera 16: 1 h deleted." in text
    # Four files of a quarter of an hour: the first was due, and gone, 45 minutes sooner.
    assert "Deleted on time: 100% of 4 recordings; the longest wait was" in text
    assert len(list(proofs.iterdir())) == len(files) == 4
    for proof in proofs.iterdir():
        status, text = elsewhere("audit", "verify", str(proof), *key)
        assert status == 0, text
        assert "was deleted by the program" in text
    whole = ("audit", "verify", str(log), *key, *kept)
    status, text = elsewhere(*whole)
    assert status == 0, text

    for what, tamper in TAMPERED.items():
        other = tmp_path / what.replace(" ", "-")
        shutil.copytree(log, other)
        tamper(other)
        status, text = elsewhere("audit", "verify", str(other), *key, *kept)
        assert status == 5, (what, text)
        assert "entry 5" in text, (what, text)
        status, text = elsewhere(
            "report", "certificate", *HOUR, "--dir", str(other), *key
        )
        assert status == 5, (what, text)

    # What was published before the deletion lacks the tail that the anchor knows of.
    status, text = elsewhere("audit", "verify", str(early), *key, *kept)
    assert status == 5
    assert "is not an older one" in text or "entries" in text, text
