"""What the pages compute themselves is what Python computes: hashes, trees, paths, times."""

import base64
import hashlib
import hmac
import random
import zlib

import pytest

from retention.model.localtime import parse_instant
from retention.tlog import merkle, tiles
from retention.tlog.canonical import encode
from retention.tlog.tiles import HashReader, Tile
from tests.support import browser as browsers
from tests.support import needs

pytestmark = needs.chromium

SIZES = [1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 70_000]


@pytest.fixture(scope="module")
def ask(browser, long):
    """Evaluate an expression in the page."""
    tab = browsers.Tab(browser)
    with browsers.served(long.directory) as address:
        yield tab.open(address).page.evaluate
    tab.close()


def b64(data):
    return base64.b64encode(data).decode()


def test_hashes_are_those_of_everybody(ask):
    texts = [random.Random(n).randbytes(n) for n in (*range(130), 1000, 70_001)]
    found = ask(
        "(all) => all.map((one) => hex(sha256(fromBase64(one))))", [*map(b64, texts)]
    )
    assert found == [hashlib.sha256(text).hexdigest() for text in texts]
    keys = [b"k" * 16, b"", b"x" * 64]
    found = ask("(all) => all.map((one) => hex(hmac(fromBase64(one), eightBytes(7))))",
                [*map(b64, keys)])  # fmt: skip
    counted = (7).to_bytes(8, "big")
    assert found == [hmac.digest(key, counted, "sha256").hex() for key in keys]


def test_base64_has_one_spelling(ask):
    refused = """(all) => all.map((one) => {
      try { fromBase64(one); return "taken"; } catch { return "refused"; }
    })"""
    assert ask(refused, ["QQ==", "QR==", "QQ", "Q Q==", "QQ==\n", "Q-=="]) == [
        "taken", *["refused"] * 5,
    ]  # fmt: skip


def test_json_has_one_form(ask):
    value = {"b": [1, None, True, 'é\u2028"\\\n\x7f'], "a": {"z": -1, "y": 2**53 - 1}}
    assert ask("(one) => canonical(one)", value) == encode(value).decode()


@pytest.fixture(scope="module")
def leaves():
    return [hashlib.sha256(str(n).encode()).digest() for n in range(max(SIZES))]


def tiles_of(leaves, size):
    """Path to bytes of every hash tile of a log of that size."""
    made = {}
    for tile in tiles.new_files(0, size):
        if tile.level == "entries":
            continue
        if tile.level == 0:
            made[tile] = b"".join(leaves[tile.first : tile.last])
        else:
            made[tile] = tiles.make(tile, lambda below: made[below])
    return made


@pytest.mark.parametrize("size", SIZES)
def test_roots_and_paths_are_those_of_rfc_6962(ask, leaves, size):
    made = tiles_of(leaves, size)
    reader = HashReader(size, lambda tile: made[Tile(*tile)])
    root = merkle.root(leaves[:size])
    chance = random.Random(size)
    olds = sorted({1, size, size // 2, *(chance.randrange(size + 1) for _ in range(9))})
    numbers = sorted({0, size - 1, *(chance.randrange(size) for _ in range(6))})
    found = ask(
        """async ([size, root, files, olds, numbers]) => {
          const read = (level, number, width) => {
            const bytes = files[tilePath(level, number, width)];
            return bytes ? fromBase64(bytes) : null;
          };
          const tree = new Tree(size, fromBase64(root), read);
          await tree.begin();
          const roots = [], paths = [];
          for (const old of olds) roots.push(base64(await tree.rootAt(old)));
          for (const number of numbers) paths.push((await tree.path(number)).map(base64));
          return [roots, paths];
        }""",
        [size, b64(root), {tile.path: b64(data) for tile, data in made.items()}, olds,
         numbers],
    )  # fmt: skip
    assert found[0] == [b64(merkle.root(leaves[:old])) for old in olds]
    assert found[1] == [
        [b64(one) for one in merkle.prove_inclusion(number, size, reader)]
        for number in numbers
    ]


def test_a_path_leads_nowhere_but_to_its_own_root(ask, leaves):
    said = """([hashes, number]) => {
      const all = hashes.map(fromBase64);
      const path = pathIn(number, all);
      const reach = (at, size, leaf, steps) => {
        const found = pathRoot(at, size, leaf, steps);
        return found !== null && same(found, rootOf(all));
      };
      const wrong = all[(number + 1) % all.length];
      return [
        reach(number, all.length, all[number], path),
        reach(number, all.length, wrong, path),
        reach(number, all.length, all[number], path.slice(1)),
        reach(number, all.length, all[number], [...path, wrong]),
      ];
    }"""
    for size in (2, 3, 7, 8, 13):
        for number in range(size):
            answer = ask(said, [[b64(one) for one in leaves[:size]], number])
            assert answer == [True, False, False, False], (size, number)


def test_days_and_hours_are_those_of_the_site(ask):
    span = "([day, hour]) => spanOf(day, hour, 'Europe/London')"
    utc = lambda text: parse_instant(text, "UTC", 0)  # noqa: E731
    assert ask(span, ["2026-07-01", 14]) == [
        utc("2026-07-01 13:00"),
        utc("2026-07-01 14:00"),
    ]
    # Clocks go back: the hour from 01:00 comes twice, and the day has 25 hours.
    assert ask(span, ["2026-10-25", 1]) == [
        utc("2026-10-25 00:00"),
        utc("2026-10-25 02:00"),
    ]
    assert ask(span, ["2026-10-25", None]) == [
        utc("2026-10-24 23:00"), utc("2026-10-26 00:00"),
    ]  # fmt: skip
    # Forward: the hour is not there, and the day has 23.
    refused = "() => { try { return spanOf('2027-03-28', 1, 'Europe/London'); } catch (e) { return e.message; } }"
    assert "no such hour" in ask(refused)
    assert ask(span, ["2027-03-28", None]) == [
        utc("2027-03-28 00:00"), utc("2027-03-28 23:00"),
    ]  # fmt: skip


def test_instants_are_shown_to_the_second_and_known_to_the_microsecond(ask):
    instant = parse_instant("2026-10-24T20:00Z", "UTC", 0) + 1_234
    assert ask("(one) => utc(one)", instant) == "2026-10-24T20:00:00.001234Z"
    shown = ask("(one) => moment(one, 'Europe/London')", instant)
    assert shown == "2026-10-24 21:00:00 BST"
    assert ask("() => moment(FOREVER, 'UTC')") == "open"


def test_a_row_file_that_would_fill_the_memory_is_refused(ask):
    bomb = zlib.compress(b" " * (33 * 2**20), 9)
    said = "(one) => inflate(fromBase64(one)).then(() => 'taken', (e) => e.message)"
    assert ask(said, b64(bomb)) == "too large"
    good = zlib.compress(b"x" * 9)
    assert ask(said, b64(good)) == "taken"
    assert ask(said, b64(good[:-2])) != "taken"
    assert ask(said, b64(good + b"more")) != "taken"
