"""Runs the Python blocks of a page, in order and in one namespace: python_blocks.py PAGE [PACKAGE…]

A block begins with "```python"; words behind it are packages that it needs beside NumPy. Blocks whose packages are all named run,
others are left out; the last line says how many of each. The page's "```yaml exp.yaml" block is written into the current folder first.
"""
import sys
import traceback


def main(page, *packages):
    lines = open(page, encoding="utf-8").read().split("\n")
    namespace = {"__name__": "__main__"}
    ran = left_out = 0
    begin = None
    for number, line in enumerate(lines, 1):
        if begin is None and line.startswith("```"):
            begin, words = number, line[3:].split()
        elif line == "```":
            text = "\n".join(lines[begin:number - 1]) + "\n"
            if words == ["yaml", "exp.yaml"]:
                with open("exp.yaml", "w", encoding="utf-8") as file:
                    file.write(text)
            elif words[:1] == ["python"] and set(words[1:]) <= set(packages):
                try:
                    exec(compile("\n" * begin + text, page, "exec"), namespace)  # so that errors name the page's lines
                except Exception:
                    traceback.print_exc()
                    sys.exit(f"{page}: the block of line {begin} fails")
                ran += 1
            elif words[:1] == ["python"]:
                left_out += 1
            begin = None
    if ran == 0:
        sys.exit(f"{page}: no block ran")
    print(f"{page}: {ran} blocks ran, {left_out} of other packages did not")


if __name__ == "__main__":
    main(*sys.argv[1:])
