"""Motion films a moving picture while the daemon runs, into the layout of its preset."""

import subprocess

from retention.model.values import State
from tests.support import needs
from tests.support.recording_site import (
    QUICK_H264,
    Witness,
    born,
    errors,
    probed,
    truth,
)

OPTIONS = """
daemon off
setup_mode off
log_level 6
netcam_url file://{film}
width 320
height 240
framerate 10
emulate_motion on
event_gap 1
movie_output on
movie_codec mkv
movie_max_time 2
movie_filename %v-%Y%m%d%H%M%S
picture_output off
webcontrol_port 0
stream_port 0
target_dir {target}
"""


def length_of(path):
    """Seconds, or None for the film that Motion was stopped in: it has no length."""
    try:
        return probed(path)
    except ValueError:
        return None


@needs.motion
@needs.ffmpeg
def test_what_motion_films_is_catalogued_when_closed_and_by_its_path(
    site, recorder, tmp_path
):
    made = site("motion", "Europe/London")
    film, target = tmp_path / "film.mp4", made.footage / "1002"
    picture = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=10", "-t", "60"]
    subprocess.run(
        ["ffmpeg", "-nostdin", "-loglevel", "error", *picture, *QUICK_H264, film],
        check=True,
    )
    options = tmp_path / "motion.conf"
    options.write_text(OPTIONS.format(film=film, target=target))
    target.mkdir()
    made.start()
    motion = recorder(["motion", "-n", "-c", str(options)], TZ="Europe/London")
    witness = Witness(made, motion)
    # Motion needs some five seconds before it films at all.
    witness.watch(120, until=lambda: len(witness.written) >= 3 and made.catalogued())
    witness.look()
    motion.end()
    assert len(witness.written) >= 3, motion.log.read_text()
    made.until(lambda: len(made.catalogued()) == len(list(target.iterdir())))

    rows = made.catalogued()
    assert rows.keys() == set(target.iterdir())
    assert witness.open_when_catalogued == set()
    assert witness.replaced() == []
    measured = 0
    for path, row in rows.items():
        # The number before the time can't be told from camera and start.
        assert row.path == f"1002/{path.name}".encode()
        assert row.state is State.PRESENT
        length = length_of(path)
        if length is None:
            continue
        assert errors(row, truth(path, born(path), length)) == [], path
        measured += 1
    assert measured >= 2
    made.stop()
    assert made.entries("recordings.quarantined") == []
    assert made.verify().ok
