"""What a configuration may say and `retention check` warns of."""

from pathlib import Path

import pytest

from retention.cli.local.check_settings import doubts
from retention.site.settings import Settings, load

CONFIG = Path(__file__).parents[4] / "config"
SMALLEST = """
site = "leicester"
[[root]]
name = "nvr1"
path = "/srv/footage/nvr1"
layout = "mediamtx"
timezone = "Europe/London"
"""


def read(folder: Path, text: str = SMALLEST) -> Settings:
    path = folder / "retention.toml"
    path.write_text(text)
    return load(path, {})


def warnings(settings: Settings) -> list[str]:
    return [f"{one.what}: {one.remedy}." for one in doubts(settings)]


def test_supervisors_may_be_operators_too(tmp_path: Path) -> None:
    both = 'operators = ["cctv", "bosses"]\nsupervisors = ["bosses"]\n'
    settings = read(tmp_path, f"{SMALLEST}[access]\n{both}")
    assert warnings(settings) == warnings(read(tmp_path))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("", "contact is not set"),
        ("", 'root]] "nvr1" recorder_keeps is not set'),
        ('recorder_keeps = "35d"', "recorder_keeps (35 days) is not longer than"),
        ('recorder_keeps = "20d"', "let the recorder keep it longer"),
        ("[retention]\nrelease_requires_two_people = false", "one person alone"),
        ("[retention]\nrequire_login_uid = false", "two accounts"),
        ('[access]\nauditors = ["cctv-admins"]', "auditors and administrators"),
        (
            '[access]\nadministrators = ["cctv-supervisors"]',
            "administrators and superv",
        ),
    ],
)
def test_what_is_allowed_but_doubtful_is_a_warning(
    tmp_path: Path, line: str, part: str
) -> None:
    found = warnings(read(tmp_path, f"{SMALLEST}{line}\n"))
    assert any(part in text for text in found), found


def test_a_recorder_must_outlast_the_longest_override(tmp_path: Path) -> None:
    text = SMALLEST + 'recorder_keeps = "36d"\n'
    assert "recorder_keeps" not in " ".join(warnings(read(tmp_path, text)))
    text += '[camera."1001"]\ndays = 31\n'
    assert "recorder_keeps (36 days)" in " ".join(warnings(read(tmp_path, text)))


def test_the_example_has_no_faults_and_nothing_doubtful() -> None:
    assert warnings(load(CONFIG / "retention.toml", {})) == []


def test_the_demo_is_doubtful_only_in_what_it_is_for() -> None:
    settings = load(CONFIG / "demo.toml", {})
    assert not settings.retention.release_requires_two_people
    doubts = warnings(settings)
    assert doubts
    assert all("let evidence go" in w or "accounts" in w for w in doubts)
