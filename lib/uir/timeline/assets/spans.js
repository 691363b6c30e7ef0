"use strict";
// Times are whole ticks from the container's start. Spans are flat: [begin, end, begin, end, …], half-open,
// ascending, disjoint.

function spanTotal(spans) {
  let total = 0;
  for (let i = 0; i < spans.length; i += 2) total += spans[i + 1] - spans[i];
  return total;
}

// The place of the last span that begins at the tick or before; -2 if there is none.
function lastBegun(spans, tick) {
  let low = 0, high = spans.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[2 * middle] <= tick) low = middle + 1; else high = middle;
  }
  return 2 * low - 2;
}

// The place of the span that holds the tick, or -1.
function spanAt(spans, tick) {
  const i = lastBegun(spans, tick);
  return i >= 0 && tick < spans[i + 1] ? i : -1;
}

function nextBegin(spans, tick) {
  const i = lastBegun(spans, tick) + 2;
  return i < spans.length ? spans[i] : null;
}

function previousBegin(spans, tick) {
  const i = lastBegun(spans, tick - 1);
  return i >= 0 ? spans[i] : null;
}

function united(lists) {
  const pairs = lists.flatMap(spans => spans.flatMap((begin, i) => i % 2 ? [] : [[begin, spans[i + 1]]]));
  const all = [];
  for (const [begin, end] of pairs.sort((a, b) => a[0] - b[0])) {
    if (all.length && begin <= all[all.length - 1]) all[all.length - 1] = Math.max(all[all.length - 1], end);
    else all.push(begin, end);
  }
  return all;
}

// "1:02:03.040": what a person reads and types; down to thousandths if exact.
function timeText(seconds, exact) {
  const thousandths = exact ? Math.floor(Math.abs(seconds) * 1000 + 1e-3) : Math.round(Math.abs(seconds)) * 1000;
  const two = n => String(n).padStart(2, "0");
  const h = Math.floor(thousandths / 3600000), m = Math.floor(thousandths / 60000) % 60;
  const s = Math.floor(thousandths / 1000) % 60;
  const rest = exact ? "." + String(thousandths % 1000).padStart(3, "0") : "";
  return (seconds < 0 && thousandths ? "−" : "") + h + ":" + two(m) + ":" + two(s) + rest;
}

// "12 min 3 s": how long.
function lengthText(seconds) {
  if (seconds < 9.95) return seconds.toFixed(1) + " s";
  const s = Math.round(seconds);
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min" + (s % 60 ? " " + s % 60 + " s" : "");
  return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
}

function counted(n, one, many) {
  return n.toLocaleString("en") + " " + (n === 1 ? one : many || one + "s");
}

// A new element with properties and children; text is text, never markup.
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name in element) element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
