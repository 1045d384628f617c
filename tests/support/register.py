"""A register of one's own: real SQLite, the real log, a clock that tests move."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from retention.catalogue import db, schema
from retention.model.values import DAY, HOUR, Actor
from retention.register.files import packed, write_new
from tests.support.json_schema import verb as verb_of
from tests.support.premises import Premises

EDITIONS = Path(__file__).parents[1] / "data" / "trafford-cctv"
START = 1_790_000_000_000_000
TABLES = ("camera", "camera_id", "entry", "entry_rows", "entry_camera", "fact")


class Register(Premises):
    """Verbs by name, each a day after the one before unless told otherwise."""

    SITE, HOST, PROGRAM, START = "leicester", "h", "p", START
    OWN = "Leicester City Council"

    def __init__(self, directory: Path) -> None:
        actor = Actor(uid=1, login=1, pid=2, role="administrator")
        super().__init__(directory, actor, log_id="l")
        self.step = DAY

    def __getattr__(self, verb: str) -> Any:
        def do(**arguments: Any) -> dict[str, Any]:
            self.now += self.step
            context = self.asked(SimpleNamespace(own_controller=self.OWN))
            path, file = arguments.pop("path", None), arguments.get("file")
            if path is not None or (file is not None and Path(file).exists()):
                arguments |= packed(path or file)
            propose = arguments.pop("propose", None)
            if propose is not None:
                arguments["propose"] = True
            answer = verb_of(f"camera.{verb}")(context, **arguments)
            json.dumps(answer, allow_nan=False)  # every answer is JSON
            if propose is not None:
                answer["wrote"] = propose if answer["text"] is not None else None
            if propose is not None and answer["text"] is not None:
                write_new(propose, answer["text"])
            return answer

        return do

    def file(self, content: str | bytes, name: str = "list.csv") -> str:
        """A file with that content; its path as it would be typed."""
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def load(self, content: str | bytes, **arguments: Any) -> dict[str, Any]:
        """Import a list that lies in a file of that content."""
        answer: dict[str, Any] = self.__getattr__("import")(
            path=self.file(content), **arguments
        )
        return answer

    def edition(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Import one of the council's published lists."""
        path = EDITIONS / f"cameras-{name}.csv"
        answer: dict[str, Any] = self.__getattr__("import")(path=str(path), **arguments)
        return answer

    def ids(self) -> list[str]:
        """Today's ids."""
        return [one["id"] for one in self.list(all=True)["cameras"] if one["current"]]

    def key(self, id: str) -> int:
        """The key of the camera of `id`."""
        return int(self.show(id=id)["key"])

    def footage(self, key: int) -> None:
        """A stream of that camera, as a scan opens it."""
        with self.catalogue.write(db.Priority.SCAN) as tx:
            tx.execute(
                schema.root.insert().prefix_with("OR IGNORE"),
                {"key": 1, "name": "nvr1", "path": "/x", "uuid": "u"},
            )
            tx.execute(
                schema.stream.insert().prefix_with("OR IGNORE"),
                {
                    "root": 1, "camera": key, "layout": "{camera}", "zone": "UTC",
                    "name": "n", "extension": ".mp4", "max_length": HOUR,
                },
            )  # fmt: skip

    def hold(self, key: int, free_at: int | None = None) -> int:
        """A hold on that camera; `free_at` where it was released."""
        return self.hold_camera(
            key, 1, 2, reference="", reason="", placed=1, placed_by=1, review=1,
            released=free_at and 1, free_at=free_at,
        )  # fmt: skip

    def state(self) -> dict[str, list[Any]]:
        """All that the register may change, to see that nothing was changed."""
        with self.catalogue.read() as tx:
            return {
                table: tx.exec_driver_sql(f"SELECT * FROM {table}").all()
                for table in TABLES
            }

    def entries(self, *kinds: str) -> list[dict[str, Any]]:
        """The log's entries of these kinds, oldest first."""
        with self.catalogue.read() as tx:
            found = tx.exec_driver_sql("SELECT bytes FROM entry ORDER BY number")
            read = [json.loads(data) for (data,) in found]
        return [one for one in read if one["kind"] in kinds]
