"""Owns FORMAT.md: what an outsider needs to write a verifier of a published log, of its
structure and of its meaning, without this program.  Generated, so that it is true.

The kinds' part comes from their declarations, the examples from `vectors`.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from textwrap import fill

from retention.model.values import FOREVER, Outcome
from retention.tlog import document, merkle, proof, rows, seal, tiles, vectors
from retention.tlog.canonical import base64url
from retention.tlog.lawful.laws import LAWS
from retention.tlog.rows import RowFile

NAME = "FORMAT.md"

_OUTCOMES = {
    Outcome.DELETED: "this program removed the file",
    Outcome.RESCUED: "a hold came to cover it before its turn: it is there",
    Outcome.ABSENT: "it was gone when its turn came, and not by this program: lost",
    Outcome.ABSENT_AFTER_CRASH: "this program died with the batch open, and the file was "
    "gone when it came back: it counts as removed by this program",
    Outcome.CHANGED: "the file was not the one on record (size, time, type, links): it is "
    "there and was left alone",
    Outcome.FAILED: "it could not be removed: it is there, and will be in a later batch",
    Outcome.STOPPED: "deletion stopped before its turn: it is there, and will be in a "
    "later batch",
}


@cache
def text() -> str:
    """The whole description; the same for every log that this program writes."""
    meaning = _MEANING.replace("{outcomes}", _outcomes()).replace("{rules}", _rules())
    return "\n".join([_STRUCTURE, meaning, _kinds(), _vectors()])


def _rules() -> str:
    return "\n".join(f"{law.number}. {law.rule}" for law in LAWS.values())


def _outcomes() -> str:
    lines = []
    for outcome in Outcome:
        there = "gone" if outcome.gone else "there"
        whose = "yes" if outcome.ours else "no"
        lines.append(f"| `{outcome}` | {_OUTCOMES[outcome]} | {there} | {whose} |")
    return "\n".join(lines)


def _kinds() -> str:
    return document.text(title="# 4 Kinds of entries")


def _block(name: str, body: str) -> str:
    return f"### {name}\n\n```text\n{body.removesuffix(chr(10))}\n```\n"


def _vectors() -> str:
    found = vectors.vectors()
    hold, intent = found.sealed[vectors.HOLD], found.sealed[vectors.INTENT]
    data = found.files[tiles.row_path(vectors.INTENT)]
    table, inflated = rows.read(data), json.loads(zlib.decompress(data))
    root = base64url(merkle.root(one.leaf for one in found.sealed))
    parts = [
        _EXAMPLES,
        _block(f"Entry {vectors.HOLD}", hold.data.decode()),
        _block(f"Leaf hash of entry {vectors.HOLD} (base64url)", base64url(hold.leaf)),
        _block("Disclosures of that entry", _disclosures(found.disclosures)),
        _block(f"Entry {vectors.INTENT}", intent.data.decode()),
        _block("Its row file, inflated", json.dumps(inflated, ensure_ascii=False)),
        _block("Leaves of its rows: salt (base64url) and row", _leaves(table)),
        _block("Root over these rows (base64url)", base64url(table.root())),
        _block("Root over the six entries (base64url)", root),
        _block("Proof file of row 0", found.proof),
        "### The files of the log, each in base64\n",
        *(f"{_file(*one)}" for one in found.files.items()),
    ]
    return "\n".join(parts)


def _disclosures(texts: dict[str, str]) -> str:
    return "\n".join(f"{name} {text}" for name, text in sorted(texts.items()))


def _leaves(table: RowFile) -> str:
    lines = []
    for number, values in enumerate(zip(*table.columns.values(), strict=True)):
        leaf = rows.leaf(values, number, table.seed)
        salt = base64url(leaf[: rows.SALT_BYTES])
        lines.append(f"{salt} {leaf[rows.SALT_BYTES :].decode()}")
    return "\n".join(lines)


def _file(path: str, data: bytes) -> str:
    lines = fill(vectors.encoded(data), 88, break_on_hyphens=False)
    return f"`{path}`\n\n```base64\n{lines}\n```\n"


_STRUCTURE = f"""\
# The published audit log of cctv-retention

