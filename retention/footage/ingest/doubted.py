"""Streams that come into doubt: noted and entered."""

from retention.catalogue import doubtful_times
from retention.catalogue.db import Transaction
from retention.catalogue.doubtful_times import NAMED, WrongTimes
from retention.footage.ingest.placing import Placed
from retention.model.arrivals import MANY
from retention.model.values import Micros


def note(tx: Transaction, placed: Placed, now: Micros) -> None:
    """Keep what is known of a stream's last recordings, and put it in doubt where that
    looks wrong."""
    key, wrong = placed.stream.key, placed.wrong
    if doubtful_times.arrivals(tx, key) != placed.arrivals:
        doubtful_times.put_arrivals(tx, key, placed.arrivals)
    if placed.fits is not None:
        doubtful_times.fits(tx, key, placed.fits)
    if placed.mended:
        doubtful_times.mended(tx, key)
    if wrong is None:
        return
    # Hourly files of a zone that is one hour out look so too: one ruling is on both.
    named = [WrongTimes(NAMED)] if placed.arrivals.named >= MANY else []
    doubtful_times.doubt(tx, key, [wrong, *named], now)
