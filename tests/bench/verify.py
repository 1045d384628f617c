"""How fast a published log is verified: entries a second, and a year of deletions.

    python -m tests.bench.verify small 1000000      # small entries, no rows
    python -m tests.bench.verify year 105000        # batches of 1,000 rows: 105,000,000

The directory is made in --directory (default: a temporary one) and kept where it is
given; one that is there already is verified again.  --jobs processes read row files.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from retention.model.values import DAY, SECOND, Rows
from retention.tlog import merkle, note, rows, tiles
from retention.tlog.canonical import base64url, encode
from retention.tlog.directory import Published
from retention.tlog.entry import previous
from retention.tlog.proof import prove_row, verify_proof
from retention.tlog.tiles import WIDTH, Tile, TreeBuilder
from retention.tlog.verify.published import verify_directory
from tests.support.logs import NOW, batch_rows
from tests.support.publishing import KEY, NAME, VERIFIER, public, write

DISTINCT = 50
"""Row files that are made; the log has each of them many times."""

COMMON = {
    "actor": {"login": 4294967295, "pid": 4711, "role": "service", "uid": 990},
    "host": "cctv-01",
    "policy": 1,
    "program": "0.1.0",
    "site": "leicester",
    "v": 1,
}
OUTCOMES = ("rescued", "absent", "absent_after_crash", "changed", "failed", "stopped")


def batches() -> list[tuple[dict, bytes]]:
    """What entries say of their rows, and the row files: 200 cameras, one a minute."""
    found = []
    for number in range(DISTINCT):
        table = batch_rows(1000, 200)
        values = [
            (
                *v[:2],
                v[2] + number * DAY,
                *v[3:5],
                v[5] + number,
                v[6] + number * DAY,
                None,
            )
            for v in table.values
        ]
        ready = rows.prepare(Rows(table.columns, values))
        said = {
            "rows": 1000,
            "rows_root": base64url(ready.root),
            "rows_sha256": base64url(ready.sha256),
        }
        fields = {"root": "nvr1", "count": 1000, "bytes": ready.total}
        ends = {"oldest": values[0][2], "newest": values[-1][2]}
        found.append((said | {"fields": fields | ends}, ready.data))
    return found


def entries(count: int, kind: str):
    """Entry and row file, one after the other; `count` batches or small entries."""
    ready = batches() if kind == "year" else []
    last, number = b"", 0

    def made(name: str, said: dict) -> bytes:
        nonlocal last, number
        entry = COMMON | {"index": number, "kind": name, "at": NOW + number * SECOND}
        last = encode(entry | said | ({"prev": previous(last)} if last else {}))
        number += 1
        return last

    key = {"log_id": "0c6b6f0e", "public_key": base64url(public(KEY))}
    yield made("log.opened", {"fields": key}), None
    for batch in range(count):
        if kind == "small":
            yield made("hold.cooled", {"fields": {"hold": batch}}), None
            continue
        said, data = ready[batch % DISTINCT]
        intent = number
        yield made("deletion.intended", said), data
        counts = {"intent": intent, "deleted": 1000, **dict.fromkeys(OUTCOMES, 0)}
        counts |= {"bytes": said["fields"]["bytes"], "lateness": 0, "method": "unlink"}
        yield made("recordings.deleted", {"fields": counts}), None


def publish(directory: Path, count: int, kind: str) -> None:
    """Stream a log into a directory."""
    tree, bundle, size = TreeBuilder(), [], 0

    def close(width: int) -> None:
        hashes = tiles.leaf_hashes(bundle)
        tile = Tile("entries", tree.bundles, width)
        write(directory, tile.path, tiles.bundle(bundle))
        write(directory, tile._replace(level=0).path, b"".join(hashes))
        if width == WIDTH:
            for above, above_hashes in tree.add(merkle.root(hashes)):
                write(directory, above.path, b"".join(above_hashes))
            bundle.clear()

    for data, row_file in entries(count, kind):
        if row_file is not None:
            write(directory, tiles.row_path(size), row_file)
        bundle.append(data)
        size += 1
        if len(bundle) == WIDTH:
            close(WIDTH)
    hashes = tiles.leaf_hashes(bundle)
    if bundle:
        close(len(bundle))
    for above, above_hashes in tree.open():
        write(directory, above.path, b"".join(above_hashes))
    text = note.Checkpoint(NAME, size, tree.root(hashes)).text
    write(directory, "key", f"{VERIFIER.vkey}\n".encode())
    write(directory, "checkpoint", note.sign(text, NAME, KEY).encode())


def timed(what: str, directory: Path, depth: str, jobs: int) -> None:
    start, used = time.perf_counter(), time.process_time()
    report = verify_directory(directory, VERIFIER, depth=depth, jobs=jobs)
    took, used = time.perf_counter() - start, time.process_time() - used
    assert report.ok, report.faults[:3]
    peak = max(
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        f"{what:5} {depth:5} jobs {jobs}: {took:7.2f} s ({used:.2f} s of CPU here), "
        f"{report.size:,} entries, {report.size / took:,.0f}/s, "
        f"{report.rows:,} rows, {report.rows / took:,.0f}/s, peak {peak:.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["small", "year"])
    parser.add_argument("count", type=int)
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = given.directory or Path(temporary) / "log"
        if not (directory / "checkpoint").exists():
            publish(directory, given.count, given.kind)
        timed(given.kind, directory, "tree", 1)
        for depth in ("sums", "deep") if given.kind == "year" else ("sums",):
            for jobs in sorted({1, given.jobs}):
                timed(given.kind, directory, depth, jobs)
        if given.kind == "year":
            published = Published(directory)
            start = time.perf_counter()
            proof = prove_row(
                published, given.count | 1, 500, completion=(given.count | 1) + 1
            )
            made = time.perf_counter()
            verify_proof(proof, VERIFIER)
            done = time.perf_counter()
            print(
                f"proof of a deletion: {len(proof)} bytes, made in "
                f"{(made - start) * 1e3:.1f} ms, checked in {(done - made) * 1e3:.1f} ms"
            )


if __name__ == "__main__":
    main()