Format `cctv-retention-log/1`. This file is all that it takes to write a verifier of
what lies beside it, without the program. It describes this log and every other of its
format; the words are those of the program that wrote it last, and entries of kinds that
are not in here are of a newer one: check their structure, and say that you do not know
what they mean.

*base64* is RFC 4648, section 4, with padding; *base64url* section 5, without. Each in
its one spelling: written again, it is the same text. Hashes are SHA-256, 32 bytes; `||`
joins bytes. Instants are microseconds since 1970-01-01T00:00:00Z (no leap seconds),
durations microseconds, sizes bytes. Intervals are half-open: [start, end) has its start
and not its end. Numbers count from 0.

# 1 Structure

## Where what lies

| path | what |
|---|---|
| `checkpoint` | the newest signed head: what all else is checked against |
| `key` | the log's public key as a line of text, a hint: trust the one that you have on paper |
| `checkpoints/YYYY-MM-DD` | the last head of each earlier day (UTC); the log extends each |
| `checkpoints/to-entry-N` | only in a copy: a head within a day |
| `tile/entries/N`, `tile/entries/N.p/W` | bundles of entries, 256 each, or W |
| `tile/L/N`, `tile/L/N.p/W` | tiles of hashes, level L from 0 |
| `rows/N` | the row file of entry N, where it has one |
| `{NAME}` | this; in a copy to which files are only added, `FORMAT-XXXXXXXX.md` is of a newer program |
| `extract/` | only in an extract, which is no whole log: see *Extracts* |
| `explorer/` | pages for a browser, no part of the log: whoever can change this can change them |

In a path N is written in groups of three digits, all but the last with an `x` before
it: entry 1,234,067 has `rows/x001/x234/067`, bundle 5 is `tile/entries/005`. This is
C2SP tlog-tiles. Hidden files (`.NAME.new`) were left by a crash, others are not the
log's.

A copy for the public has `public/N` in the place of `tile/entries/N`: see *Public
copies*.

A copy that follows the log on other storage has no `checkpoint`; it is checked by the
largest of its `checkpoints`. Bundles and tiles may go further than the head: what is
beyond it is not signed, anybody may have put it there, and it proves nothing.

## Key and head

The key is `NAME+ID+BASE64`: the log's name, 8 hexadecimal digits, base64 of the byte
0x01 and the 32 bytes of an Ed25519 key. ID is the first 4 bytes of SHA-256(NAME || 0x0A
|| 0x01 || key). The fingerprint on paper is the first 16 hexadecimal digits of SHA-256
of the whole key text, in groups of four.

A head is a C2SP signed note: lines of text, an empty line, lines of signatures. Its
text is three lines, each ending in a newline: the name, the number of entries in
decimal, base64 of the root. A signature line is `— NAME BASE64` (U+2014, a space), with
the base64 of ID || signature; the Ed25519 signature is over the text, its last newline
included and the empty line not. Take the line of your name and ID, ignore those of
others; without it, or if it is wrong, nothing is proven. The name is for good: it is
the field `origin` of the last entry `log.opened`, mostly entry 0, or where that is null
or missing its `site`, a slash and its `log_id`; the key is its `public_key`.

A head says no time. It shows that nothing before it was altered since somebody took a
copy of it: hold every head that you kept against the log.

## Tree

RFC 6962: a leaf is SHA-256(0x00 || the entry's bytes), a node SHA-256(0x01 || left ||
right); a tree of n > 1 leaves splits at the largest power of two below n; the tree of
none has the root SHA-256(""). The head's root is over all its entries.

A bundle is, for each of its entries in order, 2 bytes of length (big-endian) and the
entry's bytes, 256 entries or, where its name ends in `.p/W`, W. The tile `tile/0/N`
holds their leaf hashes, 32 bytes each; a hash of `tile/L/N` is the root over all 256
hashes of a full tile of level L-1. A log of s entries has at level L floor(s / 256^L)
hashes, the last tile partial (`.p/W`) unless they fill it. Partial files may be gone
where the full one is there, which begins with them. A log extends an older head of k
entries where the root over its first k leaves is that head's.

