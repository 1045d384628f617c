"""Late deliveries as alarms: one a root, camera and hour of arrival."""

from collections.abc import Mapping

from sqlalchemy import Connection

from retention.catalogue import cameras, deliveries
from retention.catalogue.db import Transaction
from retention.catalogue.deliveries import Delivery
from retention.control import alarms, guards
from retention.control.alarms import Condition
from retention.footage.ingest.intake import Parts
from retention.model.localtime import format_duration, format_utc
from retention.model.values import Micros


def named(tx: Connection, root: int, name: str) -> dict[str, Delivery]:
    """The late deliveries of a root of that name, each by what people call it:
    root/camera/hour of arrival."""
    found = deliveries.of_root(tx, root)
    ids = {camera.key: camera.id for camera in cameras.everyone(tx)} if found else {}
    return {
        f"{name}/{ids[one.camera]}/{format_utc(one.hour)[:13]}Z": one for one in found
    }


def find(tx: Connection, parts: Parts) -> Mapping[str, Condition]:
    """The alarms that the late files of a root are due, by scope."""
    return {
        scope: Condition(
            f"{_files(one.files)} of {format_utc(one.oldest)} to "
            f"{format_utc(one.newest)} arrived up to "
            f"{format_duration(one.delay)} after their own end: kept from their "
            "arrival, and held by any hold on the camera",
            (one.camera,),
        )
        for scope, one in named(tx, parts.root.key, parts.root.name).items()
    }


def settle(
    tx: Transaction, parts: Parts, found: Mapping[str, Condition], now: Micros
) -> None:
    """Raise these, and end those of the root whose files are no more in doubt, or are
    since their whole stream is: alarm *stream* has them then."""
    over = "none of its files is in quarantine for that alone any more"
    alarms.settle(tx, now, guards.LATE, found, root=parts.root.name, over=over)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"
