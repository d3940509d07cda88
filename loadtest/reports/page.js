"use strict";
// The values under the pointer. Everything else of the page is there without this script.
const told = document.createElement("div");
told.id = "told";
told.hidden = true;
document.body.append(told);

function nearest(places, x) {
  let low = 0;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] + places[middle + 1]) / 2 < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function row(name, value, style) {
  const line = document.createElement("div");
  const key = document.createElement("span");
  key.className = style ? `key ${style}` : "";
  key.textContent = name;
  const shown = document.createElement("b");
  shown.textContent = value;
  line.append(key, shown);
  return line;
}

for (const svg of document.querySelectorAll("svg[data-told]")) {
  const { x, t, lines } = JSON.parse(svg.dataset.told);
  if (!x.length) continue;
  const box = svg.viewBox.baseVal;
  const cross = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cross.setAttribute("class", "cross");
  cross.setAttribute("y1", "10");
  cross.setAttribute("y2", String(box.height - 24));
  cross.style.display = "none";
  svg.append(cross);
  svg.addEventListener("pointermove", (event) => {
    const frame = svg.getBoundingClientRect();
    const at = nearest(x, ((event.clientX - frame.left) / frame.width) * box.width);
    cross.setAttribute("x1", String(x[at]));
    cross.setAttribute("x2", String(x[at]));
    cross.style.display = "";
    const rows = lines.filter(([, , values]) => values[at] !== "");
    told.replaceChildren(
      row(`${t[at]} s`, ""),
      ...rows.map(([name, style, values]) => row(name, values[at], style)),
    );
    told.hidden = false;
    const right = event.clientX + 16 + told.offsetWidth > window.innerWidth;
    told.style.left = `${event.clientX + (right ? -16 - told.offsetWidth : 16)}px`;
    told.style.top = `${Math.max(8, Math.min(event.clientY, window.innerHeight - told.offsetHeight - 8))}px`;
  });
  svg.addEventListener("pointerleave", () => {
    told.hidden = true;
    cross.style.display = "none";
  });
}