## Entries

An entry is one JSON object, UTF-8, in the form of RFC 8785: keys in ASCII and sorted,
no spaces, integers within 2^53 - 1, no fractions; no key twice. It is hashed as the
bytes that it is, so never write it again to check it. No entry has more than
{seal.ENTRY_LIMIT:,} bytes. Section 4 has the names that each entry has, and what its
kind adds in `fields`.

`index` is the entry's own number. `prev`, in all but entry 0, is base64url of the first
6 bytes of the leaf hash of the entry before: the tree proves the order, this finds the
place. Entry 0 is `log.opened`, its `succeeds` null or missing; so is one behind it only
where a successor begins: there `succeeds` is the name of the log before, whose first
entries these are, and whose heads cover no more of them than that. `subject` and
`correlation` repeat a field as `name:value`.

`sd` has what is committed to and not shown, people's data and free text: the name of a
field to base64url of SHA-256 over the text of its *disclosure* (SD-JWT, RFC 9901):
base64url of the JSON array [salt, name, value], the salt 16 random bytes in base64url.
The field itself is null in `fields`, or, for `actor.name`, not there. Disclosures are
not published; who is given one computes its hash, and believes the value where that is
in the entry and the name is the field's.

## Row files

An entry with `rows` (how many), `rows_sha256` and `rows_root` (base64url) has a row
file, and no other entry has one. The file is zlib (RFC 1950); `rows_sha256` is the hash
of its bytes as they lie there: compare it before you inflate. Inflated, at most
{rows.INFLATED_LIMIT // 2**20} MiB, it is a JSON object: `v` 1, `count`, `seed`
(base64url, 16 bytes), and `columns`, a list of objects, in the order that the kind
declares, each with `name` and `values`, one for each row: integer, text or null. A
column of integers alone may be written shorter:

- with `steps` true, the first value and then the differences from row to row;
- with `base`, each value less that base;
- with `add`, a list of other columns, each value less theirs in the same row: first
  undo `steps` or `base`, then add them. A column that is added has no `add` itself.

Row i is hashed as a leaf of its own: the JSON array of its values in the order of the
columns, no spaces, text escaped as RFC 8785 does, behind a salt: the first 16 bytes of
HMAC-SHA-256 with the seed as the key over i as 8 bytes, big-endian. The leaf is
SHA-256(0x00 || salt || array), and `rows_root` the root over them as above. Where an
entry with rows has the field `count` it is `rows`; where it has a field `bytes` and its
rows a column of that name, the field is the column's sum.

A path is text: bytes that are not UTF-8, control characters and `%` are `%XX`.

## Proof files

A file `NAME{proof.SUFFIX}` is a C2SP tlog-proof of one entry: `{proof.FIRST_LINE}`, a
line `extra BASE64`, a line `index N`, a line of base64 for each hash of the path (RFC
6962, 2.1.1, from the leaf's sibling up), an empty line, the head. The leaf is that of
the text `entry` in the `extra` line, which is canonical JSON; nothing of it is believed
but what leads to the signed root:

- `format`: `{proof.FORMAT}`; `key`, if there, the log's key, a hint;
- `entry`: the entry's text; its `index` is N;
- `disclosures`, if there: field to disclosure;
- `row`, if there: `number`, `columns` (those of section 4: nothing else proves their
  names), `salt`, `text` (the array), and `path` from the row's leaf to the entry's
  `rows_root` in a tree of `rows` leaves;
- `camera`, if there: `entry` and `path` to the same head: an entry that gives the row's
  camera its published id (section 4 says which do): the last before the recording's
  start, or the first;
- `restored`, if there: `entry` and `path` of the `catalogue.restored` by which this entry
  came back under no head (section 2, *After a restore*): anybody may have written it;
- `completion`, with a row of a `deletion.intended`: `entry` and `path` of its
  `recordings.deleted`, and `exceptions`, base64 of that one's row file, where it has
  one. What became of the row is its outcome there, or `deleted` where it is not listed;
  it came about between the `at` of the two entries.

## Public copies

In a copy for the public some entries are withheld. It has the head and all tiles of
hashes, so that any program for tlog-tiles verifies the tree; instead of bundles it has
`public/N` and `public/N.p/W`, in the same form, but that a withheld entry is of length
0, with no bytes. Each entry that is there must have the leaf hash that `tile/0` has for
it; of a withheld one the hash is all there is, and nothing that it says can be checked.
Section 4 says of each kind whether a public copy has it. Entries of unknown kinds, and
those that came back under no signed head (*After a restore*), are withheld.

A camera is published as its `published` says, before the entry and after it: `full`,
`number` or `no`; null is `number` of kind `anpr`, else `full`. An entry says a place
where it has, or changes, a location, a view or co-ordinates.

Of the row files only those of kinds *with its rows* are there; all others are withheld,
and their hashes are in the entries. There is no entry beyond the head, and of heads
only the newest and those of whole days.

Who wrote the copy decides what is withheld: that it was rightly so, the copy can't show.
A withheld entry has at least 128 random bits, in `salt` (change 6), `sd` or rows, so that
it can't be found by its hash.

## Extracts

An extract is for a browser, which can't open many files: the head, the entries [first,
last) in whole bundles, the tiles of level 0 for these and for the ends of the heads in
`checkpoints`, and all tiles above. The rest is in `extract/`:

- `about`: a JSON object: `v` 1, `first`, `last`, and `days`, when those were written;
- `rows-YYYY-MM-DD`: the row files of those written on that day (UTC);
- `entries`: entries from before and behind them that say what lasts: of cameras, holds,
  streams, periods, rules; and the last one; `rows`: their row files.

All but `about` are records one behind another: the entry's number as 8 bytes and a
length as 4 (big-endian), and so many bytes. In `entries` these are one byte, how many
hashes follow, the hashes of the path (RFC 6962, 2.1.1), and the entry.
"""

_MEANING = f"""\
# 2 Meaning

Entries are in the order in which they took effect. `at` is when an entry was written,
in the same transaction as what it says. It may be earlier than the entry's before it
where a clock was set back: the guard `clock` is then on record. Nothing here says that
what was written is true.

## Recordings

A recording is one file: [start, start + duration) of one camera, by its key (section 4
says which entries give a key its published id, from when on). It is named by (`stream`,
`start`, `n`). `recordings.recorded` counts what was catalogued, by camera and UTC day
of the start, up to minutes later; its column `digest` is base64url of SHA-256(digest so
far || `[start,n,duration,bytes,stream]`) over them in their order. For each camera and
day, by count, duration and bytes: recorded, more what `recording.changed` adds, more
what `recordings.resolved`, `recordings.assigned` and `recording.moved` (but for origin
`there`) bring to it and less what they take from it, less deleted and lost, is what is
there.

## Deletion

`deletion.intended` says which recordings are about to be deleted: it was signed and
published before the first file was touched. Exactly one later entry,
`recordings.deleted`, has its number as `intent` and says what became of them; until it
is there, the batch is open. The counts by outcome add up to the rows of the intent.
Those that are not `deleted` are listed in its rows, by the number of the intent's row
and outcome; without rows all are `deleted`. Its `bytes` is the sum over those removed
by this program. An intent that no head covered, met after a restore, is completed by
one in which nothing was removed.

| outcome | meaning | the file is | removed by this program |
|---|---|---|---|
{{outcomes}}

`due` of a row is the instant at which its period ended: its end plus the days of its
camera under the policy whose version the entry names as `policy` (`policy.changed`),
86,400 s each; never after the entry's `at`. A recording in doubt counts from `seen`
instead, which is null of the others, and before its end only where that lay in the
future when `recordings.quarantined` named it. In rows without that column (change 1)
what is in doubt can't be told: of those only `due` <= `at` can be checked. In doubt are
the rows of `recordings.quarantined` until `recordings.resolved` names them
(`recordings.assigned` takes the doubt along; what `recording.moved` names anew is named
in doubt again), never counting from before the `seen` of the last such row, and the
recordings of a stream named by `stream.quarantined` or `stream.doubted` until a
`recordings.resolved` has it as `stream`. Older entries (change 4) say neither the
instants nor when a stream's doubt ends.

## After a restore

`catalogue.restored` says that the entries from `max(old_size, signed)` (`signed` null:
from `old_size`) up to `size` came back from a published directory under no signed head:
anybody may have written them, though heads cover them since. The newest such entry
counts first; one that itself came back so says nothing. They have no effect, a
completion among them completes nothing, and its batch has another; but `hold.placed`
(of the next free number), `hold.extended` (never narrower) and `hold.reinstated` (with
the hold's `free_at`) are in force, and `deletion.paused` for a day at most from the
`at` of `catalogue.restored`.

## Holds

A hold covers [since, until) of its cameras. **Both instants include the margin
already**: what was asked for begins `margin` later and ends `margin` earlier (`until`
{FOREVER} has no end, and no margin there). It is in force from its `hold.placed` on, by
`hold.extended` with the new window and more cameras, until the `free_at` of
`hold.released`; one with `unlogged` was in the catalogue's rows alone, and its release
frees nothing that the log has. `hold.reinstated` before that puts it in force again. A recording is
covered where both share an instant; one that is quarantined, or has `seen`, by any hold
of its camera.
Where `cameras` is null they are in the entry's rows.

So no row of an intent may be covered by a hold that is in force at its `at` by the
entries before it, whatever became of it; a hold placed between an intent and its
completion rescues what was not removed yet.

## Two people

Rules are by name in `rules.changed`, `new` with text values, in force from then on:
`release_requires_two_people` and `require_login_uid` (`true`, `false`), `cooling_off`
(such as `7d`, `1h30m`, `0s`). While the first is `true`, `hold.released` names in
`request` an earlier `hold.release_requested` of the same hold, not rejected since
(`hold.release_rejected`), and the `actor` of the two differs in `uid` and in `login`. A
login of 4294967295 is not known: neither has it while `require_login_uid` is `true`,
and it is not compared while that is `false`. `free_at` is `at` and `cooling_off`, or
seconds less.

## Heartbeats

Where `counted` is true, `recordings` is what is there by the books, all cameras and days
together, as they stand after the entries before it.

## Changes

1. Rows of `deletion.intended` have `seen`, as their last column. Before, they end with
   `path`.
2. `heartbeat` has `counted`. Before, it says nothing of the books.
3. An entry behind entry 0 can be `log.opened`, where a successor log begins.
4. Rows of `recordings.quarantined` have `seen`, and of `recordings.assigned` `new_n`, as
   their last column; `stream.quarantined` and `stream.doubted` have `since`, and
   `recordings.resolved` has `stream`.
5. `camera.added` has `published`, `controller`, `easting` and `northing`, and there is
   `site.described`.
6. Entries of kinds that a public copy does not always have, have a `salt` where they
   have neither `sd` nor rows, which are salted. Before, whoever guesses all that such a
   one says can tell by its hash that it is so.
7. `hold.release_requested` and `hold.released` have `unlogged`.

## Rules

What is lawful, by the numbers that this program names:

{{rules}}

What aged out, is withheld or was never on record can't be checked, and is no violation.

## What a verifier does

1. Open the head with the key; read every bundle; compare every leaf hash with the
   tiles, every tile with the level below, the root with the head's; hold it against
   older heads.
2. Of each entry: `index`, `prev`, canonical form, kind and fields as declared; its row
   file's hash, form, columns, count, sum and root. Name files under `rows/` and `tile/`
   that are none of these.
3. In order: intents and completions pair and add up; no row is early, and none is
   covered; releases take two. A recording that was removed is in no later intent unless
   an entry between names it again.
4. Say how far it is intact, what is not lawful, and what could not be checked.

# 3 Limits

Whoever has the key can write another log; only a head that was kept elsewhere shows
that. Entries up to the newest kept head can't be altered unseen. Tiles are at most
{tiles.WIDTH} hashes wide; sizes beyond 2^53 don't occur.
"""

_EXAMPLES = """\
# 5 Examples to test with

A log of six entries. Its key is the Ed25519 key of the 32 bytes 0x00 to 0x1F; it is in
the file `key`.
"""
