"""Five editions of one council's real list, one after another.

Figures of the files, found by this program; see tests/data/trafford-cctv/README.md.
"""

import pytest

from retention.catalogue.log_check import verify_catalogue

EDITIONS = ("2018-07", "2021-02", "2024-03", "2025-03", "2026-06")


def counts(answer):
    return {
        name: answer[name] if isinstance(answer[name], int) else len(answer[name])
        for name in (
            "cameras", "added", "changed", "unchanged", "listed", "unlisted", "refused",
        )
    }  # fmt: skip


def numbers(*values):
    names = ("cameras", "added", "changed", "unchanged", "listed", "unlisted")
    return dict(zip((*names, "refused"), values, strict=True))


def test_all_five_import_one_after_another(room):
    assert [counts(room.edition(name)) for name in EDITIONS] == [
        numbers(98, 98, 0, 0, 0, 0, 0),
        numbers(99, 9, 90, 0, 0, 8, 0),
        numbers(105, 8, 86, 10, 0, 2, 1),
        numbers(135, 118, 7, 9, 0, 89, 1),
        numbers(163, 29, 7, 124, 0, 1, 3),
    ]
    everyone = room.list(all=True)["cameras"]
    assert len(everyone) == len({one["key"] for one in everyone}) == 262


def test_the_renumbering_of_2025_is_found(room):
    """88 of 105 ids come back as id + 1000, 86 of them within 30 m."""
    assert room.edition("2024-03")["cameras"] == 105
    found = room.edition("2025-03", propose=str(room.directory / "pairs.csv"))
    pairs = [one for one in found["pairs"] if int(one["new"]) - int(one["old"]) == 1000]
    assert len(found["pairs"]) == len(pairs) == 88
    assert sum(one["metres"] <= 30 for one in pairs) == 86
    far = {one["old"]: round(one["metres"]) for one in pairs if one["metres"] > 30}
    assert far == {"33": 651, "152": 1019}
    assert [one["old"] for one in pairs if not one["apply"]] == list(far)
    assert found["unpaired"] == ["69"]


def test_with_the_renumbering_applied_few_cameras_are_new(room):
    """The way it is meant: propose, read, renumber, import."""
    for name in EDITIONS[:3]:
        room.edition(name)
    pairs = str(room.directory / "pairs.csv")
    proposed = room.edition("2025-03", propose=pairs)["pairs"]
    keys = {one["new"]: room.key(one["old"]) for one in proposed if one["apply"]}
    assert len(room.renumber(file=pairs)["renumbered"]) == len(keys) == 85
    assert counts(room.edition("2025-03")) == numbers(135, 33, 37, 64, 0, 4, 1)
    assert counts(room.edition("2026-06")) == numbers(163, 29, 7, 124, 0, 1, 3)
    assert {id: room.key(id) for id in keys} == keys


def test_the_log_of_all_five_verifies(room):
    for name in EDITIONS:
        room.edition(name)
    report = verify_catalogue(room.catalogue, deep=True)
    assert (report.fault, report.size) == (None, 558)


def test_the_renumbering_can_still_be_applied_after_the_import(room):
    room.edition("2024-03")
    key = room.key("1")
    room.edition("2025-03")
    pairs = str(room.directory / "pairs.csv")
    assert len(room.edition("2025-03", propose=pairs)["pairs"]) == 88
    assert len(room.renumber(file=pairs)["displaced"]) == 86
    assert room.key("1001") == key


@pytest.mark.parametrize(
    ("older", "newer", "far"),
    [
        ("2018-07", "2021-02", {}),
        ("2021-02", "2024-03", {"13": 73}),
        ("2024-03", "2025-03", {}),
        ("2025-03", "2026-06", {"1034": 128, "1050": 3022}),
    ],
)
def test_ids_that_moved_too_far_between_editions(room, older, newer, far):
    room.edition(older)
    refused = room.edition(newer)["refused"]
    assert {one["id"]: one["metres"] for one in refused} == far


def test_an_id_that_returns_elsewhere_years_later_is_left_to_a_person(room):
    """1033 vanished in 2024 and is another place in 2025."""
    for name in EDITIONS[:3]:
        room.edition(name)
    assert not room.show(id="1033")["listed"]
    (row,) = room.edition("2025-03")["refused"]
    assert (row["id"], row["metres"]) == ("1033", 417)
    room.replace(id="1033", location=row["location"], lon=-2.266345, lat=53.469516)
    assert room.edition("2025-03")["refused"] == []


def test_the_columns_of_each_edition_are_recognised(room):
    old = room.edition("2018-07")
    new = room.edition("2021-02")
    assert old["columns"]["lon"] == "longitude"
    assert new["columns"]["lon"] == "lon"
    assert new["ignored_columns"] == ["area_name", "area_code"]
