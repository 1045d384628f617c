"""Published logs with the explorer's pages beside them, and a browser in front."""

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from retention.model.values import DAY, MINUTE
from retention.publication import explorer
from tests.support import browser as browsers
from tests.support.fixtures import published as published
from tests.support.publishing import VERIFIER, publish
from tests.support.story import START, Story

HOSTILE = "<img src=x onerror=alert(1)> & <script>alert(2)</script>"


class Log(NamedTuple):
    """A published log with the pages, its key, and how many entries it has."""

    directory: Path
    key: str
    size: int = 0

    def copy(self, to: Path) -> "Log":
        shutil.copytree(self.directory, to)
        return self._replace(directory=to)


@pytest.fixture(scope="module")
def browser():
    with browsers.chromium() as found:
        yield found


@pytest.fixture
def tab(browser):
    """A page whose console must have nothing to complain of in the end."""
    made = browsers.Tab(browser)
    yield made
    errors = made.errors
    made.close()
    assert errors == []


@pytest.fixture
def served():
    """Serves directories for as long as the test lasts."""
    with ExitStack() as stack:
        yield lambda log: stack.enter_context(browsers.served(log.directory))


@pytest.fixture(scope="module")
def real(published, tmp_path_factory):
    """What a real daemon deleted, held and published."""
    directory = tmp_path_factory.mktemp("real") / "log"
    shutil.copytree(published.log, directory)
    explorer.write(directory)
    return Log(directory, published.key)


def told() -> Story:
    """Four days of a site: three bundles, two of them full."""
    story = Story()
    story.add(
        "camera.added", camera=1, id="1001", kind="public_space", custody="council",
        source="list", location=HOSTILE,
    )  # fmt: skip
    story.add("camera.renumbered", camera=1, old="1001", new="2001")
    for day in range(4):
        story.now = START + day * DAY
        for number in range(60):
            rows = [story.row(length=MINUTE + n) for n in range(3)]
            story.delete(*rows, odd={1: "rescued"} if number % 2 else {})
        story.beat(7)
        story.place(START, START + DAY, hold=day + 1)
        story.release(story.ask(hold=day + 1), hold=day + 1)
        while story.size < 175 * (day + 1):
            story.beat(7)
    return story


@pytest.fixture(scope="module")
def story():
    return told()


@pytest.fixture(scope="module")
def long(story, tmp_path_factory):
    """A log of three bundles, with heads of earlier days in it."""
    directory = tmp_path_factory.mktemp("long") / "log"
    publish(directory, story.entries, [175, 350, story.size], kept=(175, 350))
    (directory / "FORMAT.md").write_text("as the program writes it\n")
    explorer.write(directory)
    return Log(directory, VERIFIER.vkey, story.size)
