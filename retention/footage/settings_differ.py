"""Where the settings name recordings otherwise than their streams, which are frozen.

What was catalogued under other settings stays as it was then: of another camera, by
another layout or zone.  Whether that is meant only people can say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from retention.catalogue import cameras, roots, streams
from retention.control.alarms import Condition, Stands
from retention.model.layouts.presets import preset_or_template

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.control.context import Context
    from retention.model.values import Stream
    from retention.site.settings import RootSettings, Settings


def differences(context: Context, tx: Connection) -> Stands:
    """What alarm `settings` says, by "root/name"."""
    return Stands(found(tx, context.settings))


def found(tx: Connection, settings: Settings) -> dict[str, Condition]:
    """By "root/name" where recordings that are there differ from what the settings say."""
    known = {row.name: row for row in roots.everyone(tx)}
    labels, today = cameras.labels(tx), cameras.current(tx)
    said: dict[str, list[str]] = defaultdict(list)
    concerned: dict[str, set[int]] = defaultdict(set)
    for setting in settings.root:
        root, layout = known.get(setting.name), preset_or_template(setting.layout)
        for stream in [] if root is None else streams.in_use(tx, root.key):
            scope = f"{setting.name}/{stream.name}"
            meant = today.get(setting.cameras.get(stream.name, stream.name))
            for sentence in _differences(
                labels[stream.camera], setting, layout.template, stream
            ):
                # Who asks for the right camera's footage has to hear of it too.
                concerned[scope] |= {stream.camera, *([meant.key] if meant else [])}
                if sentence not in said[scope]:
                    said[scope].append(sentence)
    return {
        scope: Condition("; ".join(sentences), tuple(sorted(concerned[scope])))
        for scope, sentences in said.items()
    }


def _differences(
    labels: Sequence[cameras.Label],
    setting: RootSettings,
    layout: str,
    stream: Stream,
) -> Iterator[str]:
    wanted = setting.cameras.get(stream.name, stream.name)
    # Ids move, a recorder's names don't: any that the camera ever had will do.
    if wanted not in [label for label, _, _ in labels]:
        yield (
            f"the settings name camera {wanted} for it, and recordings of it are those "
            f"of camera {labels[-1][0]}"
        )
    if stream.layout != layout:
        yield (
            f"the settings say that files are named {layout}, and recordings of it were "
            f"named {stream.layout}"
        )
    if stream.zone != setting.timezone:
        yield (
            f"the settings say time zone {setting.timezone}, and recordings of it were "
            f"read as {stream.zone}"
        )
