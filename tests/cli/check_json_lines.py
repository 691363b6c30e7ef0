"""Holds what a program wrote on standard error under --json against docs/programs.md:
check_json_lines.py FILE PROGRAM EXIT_CODE [PHASE…]; each phase must be there and end with all done. Prints the error."""
import json
import sys

PROGRESS = {"program", "phase", "done", "total", "unit", "eta_s"}
MESSAGE = {"program", "level", "message"}


def main():
    file, program, code, phases = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    lines = [json.loads(line) for line in open(file, encoding="utf-8")]  # nothing else stands there
    last, done = lines.pop(), {}
    assert last.pop("program") == program and last.pop("exit_code") == code, last
    error = last.pop("error", "")
    assert not last and bool(error) == (code != 0), (last, error)
    for line in lines:
        assert line["program"] == program, line
        if "phase" not in line:
            assert set(line) - {"rank"} == MESSAGE and line["level"] in ("info", "warning", "error"), line
            continue
        assert set(line) == PROGRESS, line
        assert line["total"] is None or 0 <= line["done"] <= line["total"], line
        assert line["eta_s"] is None or line["eta_s"] >= 0, line
        before = done.get(line["phase"], {"done": 0, "total": line["total"], "unit": line["unit"]})
        assert line["done"] >= before["done"] and line["total"] == before["total"] and line["unit"] == before["unit"], (before, line)
        done[line["phase"]] = line
    for phase in phases:
        assert phase in done, f"{phase} is not among {sorted(done)}"
        assert done[phase]["total"] in (None, done[phase]["done"]), done[phase]
    print(error)


main()
