"""A real browser in front of the explorer's pages: Debian's Chromium, and a plain server.

`wait_for_function` compiles code in the page, which its policy forbids: wait for what is
on the screen with `expect`.
"""

import http.server
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import Queue

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from retention.publication.explorer import POLICY

PATIENCE = 60_000
"""Milliseconds that something may take on a busy machine."""

UNSAFE = "log.example"

expect.set_options(timeout=PATIENCE)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Files, and the header that the manual tells to send."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.told.put(self.rfile.read(length).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(directory: Path, told: Queue | None = None) -> Iterator[str]:
    """The address under which the files of a directory are served; `told` gets what is
    posted there."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Handler, directory=str(directory))
    )
    server.told = told
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's; Playwright's own browsers are not to be had everywhere.  To it `UNSAFE` is
    this machine, from which pages do not come safely."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", f"--host-resolver-rules=MAP {UNSAFE} 127.0.0.1"],
        )
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """One page, what its console said, and where it asked for anything."""

    def __init__(self, browser: Browser) -> None:
        self.page: Page = browser.new_page(viewport={"width": 1100, "height": 900})
        self.page.set_default_timeout(PATIENCE)
        self.told: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda one: self.told.append(f"{one.type}: {one.text}"))
        self.page.on("pageerror", lambda error: self.told.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, address: str, key: str = "") -> "Tab":
        """Go to the pages there; with a key, check the log."""
        self.page.goto(f"{address}/explorer/index.html")
        if key:
            self.give(key)
        return self

    def pick(self, directory: Path) -> "Tab":
        """Open the pages in a directory as files, and pick that directory there."""
        self.page.goto((directory / "explorer" / "index.html").as_uri())
        self.page.set_input_files("#directory", directory)
        return self

    def give(self, key: str) -> "Tab":
        self.page.fill("#key", key)
        self.page.click("#key-form button")
        return self

    def says(self, place: str, text: str) -> str:
        """What is at that place by the time it has that text."""
        expect(self.page.locator(f"#{place}")).to_contain_text(text)
        return self.page.inner_text(f"#{place}")

    def bring(self, name: str, data: bytes | str) -> "Tab":
        """Choose a file with an older head."""
        raw = data.encode() if isinstance(data, str) else data
        self.page.set_input_files(
            "#older-file", {"name": name, "mimeType": "text/plain", "buffer": raw}
        )
        return self

    def about(self, camera: str, day: str, hour: int) -> str:
        """Search by camera and hour, in UTC."""
        self.page.select_option("#zone", "UTC")
        self.page.fill("#camera", camera)
        self.page.fill("#camera-day", day)
        self.page.select_option("#camera-hour", str(hour))
        self.page.click("#camera-form button")
        self.says("found-title", f"Camera {camera} from {day} {hour:02}:00:00")
        return self.page.inner_text("#found-section")

    def show(self, number: int) -> str:
        """One entry by its number."""
        self.page.fill("#number", str(number))
        self.page.click("#number-form button")
        return self.says("entry-title", f"Entry {number}:")

    def idle(self) -> "Tab":
        """Nothing is going on any more."""
        expect(self.page.locator("#doing")).to_be_hidden()
        return self

    def violations(self) -> list[str]:
        """What axe finds wrong for people who see or handle a page otherwise."""
        # It must not load style sheets again: a page from a file may not.
        found = Axe().run(self.page, options={"preload": False}).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]

    def picture(self, name: str) -> None:
        """Keep it where SCREENSHOTS says, if it does."""
        if directory := os.environ.get("SCREENSHOTS"):
            Path(directory).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{directory}/{name}.png", full_page=True)

    @property
    def errors(self) -> list[str]:
        """What the console complained of."""
        return [one for one in self.told if one.startswith(("error", "warning"))]

    def close(self) -> None:
        self.page.close()
