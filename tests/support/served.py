"""The local API of a site, in the test's own process, without the daemon around it."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from retention.catalogue import db
from retention.catalogue.log import Log
from retention.control.alarms import Alarms
from retention.control.gate import Gate
from retention.model.values import Actor
from retention.service.api.dispatch import Dispatch
from retention.service.api.server import Server
from retention.service.core import Core
from retention.service.timekeeper import Judged
from retention.site import clock
from retention.site.caller import UNSET_LOGIN
from retention.site.instance import exclusive
from retention.site.reserve import Reserve
from retention.site.settings import Settings, load
from tests.support.json_schema import answered
from tests.support.law import obeyed

SERVICE = Actor(0, UNSET_LOGIN, 1, "service")


@contextmanager
def served(config: Path | Settings, **parts: Any) -> Iterator[Dispatch]:
    """Answer on the configuration's socket for the block, as the only writer.

    `parts` are the dispatch's: `look`, `publish`.
    """
    settings = config if isinstance(config, Settings) else load(config, {})
    faults: list[BaseException] = []
    log = Log(site=settings.site, host=socket.gethostname(), program="retention test")
    path = settings.state_directory / db.NAME
    with exclusive(settings.state_directory), closing(db.open_(path)) as catalogue:
        core = Core(
            settings, catalogue, log, SERVICE, Gate(),
            Reserve(settings.state_directory), Alarms(catalogue, log, SERVICE),
            lambda: Judged(clock.read().wall, True, None, past=False, changed=False),
            crashed=lambda _name, error: faults.append(error),
        )  # fmt: skip
        desk = _Checked(core, crashed=core.crashed, **parts)
        server = Server(
            settings.socket, desk.respond, look_seconds=0.01, door=desk.door
        )
        server.start()
        try:
            yield desk
        finally:
            assert server.stop(120), "a request hangs"
            settings.socket.unlink()
        if faults:
            raise faults[0]
        desk.denials.flush(clock.monotonic(), all_=True)
        obeyed(catalogue)


class _Checked(Dispatch):
    """Each answer is one that `retention api schema` describes."""

    def perform(self, verb: str, given: dict[str, Any], who: Actor) -> dict[str, Any]:
        return answered(verb, super().perform(verb, given, who))
