"""What Bash makes of command lines when Tab is pressed at their ends: drive_completion.py FOLDER WANTED…, a line each
"typed -> completed"; FOLDER holds the completions. A real, interactive Bash on a terminal of its own."""
import os
import pty
import select
import sys
import time


def read_until(terminal, mark, seconds=300):
    text, end = b"", time.monotonic() + seconds
    while mark not in text:
        if time.monotonic() > end:
            sys.exit(f"Bash did not answer; it said {text!r}")
        if select.select([terminal], [], [], 0.2)[0]:
            text += os.read(terminal, 65536)
    return text.decode()


def main():
    folder, wanted = sys.argv[1], [line.split(" -> ") for line in sys.argv[2:]]
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(PS1="", TERM="dumb", COLUMNS="1000")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    # Beside Tab, only keys that take the line as it is and print it.
    os.write(terminal, b"stty -echo cols 1000; bind 'set bell-style none'; bind 'set completion-query-items 0'\n")
    for name in sorted(os.listdir(folder)):
        os.write(terminal, f". {folder}/{name}\n".encode())
    os.write(terminal, b"echo rea''dy\n")
    read_until(terminal, b"ready")
    wrong = 0
    for typed, completed in wanted:
        # Ctrl-A, Ctrl-E: to the line's begin and end.
        os.write(terminal, typed.encode() + b"\t" + b"\x01echo '<\x05>'\n")
        got = read_until(terminal, b">\r\n").rsplit("<", 1)[1].split(">")[0]
        if got != completed:
            print(f"'{typed}' becomes '{got}', expected '{completed}'")
            wrong += 1
    os.write(terminal, b"exit\n")
    os.waitpid(process, 0)
    sys.exit(1 if wrong else 0)


main()
