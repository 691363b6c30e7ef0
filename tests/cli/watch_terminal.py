"""Runs a command on a terminal of its own until it has shown a text, ends it, and prints what the terminal was sent:
watch_terminal.py TEXT COMMAND…"""
import os
import pty
import select
import signal
import sys
import time


def main():
    mark, command = sys.argv[1].encode(), sys.argv[2:]
    process, terminal = pty.fork()
    if process == 0:
        os.execvp(command[0], command)
    text, end = b"", time.monotonic() + 300
    while mark not in text and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                text += os.read(terminal, 65536)
            except OSError:  # the command has ended
                break
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    sys.stdout.buffer.write(text)
    sys.exit(0 if mark in text else 1)


main()
