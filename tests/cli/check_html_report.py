"""check_html_report.py FOLDER: report.html is well-formed, loads nothing but its pictures, and says the same as report.json."""
import html.parser
import json
import math
import os
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

folder = sys.argv[1]
report = json.load(open(f"{folder}/report.json"))
text = open(f"{folder}/report.html", encoding="utf-8").read()

html.parser.HTMLParser().feed(text)
page = ElementTree.fromstring(text)  # XML too, its drawings included
XHTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
pictures = []
for element in page.iter():
    if element.tag == XHTML + "img":
        pictures.append(urllib.parse.unquote(element.get("src")))
        assert open(f"{folder}/{pictures[-1]}", "rb").read(8) == b"\x89PNG\r\n\x1a\n", pictures[-1]
        continue
    assert "src" not in element.attrib, element.tag
    assert element.tag != XHTML + "link", element.attrib
    assert element.get("href", "#").startswith("#"), element.attrib


def values(cells):
    data = [cell.find(XHTML + "data") for cell in cells]
    return [None if d is None else float(d.get("value")) for d in data]


# The comparison's table: a value per model, and from the second on the difference to the first.
rows = {}
for body in page.find(f".//{XHTML}table[@id='comparison']").findall(XHTML + "tbody"):
    for row in body.findall(XHTML + "tr[@data-number]"):
        rows[body.get("data-protocol"), row.get("data-number")] = row.findall(XHTML + "td")
numbers = 0
for p, protocol in enumerate(report["comparison"]["protocols"]):
    for number in protocol["numbers"]:
        cells = rows.pop((protocol["name"], number["name"]))
        shown = [cells[0]] + cells[1::2]
        assert values(shown) == number["values"], (protocol["name"], number)
        assert values(cells[2::2]) == number["differences"][1:], (protocol["name"], number)
        assert [cell.get("class") == "best" for cell in shown] == number["best"], (protocol["name"], number)
        for m, model in enumerate(report["models"]):
            assert model["protocols"][p]["numbers"][number["name"]] == number["values"][m]
        numbers += 1
assert numbers > 0 and not rows, rows

# Every curve's vertices lie where its points say: log FAR is linear in x with 1 at the right edge, TAR linear in y.
curves = 0
for group in page.iterfind(f".//{XHTML}div[@data-curves]"):
    data = json.loads(group.find(XHTML + "script").text)
    if data["columns"][:2] != ["far", "tar"]:
        continue
    roc = group.find(f".//{SVG}svg[@class='area']")
    width = float(roc.get("width"))
    for line, points in zip(roc.findall(SVG + "polyline"), data["points"]):
        vertices = [tuple(map(float, v.split(","))) for v in line.get("points").split()]
        points = [[float(v or "nan") for v in point.split(",")] for point in points.split(";")]
        assert len(vertices) == len(points)
        assert vertices[-1] == (width, 0.0) and points[-1][:2] == [1.0, 1.0], vertices[-1]
        decades = [width * math.log10(p[0]) / (v[0] - width)
                   for v, p in zip(vertices, points) if 0 < v[0] < width - 20 and p[0] > 0]
        assert all(abs(d - round(d)) < 0.02 for d in decades), decades
        assert len({round(d) for d in decades}) <= 1, decades
        curves += 1
expected = sum("roc" in p["details"] for m in report["models"] for p in m["protocols"])
assert curves == expected, (curves, expected)

# The hardest pairs, hardest first, each with its picture; no picture without a pair.
named = []
for model in report["models"]:
    for protocol in model["protocols"]:
        for kind in protocol["details"].get("hardest", []):
            scores = [pair["score"] for pair in kind["pairs"]]
            assert scores == sorted(scores, reverse=kind["kind"] != "genuine"), (protocol["name"], scores)
            assert 0 < len(scores) <= 12
            named += [pair["picture"] for pair in kind["pairs"] if "picture" in pair]
assert pictures == named, (pictures, named)
files = os.listdir(f"{folder}/pictures") if os.path.isdir(f"{folder}/pictures") and named else []
assert sorted("pictures/" + file for file in files) == sorted(named)
print(f"{folder}: {numbers} numbers, {curves} curves, {len(pictures)} pictures")
