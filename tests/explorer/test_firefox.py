"""Firefox checks a log too: a page that drives the explorer's own says what it came to."""

import os
import subprocess
from queue import Queue

from tests.support import needs
from tests.support.browser import served

pytestmark = needs.firefox

DRIVER = """
addEventListener("load", async () => {
  byId("key").value = %r;
  await checkLog();
  await checkEverything();
  await showEntry(7);
  const told = ["verdict", "refused", "entry"].map((id) => byId(id).textContent);
  await fetch("/told", { method: "POST", body: told.join("\\n") });
});
"""

QUIET = """
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
user_pref("app.normandy.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
"""


def ask(log, tmp_path):
    """What the page says in Firefox."""
    pages = log.directory / "explorer"
    text = (pages / "index.html").read_text()
    drive = '<script src="drive.js" defer></script>\n</head>'
    (pages / "driven.html").write_text(text.replace("</head>", drive))
    (pages / "drive.js").write_text(DRIVER % log.key)
    profile = tmp_path / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(QUIET)
    told: Queue = Queue()
    with served(log.directory, told) as address:
        words = ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile)]
        firefox = subprocess.Popen(
            [*words, f"{address}/explorer/driven.html"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": str(tmp_path)},
        )
        try:
            return told.get(timeout=240)
        finally:
            firefox.terminate()
            firefox.wait()


def test_firefox_checks_signature_entries_and_rows(long, tmp_path):
    said = ask(long.copy(tmp_path / "log"), tmp_path)
    assert "SIGNED: the head (checkpoint) of leicester/" in said
    assert f"CHECKED: all {long.size} entries" in said
    assert "PROVEN: all 3 rows" in said
    assert "REFUSED" not in said


def test_firefox_refuses_what_was_changed(long, tmp_path):
    log = long.copy(tmp_path / "log")
    path = log.directory / "tile/0/001"
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    said = ask(log, tmp_path)
    assert "REFUSED: The tile tile/0/001 was changed" in said
    assert "CHECKED" not in said
