"""Batches that can't be finished: their disk was replaced before anyone looked again."""

from collections import Counter

from sqlalchemy import Connection

from retention.audit.log import Log
from retention.catalogue import batches
from retention.deletion.completion import Result, completion
from retention.deletion.items import items_of
from retention.model import Actor, Micros, Outcome


def abandon(tx: Connection, log: Log, actor: Actor, root: int, now: Micros) -> int:
    """Complete every open intent of a root whose disk is another one now.

    What became of the files is not known and never will be, so none is called deleted:
    each has failed, and its row is present again until the new disk says that the file
    is lost.  Returns the number of batches.
    """
    intents = batches.open_batches(tx, root)
    for intent in intents:
        items = items_of(tx, intent)
        outcomes = [Outcome.FAILED] * len(items)
        batches.put_back(tx, [item.key for item in items])
        batches.close_batch(tx, intent)
        result = Result(intent, Counter(outcomes), 0, 0, [])
        log.append(tx, completion(result, outcomes, now, actor))
    return len(intents)
