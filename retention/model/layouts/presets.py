"""Known recorders: how each names its files, what else it leaves in a root.

Owns the presets and the glob patterns of files that are never recordings.  Pure.

Source of templates, zones, lengths and exclusions: section 12 of the field study of
recorders; of the ffmpeg names: the ones made in trials.  Globs: "*" and "?" stay
within a name, "**/" is any directories or none, a final "/**" is the directory
itself and all below it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from retention.model.errors import SettingsError
from retention.model.layouts.template import EXAMPLE, kinds_of
from retention.model.values import HOUR, MINUTE, SECOND, Micros

# Never footage, whoever wrote them: our own two files, keepers of empty
# directories, players' lists, motionEye's thumbnails, ffmpeg's segment lists and
# the header that every fMP4 fragment of Viseron's needs to be played at all.
_COMMON = (
    ".cctv-retention-root",
    ".cctv-retention-head",
    "**/.keep",
    "**/init.mp4",
    "**/lastsnap.jpg",
    "**/*.thumb",
    "thumbnails/**",
    "**/*.csv",
    "**/*.m3u8",
    "**/*.ffconcat",
)
# ZoneMinder's and other recorders' names for what they still write.
_UNFINISHED = ("**/incomplete.*", "**/*.tmp", "**/*.part")


@dataclass(frozen=True, slots=True)
class Preset:
    """What is known of a recorder, or assumed of a template of the user's own.

    `zone` is that of the names, None where settings must say it.  `excluded` and
    `in_progress` are globs of paths below the root: never ours, and not finished.
    `stable_after` is how long a file must be unchanged to count as finished,
    `max_length` what no recording is longer than (both microseconds; settings
    override them).
    """

    name: str
    template: str
    zone: str | None = None
    excluded: tuple[str, ...] = _COMMON
    in_progress: tuple[str, ...] = _UNFINISHED
    stable_after: Micros = 30 * SECOND
    max_length: Micros = HOUR


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        # Names are the host's local time, and have been seen to flip to UTC within
        # a stream (#5451): such a name disagrees with its mtime or its neighbours.
        # A segment is cut at the first key frame after its hour.
        Preset(
            "mediamtx",
            "{camera}/%Y-%m-%d_%H-%M-%S-%f.{ext:mp4|ts}",
            max_length=HOUR + MINUTE,
        ),
        # Frigate 0.12 and later; the root is its recordings directory.  The others
        # are excluded for roots one level up, and a cache mapped into the root.
        Preset(
            "frigate",
            "%Y-%m-%d/%H/{camera}/%M.%S.mp4",
            zone="UTC",
            excluded=(*_COMMON, "exports/**", "clips/**", "previews/**"),
            in_progress=(*_UNFINISHED, "**/*@*.mp4"),
            max_length=10 * MINUTE,
        ),
        # The segment muxer with -strftime 1; each name carries its offset, and the
        # zone is needed to write it again.
        Preset("ffmpeg", "{camera}_%Y%m%dT%H%M%S%z.{ext:mp4|mkv|ts}"),
        # Names begin with the event's number, which nobody can foretell.  Pictures
        # and time-lapse films are not excluded: they show people, so they are
        # reported as unknown files.
        Preset(
            "motion",
            "{camera}/{any}-%Y%m%d%H%M%S.{ext:mkv|mp4|mov|flv|ogg|webm|mpg|avi}",
            max_length=3 * MINUTE,
        ),
    )
}
"""By name.  Motion films an event for at most 2 minutes unless told otherwise."""


def preset_or_template(text: str) -> Preset:
    """The preset of that name, or one with the defaults for a template.

    Raises SettingsError where `text` is neither; a template is checked as far as
    that is possible without its zone.
    """
    preset = PRESETS.get(text)
    if preset is not None:
        return preset
    if not re.search(r"[%{/.]", text):
        close = get_close_matches(text.lower(), PRESETS, n=1)
        meant = f'write "{close[0]}"' if close else f'write one such as "{EXAMPLE}"'
        raise SettingsError(
            f'The layout "{text}" is neither a preset ({", ".join(sorted(PRESETS))}) '
            f"nor a template: {meant}."
        )
    kinds = kinds_of(text)
    return Preset(text, text, zone="UTC" if "s" in kinds and "z" not in kinds else None)


def is_excluded(preset: Preset, path: bytes) -> bool:
    """Whether a path below the root is a file or directory that is never footage."""
    return _matcher(preset.excluded)(path) is not None


def is_in_progress(preset: Preset, path: bytes) -> bool:
    """Whether a path below the root bears a name that its recorder will change."""
    return _matcher(preset.in_progress)(path) is not None


@lru_cache(maxsize=64)
def _matcher(globs: tuple[str, ...]) -> Callable[[bytes], Any]:
    # One expression for all; (?!) matches nothing where there are no globs.
    pattern = b"|".join(_expression(glob) for glob in globs) or b"(?!)"
    return re.compile(pattern, re.DOTALL).fullmatch


_GLOB = re.compile(r"\*\*/|/\*\*$|[*?]|[^*?/]+|/")
_WILD = {"**/": rb"(?:.*/)?", "/**": rb"(?:/.*)?", "*": rb"[^/]*", "?": rb"[^/]"}


def _expression(glob: str) -> bytes:
    return b"".join(
        _WILD.get(piece) or re.escape(piece.encode()) for piece in _GLOB.findall(glob)
    )
