"""Where the programs are, and how they are run."""
import os
import shutil
import subprocess
import sys
import warnings

_HERE = os.path.dirname(os.path.abspath(__file__))


class Error(Exception):
    """An error of a program. `message`: what it said; `code`: its exit code (docs/errors.md), 127 where the program is missing."""

    def __init__(self, message, code):
        super().__init__(f"{message} (exit code {code})")
        self.message = message
        self.code = code

    def __reduce__(self):
        return Error, (self.message, self.code)


def find(program):
    """The program's path: in the wheel, else on PATH."""
    inside = os.path.join(_HERE, "bin", program)
    path = inside if os.access(inside, os.X_OK) else shutil.which(program)
    if path is None:
        raise Error(f"{program} is neither in this package nor on PATH: install the wheel (tools/make_wheel.sh) or the programs", 127)
    _check_torch()
    return path


def _check_torch():
    """The wheel's programs need torch's libraries where pip lays them: beside this package."""
    libraries = os.path.join(os.path.dirname(_HERE), "torch", "lib")
    if os.path.isdir(os.path.join(_HERE, "libexec")) and not os.path.exists(os.path.join(libraries, "libtorch_cpu.so")):
        raise Error(f"{libraries}: no LibTorch there; install torch and uir into one environment", 127)


def run(program, *arguments):
    """Runs a program, for instance run("uir-train", "exp.yaml", "--resume"), and returns what it printed. Its warnings become
    Python's. Error if it fails."""
    done = subprocess.run([find(program), *map(os.fspath, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
    for line in done.stderr.splitlines():
        if line.startswith("warning: "):
            warnings.warn(f"{program}: {line[len('warning: '):]}", stacklevel=_depth())
    if done.returncode != 0:
        raise Error(_last_message(program, done.stderr), done.returncode)
    return done.stdout


def _depth():
    """Of the frame that called this package, counted from run."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back and os.path.dirname(frame.f_code.co_filename) == _HERE:
        depth, frame = depth + 1, frame.f_back
    return depth


def _last_message(program, text):
    """From the last line that the program signed to the end; all of it where there is none (a loader's error, say)."""
    begin = ("\n" + text).rfind(f"\n{program}: ")
    return text[max(begin, 0):].strip() or f"{program} ended without a word"


def main():
    """The console commands: the program of that name takes this process's place."""
    try:
        path = find(os.path.basename(sys.argv[0]))
    except Error as error:
        print(error.message, file=sys.stderr)
        return error.code
    os.execv(path, [path, *sys.argv[1:]])
