"""Known recorders: their names, and what else lies in their roots."""

import pytest

from retention.model.errors import SettingsError
from retention.model.layouts.layout import compile_layout
from retention.model.layouts.presets import (
    PRESETS,
    is_excluded,
    is_in_progress,
    preset_or_template,
)
from retention.model.values import HOUR, MINUTE, SECOND

TEMPLATE = preset_or_template("{camera}/%Y%m%d%H%M%S.{ext:mp4|mkv}")
EVERY = [*PRESETS.values(), TEMPLATE]

# What each recorder was seen to write.
WRITTEN = {
    "mediamtx": [
        b"market-place/2026-10-24_21-00-00-000250.mp4",
        b"centre/market-place/2026-10-24_21-00-00-000250.ts",
    ],
    "frigate": [b"2026-10-24/20/market-place/15.30.mp4"],
    "ffmpeg": [b"cam1_20261123T231755+0000.mp4", b"n/cam_1_20261123T231755+0000.ts"],
    "motion": [
        b"market-place/01-20261123231936.mkv",
        b"market-place/0-01-20261123231936.mp4",
    ],
}


def layout_of(preset):
    return compile_layout(preset.template, preset.zone or "Europe/London")


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, path) for name, paths in WRITTEN.items() for path in paths],
)
def test_a_recorders_files_are_recordings(name, path):
    preset = PRESETS[name]
    assert layout_of(preset).parse(path)
    assert not is_excluded(preset, path)
    assert not is_in_progress(preset, path)


@pytest.mark.parametrize("name", ["mediamtx", "frigate", "ffmpeg"])
def test_their_names_are_rendered_again(name):
    layout = layout_of(PRESETS[name])
    for path in WRITTEN[name]:
        parsed = layout.parse(path)
        assert parsed is not None
        assert layout.render(parsed.name, parsed.starts[0], parsed.extension) == path


@pytest.mark.parametrize("preset", EVERY, ids=lambda preset: preset.name)
@pytest.mark.parametrize(
    "path",
    [
        b".cctv-retention-root",
        b".cctv-retention-head",
        b".keep",
        b"market-place/.keep",
        b"segments/market-place/init.mp4",
        b"market-place/lastsnap.jpg",
        b"market-place/2026-10-24/21-00-00.mp4.thumb",
        b"thumbnails/market-place/1795476085.jpg",
        b"thumbnails",
        b"list.csv",
        b"market-place/list.csv",
    ],
)
def test_shared_and_side_files_are_never_recordings(preset, path):
    assert is_excluded(preset, path)
    assert layout_of(preset).parse(path) is None


@pytest.mark.parametrize(
    "path",
    [
        b"exports",
        b"exports/market-place_20261024_210000-20261024_220000_x1.mp4",
        b"clips",
        b"clips/market-place-1795476085.1-a.jpg",
        b"clips/previews/market-place/1795476085-1795479685.mp4",
        b"previews/market-place/1795476085-1795479685.mp4",
    ],
)
def test_frigates_exports_clips_and_previews_are_not_ours(path):
    assert is_excluded(PRESETS["frigate"], path)
    assert not is_excluded(PRESETS["mediamtx"], path)


@pytest.mark.parametrize(
    "path",
    [
        b"market-place/init.mp4.ts",
        b"market-place/xinit.mp4",
        b"market-place/init.mp4/2026-10-24_21-00-00-000250.mp4",
        b"x/thumbnails/20261024210000.mp4",
        b"exportsx",
        b"a/exports/20261024210000.mp4",
        b"xkeep",
        b"",
        b"a\nb/c.mp4",
    ],
)
def test_an_exclusion_takes_no_more_than_it_says(path):
    assert not any(is_excluded(preset, path) for preset in EVERY)


@pytest.mark.parametrize("preset", EVERY, ids=lambda preset: preset.name)
@pytest.mark.parametrize(
    "path",
    [
        b"1/2026-10-24/77/incomplete.mp4",
        b"1/2026-10-24/77/incomplete.h264.mp4",
        b"incomplete.mp4",
        b"market-place/20261024210000.mp4.tmp",
    ],
)
def test_unfinished_names_are_in_progress(preset, path):
    assert is_in_progress(preset, path)


def test_frigates_cache_names_are_in_progress():
    path = b"cache/market-place@20261024210000+0100.mp4"
    assert is_in_progress(PRESETS["frigate"], path)
    assert not is_in_progress(PRESETS["frigate"], b"2026-10-24/20/a@b/15.30.mp4")


def test_motions_pictures_and_time_lapse_films_are_unknown_not_excluded():
    """They show people: kept out of sight they would stay for ever."""
    for path in (b"m/01-20261123231936-00.jpg", b"m/20261123-timelapse.mkv"):
        assert not is_excluded(PRESETS["motion"], path)
        assert layout_of(PRESETS["motion"]).parse(path) is None


def test_zones_and_lengths_are_the_recorders():
    zones = {name: preset.zone for name, preset in PRESETS.items()}
    assert zones == {"mediamtx": None, "frigate": "UTC", "ffmpeg": None, "motion": None}
    # A segment of MediaMTX's is cut at the first key frame after its hour.
    assert PRESETS["mediamtx"].max_length > HOUR
    assert PRESETS["frigate"].max_length == 10 * MINUTE
    assert PRESETS["motion"].max_length >= 2 * MINUTE


def test_a_template_becomes_a_preset_with_defaults():
    text = "{camera}/%Y%m%d%H%M%S.{ext:mp4|mkv}"
    assert (TEMPLATE.name, TEMPLATE.template, TEMPLATE.zone) == (text, text, None)
    assert (TEMPLATE.stable_after, TEMPLATE.max_length) == (30 * SECOND, HOUR)


def test_epoch_names_have_a_zone_of_their_own():
    assert preset_or_template("segments/{camera}/%s.m4s").zone == "UTC"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("MediaMTX", 'write "mediamtx"'),
        ("fridgate", 'write "frigate"'),
        ("zoneminder", "write one such as"),
        ("", "write one such as"),
        ("{camera}/%y.mp4", "write %Y here"),
        ("recordings/cam.mp4", "put {camera} where"),
    ],
)
def test_what_is_neither_is_refused_with_what_to_type(text, remedy):
    with pytest.raises(SettingsError) as caught:
        preset_or_template(text)
    assert remedy in str(caught.value)
    assert f'"{text}"' in str(caught.value)
