"""What a site may write in its settings, and what it is told when it may not."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from retention.model.errors import SettingsError
from retention.model.layouts.presets import PRESETS
from retention.model.localtime import parse_duration
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from retention.site import settings as module
from retention.site.settings import Settings, load

CONFIG = Path(__file__).parents[2] / "config"
SITE = 'site = "leicester"\n'
ROOT = """
[[root]]
name = "nvr1"
path = "/srv/footage/nvr1"
layout = "mediamtx"
timezone = "Europe/London"
"""
SMALLEST = SITE + ROOT


def read(
    folder: Path, text: str = SMALLEST, environment: Mapping[str, str] | None = None
) -> Settings:
    path = folder / "retention.toml"
    path.write_text(text)
    return load(path, environment or {})


def refusal(
    folder: Path, text: str = SMALLEST, environment: Mapping[str, str] | None = None
) -> str:
    with pytest.raises(SettingsError) as error:
        read(folder, text, environment)
    return str(error.value)


def test_the_smallest_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path)
    kept = settings.retention
    assert (kept.days, kept.cycle, kept.scan) == (28, MINUTE, 30 * SECOND)
    assert (kept.reconcile, kept.cooling_off) == (DAY, 7 * DAY)
    assert (kept.review_after, kept.clock_tolerance) == (90 * DAY, 5 * MINUTE)
    assert (kept.deletion_limit, kept.deletion_floor) == (0.02, 100)
    assert kept.release_requires_two_people
    assert kept.require_login_uid
    assert settings.timezone == "Europe/London"
    assert settings.state_directory == Path("/var/lib/cctv-retention")
    assert settings.cameras is None
    assert settings.clock_synchronised == "auto"
    assert settings.access.supervisors == ("cctv-supervisors",)


def test_a_root_has_the_defaults_of_its_layout(tmp_path: Path) -> None:
    text = SMALLEST.replace('"mediamtx"\ntimezone = "Europe/London"', '"frigate"')
    (root,) = read(tmp_path, text).root
    assert (root.stable_after, root.max_length) == (30 * SECOND, 10 * MINUTE)
    assert root.timezone == "UTC"
    assert root.recorder_keeps is None
    assert root.cameras == {}


def test_a_template_of_the_sites_own_has_defaults_too(tmp_path: Path) -> None:
    text = SMALLEST.replace('"mediamtx"', '"{camera}/%Y%m%d-%H%M%S.ts"')
    (root,) = read(tmp_path, text).root
    assert (root.stable_after, root.max_length) == (30 * SECOND, HOUR)


def test_values_in_the_file_are_taken(tmp_path: Path) -> None:
    text = (
        SITE + '[retention]\ndays = 31\ndeletion_limit = "12.5%"\ncooling_off = "0s"\n'
    )
    settings = read(
        tmp_path,
        text
        + ROOT
        + 'recorder_keeps = "45d"\n[root.cameras]\n"market-place" = "1001"\n'
        '"old/market" = "1001"\n[camera."1001"]\ndays = 90\n',
    )
    assert settings.retention.days == 31
    assert settings.retention.deletion_limit == 0.125
    assert settings.retention.cooling_off == 0
    assert settings.root[0].recorder_keeps == 45 * DAY
    assert settings.root[0].cameras == {"market-place": "1001", "old/market": "1001"}
    assert settings.camera["1001"].days == 90


def test_what_answers_to_the_public_rest_on_is_taken_as_it_is_written(
    tmp_path: Path,
) -> None:
    said = (
        'controller = " Leicester  City Council"\nmonitored_hours = "24/7"\n'
        'published_list = "https://data.example/cctv.csv"\n'
        "published_list_day = 2026-06-30\n"
    )
    settings = read(tmp_path, SITE + said + ROOT)
    assert settings.own_controller == "Leicester City Council"
    assert settings.monitored_hours == "24/7"
    assert settings.published_list == "https://data.example/cctv.csv"
    assert settings.published_list_day == "2026-06-30"


def test_the_cameras_are_the_sites_own_unless_it_says_whose(tmp_path: Path) -> None:
    assert read(tmp_path).own_controller == "leicester"


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        SITE + "[retention]\ndays = 31\n" + ROOT,
        {
            "RETENTION_RETENTION__DAYS": "35",
            "RETENTION_RETENTION__CYCLE": "2m",
            "RETENTION_RETENTION__REQUIRE_LOGIN_UID": "false",
            "RETENTION_STATE_DIRECTORY": "/mnt/state",
            "RETENTION_ACCESS__OPERATORS": "night-shift, day-shift",
            "RETENTION_CAMERA__MP01__DAYS": "60",
            "PATH": "/bin",
        },
    )
    assert settings.retention.days == 35
    assert settings.retention.cycle == 2 * MINUTE
    assert settings.retention.require_login_uid is False
    assert settings.state_directory == Path("/mnt/state")
    assert settings.access.operators == ("night-shift", "day-shift")
    assert settings.camera["MP01"].days == 60  # an id keeps its own spelling


def test_the_process_environment_counts_unless_one_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_RETENTION__DAYS", "35")
    path = tmp_path / "retention.toml"
    path.write_text(SMALLEST)
    assert load(path).retention.days == 35
    assert load(path, {}).retention.days == 28


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("RETENTION_DAYS", "5", "write RETENTION_RETENTION__DAYS"),
        ("RETENTION_SIET", "x", "write RETENTION_SITE"),
        ("RETENTION_RETENTION", "5", "is not a setting"),
        ("RETENTION_RETENTION__DAYS__", "5", "is not a setting"),
        ("RETENTION_CAMERA", "5", "is not a setting"),
        ("RETENTION_CAMERA__1001", "5", "is not a setting"),
        ("RETENTION_SITE__NAME", "x", "is not a setting"),
        ("RETENTION_", "x", "unset it"),
        (
            "RETENTION_ROOT__0__PATH",
            "/x",
            "write footage roots as [[root]] in the file",
        ),
        ("RETENTION_RETENTION__DAYS", "0", 'RETENTION_RETENTION__DAYS = "0" is not'),
        ("RETENTION_CAMERA__1001__DAYS", "31x", "write one from 1 to 3650"),
        ("RETENTION_SITE", "", "is not a usable name"),
        ("RETENTION_ACCESS__AUDITORS", "the auditors", "not the name of a Unix group"),
        ("RETENTION_RETENTION__REQUIRE_LOGIN_UID", "no", "neither true nor false"),
    ],
)
def test_a_wrong_variable_is_named_as_such(
    tmp_path: Path, name: str, value: str, part: str
) -> None:
    text = refusal(tmp_path, environment={name: value})
    assert text.startswith(f"environment: {name}")
    assert part in text


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ('site = "Leicester City"', "small letters"),
        ("site = 5", "small letters"),
        ('contact = ""', "is not a line of text"),
        ('timezone = "Europe/Londn"', 'such as "Europe/London"'),
        ('timezone = "BST"', 'such as "Europe/London"'),
        ('timezone = "Europe"', "is not a time zone"),
        ('timezone = "localtime"', "is not a time zone"),
        ('timezone = "right/Europe/London"', "is not a time zone"),
        ('timezone = "../../etc/passwd"', "is not a time zone"),
        ("timezone = 1", "is not a time zone"),
        ('state_directory = "state"', "write the whole path, from /"),
        ('state_directory = "/var/../srv"', 'has ".." in it'),
        ("state_directory = 5", "is not a path"),
        ('cameras = "cameras.csv"', "write the whole path, from /"),
        ('clock_synchronised = "yes"', 'write "auto", "required" or "ignored"'),
        ('log_origin = "https://a.example/log"', "write the address without it"),
        ('log_origin = "a log"', "without spaces and +"),
        ('log_origin = "a+b"', "without spaces and +"),
        ('log_origin = ""', "without spaces and +"),
        ('controller = ""', "is not a line of text"),
        (f'controller = "{101 * "x"}"', "at most 100 characters"),
        ('monitored_hours = "always"', 'write "24/7", or days and local hours'),
        ('monitored_hours = "Mon 08:00-22:00, Mon 21:00-23:00"', "of a Mon twice"),
        ("monitored_hours = 24", "is not a line of text"),
        ('published_list = "data.example/list.csv"', "write it whole, from https://"),
        ('published_list = "file:///srv/list.csv"', "write it whole, from https://"),
        ('published_list = "https://a b"', "write it whole, from https://"),
        ('published_list = "https://[x/list"', "write it whole, from https://"),
        ('published_list_day = "30/06/2026"', "write year, month and day"),
        ('published_list_day = "2026-06-31"', "write year, month and day"),
        ('published_list_day = "2026-06-30"', "write published_list as well"),
        ('timezon = "UTC"', 'write "timezone", or remove it'),
        ("days = 5", "write it under [retention]"),
        ('_env_file = "x"', "is not a setting"),
        ("retention = 5", "is not a table"),
        ("camera = 5", "is not a table"),
        ('access = ["x"]', "is not a table"),
        ("[foo]\nx = 1", "[foo] is not a setting"),
    ],
)
def test_wrong_values_of_the_site(tmp_path: Path, key: str, part: str) -> None:
    site = "" if key.startswith("site") else SITE
    text = refusal(tmp_path, f"{site}{key}\n{ROOT}")
    assert text.count("\n") == 0
    assert text.startswith(
        f"{tmp_path}/retention.toml: {key.splitlines()[0].split(' =')[0]}"
    )
    assert part in text


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("days = 0", "write one from 1 to 3650"),
        ("days = 3651", "write one from 1 to 3650"),
        ("days = 28.0", "is not a whole number of days"),
        ("days = true", "is not a whole number of days"),
        ('days = "28d"', "is not a whole number of days"),
        ("cycle = 60", "has no unit"),
        ('cycle = "60"', 'write "60s"'),
        ('cycle = "0s"', 'from "1s" to "1h"'),
        ('cycle = "2h"', 'from "1s" to "1h"'),
        ('scan = "0s"', 'from "1s" to "1h"'),
        ('reconcile = "30d"', 'from "1m" to "7d"'),
        ('cooling_off = "-1d"', "is not a duration"),
        ('review_after = "366d"', 'from "1h" to "365d"'),
        ('clock_tolerance = "15m"', 'from "1s" to "14m"'),
        ('deletion_limit = "0%"', "above 0 and up to 100"),
        ('deletion_limit = "100.1%"', "above 0 and up to 100"),
        ("deletion_limit = 0.02", "above 0 and up to 100"),
        ("deletion_floor = -1", "is not a whole number of recordings"),
        ("require_login_uid = 0", "neither true nor false"),
        ("require_login_uid = [1]", "neither true nor false"),
        ("dayz = 5", 'write "days", or remove it'),
        ('contact = "IT"', "write it above the first [table]"),
        ('operators = ["x"]', "write it under [access]"),
    ],
)
def test_wrong_values_of_retention(tmp_path: Path, key: str, part: str) -> None:
    text = refusal(tmp_path, f"{SITE}[retention]\n{key}\n{ROOT}")
    assert text.count("\n") == 0
    name = key.split(" =")[0]
    assert text.startswith(f"{tmp_path}/retention.toml: [retention] {name} = ")
    assert part in text


@pytest.mark.parametrize(
    ("line", "instead", "part"),
    [
        ('name = "nvr1"', 'name = "nvr 1"', 'name = "nvr 1" is not a usable name'),
        ('name = "nvr1"', "", "[[root]] number 1 name is missing"),
        ('path = "/srv/footage/nvr1"', 'path = "footage"', "is a relative path"),
        ('path = "/srv/footage/nvr1"', "", '[[root]] "nvr1" path is missing'),
        (
            'path = "/srv/footage/nvr1"',
            'path = "/var/lib/cctv-retention/footage"',
            "lie one in the other",
        ),
        ('path = "/srv/footage/nvr1"', 'path = "/var/lib"', "lie one in the other"),
        (
            'path = "/srv/footage/nvr1"',
            'path = "/var/lib/cctv-retention/"',
            "lie one in the other",
        ),
        ('layout = "mediamtx"', "", '[[root]] "nvr1" layout is missing'),
        ('layout = "mediamtx"', 'layout = "mediamxt"', 'write "mediamtx"'),
        (
            'layout = "mediamtx"',
            'layout = "%Y-%m-%d_%H-%M-%S.mp4"',
            'layout = "%Y-%m-%d_%H-%M-%S.mp4" can\'t be used: it does not say which',
        ),
        (
            'layout = "mediamtx"',
            'layout = "{camera}/%H-%M-%S.mp4"',
            "does not give a whole date",
        ),
        (
            'layout = "mediamtx"',
            'layout = "{camera}/%Y-%m-%dT%H:%M:%SZ.mp4"',
            "the Z after the time says UTC",
        ),
        ('layout = "mediamtx"', 'layout = "frigate"', "always in UTC: remove it"),
        ('timezone = "Europe/London"', "", "timezone is missing"),
        ('timezone = "Europe/London"', 'timezone = "GMT+0100"', "is not a time zone"),
    ],
)
def test_wrong_values_of_a_root(
    tmp_path: Path, line: str, instead: str, part: str
) -> None:
    assert part in refusal(tmp_path, SMALLEST.replace(line, instead))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('max_length = "25h"', 'from "1s" to "24h"'),
        ('stable_after = "0s"', 'from "1s" to "24h"'),
        ('stable_after = "2h"', "is longer than max_length (1 h 1 min)"),
        ('recorder_keeps = "5m"', "is shorter than one recording (1 h 1 min)"),
        ("recorder_keeps = 35", "has no unit"),
        ('cameras = "x"', "is not a table"),
        ('cameras = {"x" = 1001}', 'gives no camera id for "x"'),
        ('cameras = {"x" = ""}', 'gives no camera id for "x"'),
        ('cameras = {"/x" = "1"}', 'begins or ends with "/"'),
        ('colour = "red"', '[[root]] "nvr1" colour = "red" is not a setting'),
        ('contact = "IT"', "write it above the first [table]"),
    ],
)
def test_wrong_additions_to_a_root(tmp_path: Path, line: str, part: str) -> None:
    assert part in refusal(tmp_path, SMALLEST + line)


@pytest.mark.parametrize(
    ("name", "path", "part"),
    [
        ("nvr1", "/srv/b", "is the name of an earlier [[root]]"),
        ("NVR1", "/srv/b", "is the name of an earlier [[root]]"),
        ("b", "/srv/footage/nvr1", "are the same or lie one in the other"),
        ("b", "/srv/footage/nvr1/", "are the same or lie one in the other"),
        ("b", "/srv/footage/nvr1/deep/er", "are the same or lie one in the other"),
        ("b", "/srv", "are the same or lie one in the other"),
    ],
)
def test_roots_must_not_meet(tmp_path: Path, name: str, path: str, part: str) -> None:
    other = ROOT.replace("nvr1", name, 1).replace("/srv/footage/nvr1", path)
    assert part in refusal(tmp_path, SMALLEST + other)


def test_roots_with_a_common_beginning_of_their_names_are_apart(tmp_path: Path) -> None:
    other = ROOT.replace("nvr1", "nvr10")
    assert len(read(tmp_path, SMALLEST + other).root) == 2


def test_settings_without_a_root_would_do_nothing(tmp_path: Path) -> None:
    assert "add a [[root]]" in refusal(tmp_path, SITE)


def test_one_pair_of_brackets_is_not_a_list_of_roots(tmp_path: Path) -> None:
    text = refusal(tmp_path, SMALLEST.replace("[[root]]", "[root]"))
    assert "write each under its own [[root]]" in text


def test_an_override_without_effect_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, SMALLEST + '[camera."1001"]\ndays = 28\n')
    assert '[camera."1001"] days = 28 is what [retention] days says already' in text


@pytest.mark.parametrize("table", ["", "dys = 31"])
def test_an_override_must_say_days(tmp_path: Path, table: str) -> None:
    text = refusal(tmp_path, f'{SMALLEST}[camera."1001"]\n{table}\n')
    assert '[camera."1001"] days is missing' in text


@pytest.mark.parametrize(
    ("groups", "part"),
    [
        ('operators = "cctv ops"', "not the name of a Unix group"),
        ("operators = [5]", "not the name of a Unix group"),
        ("operators = 5", "is not a list"),
        ('operators = ["a", "a"]', "names a group twice"),
        ("supervisors = []", "no hold could ever be released"),
    ],
)
def test_wrong_groups(tmp_path: Path, groups: str, part: str) -> None:
    assert part in refusal(tmp_path, f"{SMALLEST}[access]\n{groups}\n")


def test_every_problem_is_a_line_of_its_own(tmp_path: Path) -> None:
    text = SITE + '[retention]\ndays = 0\nscan = "1d"\ncolour = "red"\n'
    lines = refusal(
        tmp_path, text + ROOT + 'max_length = "0s"\n', {"RETENTION_X": "1"}
    ).splitlines()
    assert len(lines) == 5
    assert all(line.endswith(".") for line in lines)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[retention]\ncycle = 60s\n", "line 3, column 11: expected newline"),
        ("[retention\n", "line 2, column 11: "),
        ('x = "', "end of document: unterminated string"),
        (SITE, "line 2, column 19: a key stands there twice"),
    ],
)
def test_bad_toml_is_reported_with_its_place(
    tmp_path: Path, text: str, part: str
) -> None:
    assert f"retention.toml, {part}" in refusal(tmp_path, SITE + text)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "retention.toml"
    path.write_bytes(b'site = "\xe9"')
    with pytest.raises(SettingsError, match=r"is not UTF-8 text \(byte 9\)"):
        load(path, {})


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"is not there: .*--config FILE.*copy"):
        load(tmp_path / "none.toml", {})


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        load(tmp_path, {})


def test_without_a_path_the_installed_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "installed.toml"
    installed.write_text(SMALLEST)
    monkeypatch.setattr(module, "DEFAULT_CONFIG", installed)
    assert load(None, {}).site == "leicester"


def test_settings_are_frozen_all_the_way_down(tmp_path: Path) -> None:
    settings = read(tmp_path, SMALLEST + '[camera."1001"]\ndays = 31\n')
    for table, key in (
        (settings, "site"),
        (settings.retention, "days"),
        (settings.root[0], "path"),
        (settings.camera["1001"], "days"),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(table, key, 1)
    for mapping in (settings.camera, settings.root[0].cameras):
        with pytest.raises(TypeError):
            mapping["x"] = None  # type: ignore[index]


def test_the_digest_is_that_of_the_effect_not_of_the_text(tmp_path: Path) -> None:
    other = ROOT.replace("nvr1", "nvr2")
    digest = read(tmp_path, SITE + ROOT + other).digest
    assert len(digest) == 64
    same = SITE + '# said twice\n[retention]\ndays = 28\ncycle = "1m"\n' + other + ROOT
    assert read(tmp_path, same).digest == digest


@pytest.mark.parametrize(
    "line",
    [
        "[retention]\ndays = 29",
        '[retention]\nscan = "31s"',
        '[camera."1001"]\ndays = 29',
        '[access]\nauditors = ["x"]',
    ],
)
def test_the_digest_changes_with_any_value(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"{SMALLEST}{line}\n").digest != read(tmp_path).digest


def test_the_example_explains_every_key() -> None:
    text = (CONFIG / "retention.toml").read_text()
    written = {line.lstrip("# ").split(" = ")[0] for line in text.splitlines()}
    tables: list[type[BaseModel]] = [
        module.RetentionSettings,
        module.RootSettings,
        module.AccessSettings,
    ]
    keys = {key for table in tables for key in table.model_fields}
    keys |= set(Settings.model_fields) - {"retention", "root", "camera", "access"}
    assert keys <= written | {"cameras"}  # which is a key, and a table of each root
    assert {"cameras", "[root.cameras]"} <= written


def test_the_defaults_that_the_example_names_are_the_defaults(tmp_path: Path) -> None:
    example, default = load(CONFIG / "retention.toml", {}), read(tmp_path)
    assert example.retention == default.retention
    assert example.access == default.access
    assert example.timezone == default.timezone
    assert example.state_directory == default.state_directory
    assert example.clock_synchronised == default.clock_synchronised


def test_the_lengths_that_the_example_names_are_those_of_the_layouts(
    tmp_path: Path,
) -> None:
    text = (CONFIG / "retention.toml").read_text()
    for name, preset in PRESETS.items():
        said = re.search(rf'"(\w+)" for "{name}"', text)
        length = parse_duration(said[1]) if said else HOUR
        assert (length, preset.stable_after) == (preset.max_length, 30 * SECOND), name
        zoned = f'not for "{name}", which always writes UTC' in " ".join(
            text.split("\n# ")
        )
        assert zoned == (preset.zone == "UTC"), name
