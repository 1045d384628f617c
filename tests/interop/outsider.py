"""A verifier that none of our code is in: written from FORMAT.md alone.

    python outsider.py DIRECTORY KEY

`verify` gives what is wrong, sentence by sentence, and what it could not check.
"""

import base64
import hashlib
import hmac
import itertools
import json
import re
import sys
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

UNKNOWN_LOGIN = 4294967295
REMOVED = ("deleted", "absent_after_crash")
OUTCOMES = (*REMOVED, "rescued", "absent", "changed", "failed", "stopped")


class Wrong(Exception):
    pass


def sha(data):
    return hashlib.sha256(data).digest()


def std(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise Wrong(f"{text!r} is not base64 in its one spelling")
    return data


def url(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise Wrong(f"{text!r} is not base64url in its one spelling")
    return data


def unurl(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def leaf(data):
    return sha(b"\x00" + data)


def node(left, right):
    return sha(b"\x01" + left + right)


def tree(hashes):
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node(tree(hashes[:split]), tree(hashes[split:]))


def path_root(number, size, hash_, path):
    """RFC 9162, 2.1.3.2: where a leaf and its path lead."""
    if not 0 <= number < size:
        raise Wrong(f"no leaf {number} in a tree of {size}")
    fn, sn = number, size - 1
    for step in path:
        if sn == 0:
            raise Wrong("the path is too long")
        if fn & 1 or fn == sn:
            hash_ = node(step, hash_)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            hash_ = node(hash_, step)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Wrong("the path is too short")
    return hash_


def canonical(value):
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def parsed(data):
    """JSON in its one form."""
    found = json.loads(data)
    if canonical(found) != data:
        raise Wrong("not canonical JSON")
    return found


def digits(number):
    text = str(number)
    text = text.zfill(-(-len(text) // 3) * 3)
    groups = [text[at : at + 3] for at in range(0, len(text), 3)]
    return "/".join(["x" + one for one in groups[:-1]] + groups[-1:])


def fingerprint(key):
    text = hashlib.sha256(key.encode()).hexdigest()[:16]
    return " ".join(text[at : at + 4] for at in range(0, 16, 4))


def open_head(data, key):
    """Name, number of entries and root of a signed head."""
    name, id_, public = key.split("+", 2)
    raw = std(public)
    if raw[0] != 1 or len(raw) != 33:
        raise Wrong("no Ed25519 key")
    if sha(name.encode() + b"\n" + raw)[:4].hex() != id_:
        raise Wrong("the key's ID is not its own")
    text, blank, lines = data.decode().rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise Wrong("no signed note")
    text += "\n"
    for line in lines.splitlines():
        dash, who, signature = line.split(" ")
        if (dash, who) == ("\u2014", name) and std(signature)[:4].hex() == id_:
            try:
                Ed25519PublicKey.from_public_bytes(raw[1:]).verify(
                    std(signature)[4:], text.encode()
                )
            except InvalidSignature:
                raise Wrong("the signature is wrong") from None
            break
    else:
        raise Wrong("the key did not sign it")
    origin, size, root, end = text.split("\n")
    if origin != name or end or str(int(size)) != size:
        raise Wrong("no head of this log")
    return name, int(size), std(root)


def read_rows(data):
    """Names of the columns, rows, and seed of a row file."""
    inflater = zlib.decompressobj()
    raw = inflater.decompress(data, 32 * 2**20 + 1)
    if len(raw) > 32 * 2**20 or not inflater.eof or inflater.unused_data:
        raise Wrong("no row file")
    found = json.loads(raw)
    if found["v"] != 1:
        raise Wrong("a row file of another version")
    columns = {}
    for one in found["columns"]:
        values = one["values"]
        if len(values) != found["count"]:
            raise Wrong("a column of another length")
        if one.get("steps"):
            total, steps = 0, values
            values = [total := total + step for step in steps]
        elif "base" in one:
            values = [one["base"] + value for value in values]
        columns[one["name"]] = values
    for one in found["columns"]:
        for other in one.get("add", []):
            columns[one["name"]] = [
                a + b for a, b in zip(columns[one["name"]], columns[other], strict=True)
            ]
    rows = list(zip(*columns.values(), strict=True))
    return list(columns), rows, url(found["seed"])


def row_leaf(seed, number, row):
    salt = hmac.digest(seed, number.to_bytes(8, "big"), "sha256")[:16]
    return leaf(salt + canonical(list(row)))


def kinds_of(description):
    """Kind to its fields (name to type, whether null, whether hidden) and columns."""
    kinds = {}
    part = description.split("# 4 Kinds of entries")[1].split("\n# 5 ")[0]
    for section in part.split("\n## ")[1:]:
        name, _, body = section.partition("\n")
        if not re.fullmatch(r"[a-z]+\.[a-z_]+|heartbeat", name):
            continue
        listed = re.search(r"^Fields: (.*)\.$", body, re.MULTILINE)
        fields = {}
        for text in listed[1].split(", ") if listed else []:
            field, type_ = re.fullmatch(r"`(~?\w+)` (\w+\??)", text).groups()
            fields[field.lstrip("~")] = (type_.rstrip("?"), type_[-1] == "?", field[0])
        rows = re.search(
            r"^Rows( \(where there are any\))?: (.*)\.$", body, re.MULTILINE
        )
        columns = re.findall(r"`(\w+)`", rows[2]) if rows else []
        public = re.search(r"^Public copy: (.*)\.$", body, re.MULTILINE)
        gives = re.search(
            r"^Gives camera `(\w+)` the id `(\w+)`\.$", body, re.MULTILINE
        )
        kinds[name] = {
            "fields": fields, "columns": columns, "gives": gives and gives.groups(),
            "must": bool(rows) and rows[1] is None, "public": public[1],
        }  # fmt: skip
    return kinds


TYPES = {
    "int": lambda v: type(v) is int,
    "text": lambda v: isinstance(v, str),
    "path": lambda v: isinstance(v, str),
    "bool": lambda v: isinstance(v, bool),
    "ints": lambda v: isinstance(v, list) and all(type(one) is int for one in v),
    "texts": lambda v: isinstance(v, list) and all(isinstance(o, str) for o in v),
    "object": lambda v: isinstance(v, dict),
}


def hashes_of(directory, size):
    """The leaf hashes of a log as its tiles have them, each tile held against the one
    below."""
    found, count, level = [], size, 0
    while count:
        row = b""
        for number in range(-(-count // 256)):
            width = min(256, count - number * 256)
            name = directory / f"tile/{level}" / digits(number)
            partial = name.with_name(f"{name.name}.p") / str(width)
            data = (partial if width < 256 else name).read_bytes()
            if len(data) != 32 * width:
                raise Wrong(f"{name} is no tile")
            row += data
        found.append([row[at : at + 32] for at in range(0, len(row), 32)])
        count, level = count // 256, level + 1
    for below, above in itertools.pairwise(found):
        if above != [tree(below[at * 256 :][:256]) for at in range(len(above))]:
            raise Wrong("a tile is not over that below it")
    return found[0]


class PublicCopy:
    """A copy for the public, read and checked: `entries` by number, of `size` in all."""

    def __init__(self, directory, key, description):
        self.directory = Path(directory)
        self.kinds = kinds_of(description)
        _, self.size, root = open_head((directory / "checkpoint").read_bytes(), key)
        leaves = hashes_of(self.directory, self.size)
        if tree(leaves) != root:
            raise Wrong("the tiles do not lead to the signed root")
        self.entries = {}
        for number in range(-(-self.size // 256)):
            self._bundle(number * 256, leaves[number * 256 :][:256])

    def _bundle(self, first, leaves):
        name = self.directory / "public" / digits(first // 256)
        if len(leaves) < 256:
            name = name.with_name(f"{name.name}.p") / str(len(leaves))
        data, at = name.read_bytes(), 0
        for number, hash_ in enumerate(leaves, first):
            length = int.from_bytes(data[at : at + 2], "big")
            one, at = data[at + 2 : at + 2 + length], at + 2 + length
            if len(one) != length:
                raise Wrong(f"{name} is cut")
            if one:
                if leaf(one) != hash_:
                    raise Wrong(f"entry {number} has another hash")
                self.entries[number] = parsed(one)
                self._public(number, self.entries[number])
            elif (self.directory / "rows" / digits(number)).exists():
                raise Wrong(f"entry {number} is withheld and its rows are not")
        if at != len(data):
            raise Wrong(f"{name} has something behind its entries")

    def _public(self, number, entry):
        said = self.kinds[entry["kind"]]["public"]
        if said.startswith("withheld") or entry["index"] != number:
            raise Wrong(f"entry {number} should not be here")
        rows = self.directory / "rows" / digits(number)
        if "rows" in entry and "with its rows" in said:
            if sha(rows.read_bytes()) != url(entry["rows_sha256"]):
                raise Wrong(f"entry {number} has other rows")
        elif rows.exists():
            raise Wrong(f"the rows of entry {number} should not be here")


class Log:
    """A published directory, read and checked."""

    def __init__(self, directory, key, description=None):
        self.directory = Path(directory)
        text = description or (self.directory / "FORMAT.md").read_text()
        self.kinds = kinds_of(text)
        self.faults = []
        self.unchecked = []
        self.rows = {}
        self.key = key
        try:
            head = (self.directory / "checkpoint").read_bytes()
            self.name, self.size, self.root = open_head(head, key)
            self.data = self._entries()
            self._tree()
        except (Wrong, OSError, ValueError, KeyError, TypeError) as error:
            self.faults.append(f"the log: {error!r}")
            return
        self.entries, self.opened = [], None
        for number, data in enumerate(self.data):
            try:
                self._entry(number, data)
            except (Wrong, OSError, ValueError, KeyError, TypeError) as error:
                self.faults.append(f"entry {number}: {error!r}")
                return  # what follows would rest on it
        if self.opened != (self.name, std(self.key.split("+", 2)[2])[1:]):
            self.faults.append("entry 0: the log opens under another name or key")
            return
        Meaning(self).check()
        self._strangers()

    def _tile(self, path, number, width):
        name = self.directory / path / digits(number)
        if width < 256:
            partial = name.with_name(f"{name.name}.p") / str(width)
            if partial.exists():
                return partial.read_bytes(), True
        return name.read_bytes(), width == 256

    def _entries(self):
        found = []
        for number in range(-(-self.size // 256)):
            width = min(256, self.size - number * 256)
            data, exact = self._tile("tile/entries", number, width)
            at, count = 0, 0
            while at < len(data) and (exact or count < width):
                length = int.from_bytes(data[at : at + 2], "big")
                one = data[at + 2 : at + 2 + length]
                if len(one) != length:
                    raise Wrong(f"bundle {number} is cut")
                found.append(one)
                at, count = at + 2 + length, count + 1
            if count != width:
                raise Wrong(f"bundle {number} has {count} entries, not {width}")
        return found

    def _tree(self):
        hashes, level = [leaf(data) for data in self.data], 0
        if tree(hashes) != self.root:
            raise Wrong("the entries do not lead to the signed root")
        for day in sorted((self.directory / "checkpoints").glob("*")):
            _, size, root = open_head(day.read_bytes(), self.key)
            if tree(hashes[:size]) != root:
                raise Wrong(f"{day} is not extended")
        while hashes:
            for number in range(-(-len(hashes) // 256)):
                part = hashes[number * 256 : number * 256 + 256]
                data, _ = self._tile(f"tile/{level}", number, len(part))
                if data[: 32 * len(part)] != b"".join(part):
                    raise Wrong(f"tile {level}/{number} has other hashes")
            full = len(hashes) // 256
            hashes = [tree(hashes[at * 256 : at * 256 + 256]) for at in range(full)]
            level += 1

    def _entry(self, number, data):
        entry = parsed(data)
        if entry["index"] != number or len(data) > 16384:
            raise Wrong("another one, or too long")
        opens = entry["kind"] == "log.opened"
        follows = opens and entry["fields"].get("succeeds") is not None
        if (opens and not follows) != (number == 0):
            raise Wrong("it is not where a log opens")
        if number and entry["prev"] != unurl(leaf(self.data[number - 1])[:6]):
            raise Wrong("it does not follow from the one before")
        if opens:
            fields = entry["fields"]
            if follows and fields["succeeds"] != self.opened[0]:
                raise Wrong("it succeeds a log that is not the one before it")
            name = fields.get("origin") or f"{entry['site']}/{fields['log_id']}"
            self.opened = name, url(fields["public_key"])
        self.entries.append(entry)
        columns = self._row_file(number, entry)
        kind = self.kinds.get(entry["kind"])
        if kind is None:
            self.unchecked.append(f"entry {number} is {entry['kind']}: not known here")
            return
        self._declared(entry, kind)
        if columns is None and kind["must"]:
            raise Wrong("it has no rows")
        if columns is not None and columns != kind["columns"]:
            raise Wrong(f"its rows are {columns}")

    def _declared(self, entry, kind):
        for name, (type_, null, mark) in kind["fields"].items():
            value, hidden = entry["fields"].get(name), name in entry.get("sd", {})
            if mark == "~":
                if value is not None or not (null or hidden):
                    raise Wrong(f"{name} is in clear, or not there")
            elif value is None:
                if not null:
                    raise Wrong(f"{name} is null")
            elif not TYPES[type_](value):
                raise Wrong(f"{name} is {value!r}")
        for digest in entry.get("sd", {}).values():
            if len(url(digest)) != 32:
                raise Wrong("a commitment is no hash")

    def _row_file(self, number, entry):
        path = self.directory / "rows" / digits(number)
        if "rows_sha256" not in entry:
            if path.exists():
                raise Wrong("it has a row file that it does not speak of")
            return None
        data = path.read_bytes()
        if sha(data) != url(entry["rows_sha256"]):
            raise Wrong("its row file was changed")
        names, rows, seed = read_rows(data)
        if len(rows) != entry["rows"]:
            raise Wrong("its rows are not as many")
        if tree([row_leaf(seed, n, row) for n, row in enumerate(rows)]) != url(
            entry["rows_root"]
        ):
            raise Wrong("its rows have another root")
        fields = entry["fields"]
        if fields.get("count", len(rows)) != len(rows):
            raise Wrong("its count is another")
        self.rows[number] = [dict(zip(names, row, strict=True)) for row in rows]
        total = sum(row.get("bytes", 0) for row in self.rows[number])
        if "bytes" in names and fields.get("bytes", total) != total:
            raise Wrong("its bytes do not add up")
        return names

    def _strangers(self):
        known = {f"rows/{digits(number)}" for number in self.rows}
        for path in sorted((self.directory / "rows").rglob("*")):
            name = str(path.relative_to(self.directory))
            if path.is_file() and name not in known:
                self.unchecked.append(f"{name} belongs to no signed entry")


def seconds(text):
    units = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(n) * units[u] for n, u in re.findall(r"(\d+)([wdhms])", text))


class Meaning:
    """What entries say, in order: section 2."""

    def __init__(self, log):
        self.log = log
        self.policies, self.holds, self.rules = {}, {}, {}
        self.asked, self.open, self.removed = {}, {}, set()
        self.doubtful, self.streams = {}, set()

    def check(self):
        for number, entry in enumerate(self.log.entries):
            act = getattr(self, entry["kind"].replace(".", "_"), None)
            try:
                if act is not None:
                    act(number, entry, entry["fields"])
            except (Wrong, KeyError, TypeError, ValueError) as error:
                self.log.faults.append(f"entry {number} is not lawful: {error!r}")
        for number in self.open:
            self.log.unchecked.append(f"the batch of entry {number} is open")

    def _rows(self, number):
        return self.log.rows.get(number, [])

    def policy_changed(self, number, entry, fields):
        cameras = fields["cameras"]
        if cameras is None:
            cameras = {
                str(row["camera"]): row["days"]
                for row in self._rows(number)
                if row["days"] is not None
            }
        self.policies[fields["version"]] = {"days": fields["days"], "cameras": cameras}

    def rules_changed(self, number, entry, fields):
        self.rules |= fields["new"]

    # -- recordings

    def recordings_quarantined(self, number, entry, fields):
        for row in self._rows(number):
            key = (row["stream"], row["start"], row["n"])
            self.doubtful[key] = row
            self.removed.discard(key)

    def recordings_resolved(self, number, entry, fields):
        for row in self._rows(number):
            self.doubtful.pop((row["stream"], row["start"], row["n"]), None)
            self.removed = {k for k in self.removed if k[1] != row["new_start"]}

    def recording_moved(self, number, entry, fields):
        for row in self._rows(number):
            key = (row["stream"], row["start"], row["n"])
            new = (row["new_stream"], row["start"], row["new_n"])
            if key in self.doubtful:
                self.doubtful[new] = self.doubtful.pop(key)
            self.removed.discard(new)

    def recordings_reappeared(self, number, entry, fields):
        for row in self._rows(number):
            self.removed.discard((row["stream"], row["start"], row["n"]))

    recordings_lost = recordings_reappeared

    def stream_quarantined(self, number, entry, fields):
        self.streams.add(fields["stream"])

    stream_doubted = stream_quarantined

    # -- holds

    def hold_placed(self, number, entry, fields):
        cameras = fields["cameras"]
        if cameras is None:
            cameras = [row["camera"] for row in self._rows(number)]
        before = self.holds.get(fields["hold"], {"cameras": set()})
        self.holds[fields["hold"]] = before | {
            "cameras": before["cameras"] | set(cameras),
            "since": fields["since"], "until": fields["until"],
            "free_at": before.get("free_at"),
        }  # fmt: skip

    hold_extended = hold_placed

    def hold_release_requested(self, number, entry, fields):
        self.asked[number] = (fields["hold"], entry["actor"])

    def hold_release_rejected(self, number, entry, fields):
        self.asked.pop(fields["request"], None)

    def hold_released(self, number, entry, fields):
        if not fields.get("unlogged"):  # else it frees nothing that the log has
            self.holds[fields["hold"]]["free_at"] = fields["free_at"]
        cooling = seconds(self.rules.get("cooling_off", "0s")) * 1_000_000
        if not entry["at"] + cooling - 60_000_000 <= fields["free_at"]:
            raise Wrong("its footage is free too early")
        if self.rules.get("release_requires_two_people") != "true":
            return
        asked = self.asked.pop(fields["request"], None)
        if asked is None or asked[0] != fields["hold"]:
            raise Wrong("one person alone released it")
        one, other = asked[1], entry["actor"]
        known = UNKNOWN_LOGIN not in (one["login"], other["login"])
        if one["uid"] == other["uid"] or (known and one["login"] == other["login"]):
            raise Wrong("the same person asked and approved")
        if not known and self.rules.get("require_login_uid") == "true":
            raise Wrong("it is not known who logged in")

    def hold_reinstated(self, number, entry, fields):
        self.holds[fields["hold"]]["free_at"] = None

    def _covered(self, row, key, at):
        start, end = row["start"], row["start"] + row["duration"]
        for number, hold in self.holds.items():
            free = hold["free_at"]
            if row["camera"] in hold["cameras"] and (free is None or free > at):
                meets = hold["since"] < end and start < hold["until"]
                if meets or key in self.doubtful:
                    return number
        return None

    # -- deletion

    def deletion_intended(self, number, entry, fields):
        policy = self.policies.get(entry["policy"])
        rows = self._rows(number)
        self.open[number] = rows
        for row in rows:
            key = (row["stream"], row["start"], row["n"])
            held = self._covered(row, key, entry["at"])
            if held is not None:
                raise Wrong(f"row {key} is under hold {held}")
            if key in self.removed:
                raise Wrong(f"row {key} was removed before")
            if row["due"] > entry["at"]:
                raise Wrong(f"row {key} is early")
            doubtful = key in self.doubtful or row["stream"] in self.streams
            if policy is None or (doubtful and "seen" not in row):  # change 1
                self.log.unchecked.append(f"whether {key} was due when it says")
                continue
            end, seen = row["start"] + row["duration"], row.get("seen")
            days = policy["cameras"].get(str(row["camera"]), policy["days"])
            if row["due"] != (end if seen is None else seen) + days * 86_400_000_000:
                raise Wrong(f"row {key} was not due when it says")

    def recordings_deleted(self, number, entry, fields):
        intent = self.open.pop(fields["intent"], None)
        if intent is None:
            raise Wrong("it completes no open batch")
        listed = {row["row"]: row["outcome"] for row in self._rows(number)}
        became = [listed.get(place, "deleted") for place in range(len(intent))]
        if len(listed) != len(self._rows(number)) or any(
            not 0 <= place < len(intent) for place in listed
        ):
            raise Wrong("its exceptions are not rows of the intent")
        for outcome in OUTCOMES:
            if became.count(outcome) != fields[outcome]:
                raise Wrong(f"{fields[outcome]} are {outcome}, {became.count(outcome)}")
        gone = [
            row for row, what in zip(intent, became, strict=True) if what in REMOVED
        ]
        if sum(row["bytes"] for row in gone) != fields["bytes"]:
            raise Wrong("its bytes do not add up")
        self.removed |= {(row["stream"], row["start"], row["n"]) for row in gone}


def verify_proof(text, key, kinds=None):
    """What a proof file shows: entry, row, published id, outcome; Wrong where it does
    not."""
    head, _, signed = text.partition("\n\n")
    first, extra, index, *path = head.split("\n")
    if first != "c2sp.org/tlog-proof@v1" or not extra.startswith("extra "):
        raise Wrong("no proof of ours")
    found = parsed(std(extra.removeprefix("extra ")))
    _, size, root = open_head(signed.encode(), key)

    def entry(data, steps):
        said = parsed(data.encode())
        reached = path_root(said["index"], size, leaf(data.encode()), map(std, steps))
        if reached != root:
            raise Wrong(f"entry {said['index']} does not lead to the root")
        return said

    shown = {"entry": entry(found["entry"], path)}
    said = shown["entry"]
    if index != f"index {said['index']}":
        raise Wrong("the proof is of another entry")
    shown["disclosed"] = {}
    for name, disclosure in found.get("disclosures", {}).items():
        if sha(disclosure.encode()) != url(said["sd"][name]):
            raise Wrong(f"{name} was another")
        _, of, value = json.loads(url(disclosure))
        if of != name:
            raise Wrong(f"{name} is {of}")
        shown["disclosed"][name] = value
    if "row" not in found:
        return shown
    row = found["row"]
    data = url(row["salt"]) + row["text"].encode()
    reached = path_root(row["number"], said["rows"], leaf(data), map(std, row["path"]))
    if reached != url(said["rows_root"]):
        raise Wrong("the row is another")
    if kinds and row["columns"] != kinds[said["kind"]]["columns"]:
        raise Wrong("the row has columns of other names")
    shown["row"] = dict(zip(row["columns"], json.loads(row["text"]), strict=True))
    if "camera" in found:
        gave = entry(found["camera"]["entry"], found["camera"]["path"])
        camera, id_ = kinds[gave["kind"]]["gives"]
        if gave["fields"][camera] != shown["row"]["camera"]:
            raise Wrong("another camera is named")
        shown["id"] = gave["fields"][id_]
    if said["kind"] == "deletion.intended":
        done = found["completion"]
        completed = entry(done["entry"], done["path"])
        if completed["fields"]["intent"] != said["index"]:
            raise Wrong("another batch was completed")
        listed = {}
        if "rows_sha256" in completed:
            raw = std(done["exceptions"])
            if sha(raw) != url(completed["rows_sha256"]):
                raise Wrong("the exceptions are others")
            listed = dict(read_rows(raw)[1])
        shown["outcome"] = listed.get(row["number"], "deleted")
        shown["between"] = (said["at"], completed["at"])
    return shown


if __name__ == "__main__":
    checked = Log(*sys.argv[1:3])
    print("\n".join(checked.faults) or f"intact and lawful: {checked.size} entries")
    print("\n".join(checked.unchecked), file=sys.stderr)
    sys.exit(bool(checked.faults))
