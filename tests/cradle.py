"""Where bots are born: forked from a process that has imported the program and done nothing else.

As a program: `python -m tests.cradle DOOR`; each connection to the door is told what became of one bot (tests.births).
"""

import gc
import json
import os
import select
import signal
import socket
import sys

from sqlalchemy.orm import configure_mappers

import bot.app  # noqa: F401 - so that it need not be imported by each of them
from bot.cli import main as debrief
from tests import doors
from tests.births import MOST_BYTES, NUMBER


def main(door: str) -> None:
    """Wait until nobody is left who could knock; this process starts no thread, so that its children may."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    configure_mappers()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        doors.opened(listening, door)
        while sys.stdin not in select.select([sys.stdin, listening], [], [])[0]:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                return attend(connection)
            connection.close()
    return None


def attend(connection: socket.socket) -> None:
    """Let one be born, tell its number and, in the end, its status."""
    said, (log,), *_ = socket.recv_fds(connection, MOST_BYTES, 1)
    while more := connection.recv(MOST_BYTES):
        said += more
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    born = os.fork()
    if born == 0:
        connection.close()
        return be_a_bot(log, **json.loads(said))
    os.close(log)
    connection.sendall(NUMBER.pack(born))
    _, status = os.waitpid(born, 0)
    connection.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def be_a_bot(log: int, *, env: dict[str, str], folder: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for end, taken in enumerate((nothing, log, log)):
        os.dup2(taken, end)
    os.close(nothing)
    os.close(log)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["debrief", "run"]
    debrief()


if __name__ == "__main__":
    main(sys.argv[1])
