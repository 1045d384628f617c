"""What a person's process runs: orders on standard input, replies on standard output.

Needs nothing but the standard library, since it runs as somebody else.
"""

import base64
import json
import socket
import sys
import time

open_connections = []


def connect(order):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(120)
    for _ in range(12_000):
        try:
            made.connect(order["socket"])
            return made
        except BlockingIOError:  # its queue is full
            time.sleep(0.01)
    raise SystemExit("the queue stays full")


def exchange(order):
    connection, answer, error, sent = connect(order), b"", None, 0
    try:
        for chunk in order["chunks"]:
            connection.sendall(base64.b64decode(chunk))
            time.sleep(order["pause"])
        piece = b"x" * 65536
        while sent < order.get("stream", 0):
            connection.sendall(piece)
            sent += len(piece)
        if order.get("shut"):
            connection.shutdown(socket.SHUT_WR)
    except OSError as failed:
        error = type(failed).__name__
    try:
        while data := connection.recv(65536):
            answer += data
    except OSError as failed:
        error = error or type(failed).__name__
    connection.close()
    return {"answer": base64.b64encode(answer).decode(), "error": error, "sent": sent}


def carry_out(order):
    if "idle" in order:
        open_connections.extend(connect(order) for _ in range(order["idle"]))
        return {"open": len(open_connections)}
    if "times" in order:
        statuses = set()
        for _ in range(order["times"]):
            answer = base64.b64decode(exchange(order)["answer"])
            statuses.add(int(answer.split(b" ", 2)[1]))
        return {"statuses": sorted(statuses)}
    return exchange(order)


for line in sys.stdin:
    print(json.dumps(carry_out(json.loads(line))), flush=True)
