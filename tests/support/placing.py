"""A process that places holds one after the other, as fast as it is answered.

Its input is one JSON object: the socket, cameras with the start of each recording and
its path, the recordings' length in seconds, how many holds, a seed.  Each hold is near
where deletion is by now.  It prints a line for each: what the answer said, and which of
the files were there when it came.
"""

import http.client
import json
import os
import random
import socket
import sys
import time
from typing import Any


class Connection(http.client.HTTPConnection):
    """To the service's socket."""

    def __init__(self, address: str) -> None:
        super().__init__("localhost", timeout=120)
        self.address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        self.sock.connect(self.address)


def utc(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def asked(address: str, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
    connection = Connection(address)
    connection.request("POST", f"/v1/{verb}", json.dumps(arguments))
    reply = connection.getresponse()
    said: dict[str, Any] = json.loads(reply.read())
    connection.close()
    assert reply.status == 200, said
    return said


def frontier(recordings: list[tuple[int, str]]) -> int:
    """How many are gone: deletion goes from the oldest on."""
    low, high = 0, len(recordings)
    while low < high:
        middle = (low + high) // 2
        if os.path.exists(recordings[middle][1]):
            high = middle
        else:
            low = middle + 1
    return low


def main(order: dict[str, Any]) -> None:
    chance = random.Random(order["seed"])
    for _ in range(order["holds"]):
        camera = chance.choice(sorted(order["cameras"]))
        recordings = order["cameras"][camera]
        near = frontier(recordings) + chance.randrange(-5, 40)
        first = min(max(near, 0), len(recordings) - 1)
        window = recordings[first : first + chance.randrange(1, 6)]
        said = asked(order["socket"], "hold.place", {
            "cameras": [camera], "since": utc(window[0][0]),
            "until": utc(window[-1][0] + order["length"]), "margin": "0",
            "kind": "internal", "reference": "7", "reason": "crowd",
        })  # fmt: skip
        files = [path for _, path in window]
        print(json.dumps({
            "asked": files, "there": [p for p in files if os.path.exists(p)],
            "protected": said["total"]["recordings"],
            "follows": said["outcome_follows"],
            "deleted": sum(
                span["recordings"] for one in said["cameras"] for span in one["deleted"]
            ),
        }), flush=True)  # fmt: skip


if __name__ == "__main__":
    main(json.load(sys.stdin))
