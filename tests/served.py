"""The local API of a site, in the test's own process, without the daemon around it."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from retention import clock
from retention.api.desk import Desk
from retention.api.server import Server
from retention.audit.log import Log
from retention.catalogue import db
from retention.instance import exclusive
from retention.reserve import Reserve
from retention.settings import Settings, load


@contextmanager
def served(config: Path | Settings, **parts: Any) -> Iterator[Desk]:
    """Answer on the configuration's socket for the block, as the only writer.

    `parts` are the desk's: `gate`, `look`, `now` ...
    """
    settings = config if isinstance(config, Settings) else load(config, {})
    faults: list[BaseException] = []
    log = Log(site=settings.site, host=socket.gethostname(), program="retention test")
    path = settings.state_directory / db.NAME
    with exclusive(settings.state_directory), closing(db.open_(path)) as catalogue:
        parts.setdefault("now", lambda: clock.read().wall)
        parts.setdefault("crashed", lambda _verb, error: faults.append(error))
        parts.setdefault("make_room", lambda: _make_room(settings, path))
        desk = Desk(settings, catalogue, log, **parts)
        server = Server(settings.socket, desk.respond, look_seconds=0.01)
        server.start()
        try:
            yield desk
        finally:
            assert server.stop(10), "a request hangs"
            settings.socket.unlink()
    if faults:
        raise faults[0]


def _make_room(settings: Settings, path: Path) -> bool:
    return db.out_of_room(path) and Reserve(settings.state_directory).release()
