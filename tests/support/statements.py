"""What is asked of the database: every statement while it is listened to."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


class Statements(list[str]):
    """`with Statements() as asked:` has those that began meanwhile, in any thread."""

    def __enter__(self) -> "Statements":
        event.listen(Engine, "before_cursor_execute", self._before)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._before)

    def _before(self, *given: Any) -> None:
        self.append(given[2])
