// The computational graph, drawn like lines of writing: a layer a line, each operation after what it
// reads. On every edge stands the value that goes forward above, the gradient that comes back below.

import { has, n, t } from "./i18n.js";
import { arrange } from "./lines.js";

/** @typedef {import("./types.js").Inside} Inside */
/** @typedef {import("./types.js").GraphNode} GraphNode */
/** @typedef {import("./lines.js").Spot} Spot */
/** @typedef {{x: number, y: number}} Point */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 90, HEIGHT = 40, LEFT = 24, TOP = 22, ROW = 66, LINE_GAP = 22, BEND = 9;
const LEAST_PITCH = 158, MOST_PITCH = 250;
const LETTER = 6.7;

/**
 * @typedef {{inside: Inside, chosen: string|null, choose: (name: string) => void,
 *   explain: (node: GraphNode) => void, describe: (node: GraphNode) => string}} Options
 */

/**
 * What is drawn needs: where everything stands, and how wide a column is.
 * @typedef {{spots: Map<string, Spot>, tops: number[], pitch: number, width: number}} Sheet
 */

/** @param {number} width what there is @param {Options} options */
export function drawGraph(width, { inside, chosen, choose, explain, describe }) {
  const perLine = Math.max(3, Math.min(4, Math.floor((width - LEFT) / LEAST_PITCH)));
  const { spots, heights } = arrange(inside.nodes, perLine);
  const tops = heights.map((_, i) => TOP + heights.slice(0, i).reduce((sum, rows) => sum + rows * ROW + LINE_GAP, 0));
  const pitch = Math.max(LEAST_PITCH, Math.min(MOST_PITCH, (width - LEFT - 16) / perLine));
  const sheet = { spots, tops, pitch, width: LEFT + perLine * pitch + 10 };
  const height = TOP + heights.reduce((sum, rows) => sum + rows * ROW + LINE_GAP, 0) - LINE_GAP;
  const svg = make("svg", { width: sheet.width, height, role: "group" });
  svg.append(arrow());
  const nodes = new Map(inside.nodes.map((node) => [node.name, node]));
  for (const reader of inside.nodes) {
    for (const name of reader.inputs) {
      const source = nodes.get(name);
      if (source) svg.append(...edge(source, reader, sheet, inside));
    }
  }
  for (const node of inside.nodes) svg.append(...numbers(node, sheet, explain));
  for (const node of inside.nodes) svg.append(box(node, sheet, inside.current === node.name, chosen === node.name, choose, describe));
  return svg;
}

/** The middle of a node's box. @param {Sheet} sheet @param {string} name @returns {Point} */
function middle(sheet, name) {
  const { line, column, row } = /** @type {Spot} */ (sheet.spots.get(name));
  return { x: LEFT + column * sheet.pitch + WIDTH / 2, y: sheet.tops[line] + row * ROW + HEIGHT / 2 };
}

/** @param {GraphNode} source @param {GraphNode} reader @param {Sheet} sheet @param {Inside} inside */
function edge(source, reader, sheet, inside) {
  const [from, to] = [middle(sheet, source.name), middle(sheet, reader.name)];
  const hot = inside.current === reader.name;
  const back = hot && inside.phase === "backward";
  const path = make("path", {
    class: hot ? "edge hot" : source.value ? "edge done" : "edge",
    d: way(from, to, sheet, source, reader),
    ...(hot ? { [back ? "marker-start" : "marker-end"]: "url(#arrow)" } : {}),
  });
  const parts = [path];
  const [a, b] = [sheet.spots.get(source.name), sheet.spots.get(reader.name)];
  if (a && b && a.line !== b.line && source.kind === "operation" && b.column > 0) {
    const carried = text(to.x - WIDTH / 2 - 8, to.y - 6, source.shown, "carried");
    carried.setAttribute("text-anchor", "end");
    parts.push(carried);
  }
  return parts;
}

/**
 * The way of an edge: straight on within a line; round the end of a line to the beginning of the
 * next; from a weight to the penalty along the margin.
 * @param {Point} from @param {Point} to @param {Sheet} sheet @param {GraphNode} source
 * @param {GraphNode} reader
 */
function way(from, to, sheet, source, reader) {
  const a = /** @type {Spot} */ (sheet.spots.get(source.name)), b = /** @type {Spot} */ (sheet.spots.get(reader.name));
  const [x0, x1] = [from.x + WIDTH / 2, to.x - WIDTH / 2];
  if (a.line === b.line && a.column === b.column) {
    return `M${from.x} ${from.y + HEIGHT / 2}L${to.x} ${to.y - HEIGHT / 2}`;
  }
  if (a.line === b.line) {
    const bend = (x0 + x1) / 2;
    return `M${x0} ${from.y}C${bend} ${from.y} ${bend} ${to.y} ${x1} ${to.y}`;
  }
  if (source.kind !== "operation" && a.column === 0) {
    return corners([{ x: from.x - WIDTH / 2, y: from.y }, { x: 7, y: from.y }, { x: 7, y: to.y }, { x: x1, y: to.y }]);
  }
  const right = Math.min(sheet.width - 6, x0 + sheet.pitch - WIDTH - 8);
  const between = sheet.tops[b.line] - LINE_GAP / 2 - 4;
  return corners([
    { x: x0, y: from.y }, { x: right, y: from.y }, { x: right, y: between },
    { x: 15, y: between }, { x: 15, y: to.y }, { x: x1, y: to.y },
  ]);
}

/** A path through points with round corners. @param {Point[]} points */
function corners(points) {
  let path = `M${points[0].x} ${points[0].y}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [before, here, after] = [points[i - 1], points[i], points[i + 1]];
    const [p, q] = [towards(here, before), towards(here, after)];
    path += `L${p.x} ${p.y}Q${here.x} ${here.y} ${q.x} ${q.y}`;
  }
  const last = points[points.length - 1];
  return `${path}L${last.x} ${last.y}`;
}

/** @param {Point} from @param {Point} to @returns {Point} */
function towards(from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const share = Math.min(0.5, BEND / Math.max(1, Math.hypot(dx, dy)));
  return { x: from.x + dx * share, y: from.y + dy * share };
}

/** A node's value above the edge that leaves it, its gradient below. @param {GraphNode} node @param {Sheet} sheet @param {(node: GraphNode) => void} explain */
function numbers(node, sheet, explain) {
  const { x, y } = middle(sheet, node.name);
  const at = x + WIDTH / 2 + 5;
  const room = Math.floor((sheet.pitch - WIDTH - 12) / LETTER);
  const parts = [];
  if (node.value) parts.push(text(at, y - 7, short(node.value, room), "value"));
  if (node.gradient) {
    const gradient = text(at, y + 16, short(node.gradient, room), "gradient");
    gradient.setAttribute("data-edge-gradient", node.name);
    gradient.addEventListener("click", () => explain(node));
    parts.push(gradient);
  }
  return parts;
}

/** As many numbers as there is room for. @param {number[]} values @param {number} room letters */
function short(values, room) {
  const dots = values.length > 1 ? 2 : 0;
  let shown = n(values[0], 3);
  if (shown.length + dots > room) shown = n(values[0], 2);
  for (let i = 1; i < values.length; i++) {
    const longer = `${shown}, ${n(values[i], 2)}`;
    if (longer.length + (i + 1 < values.length ? 2 : 0) > room) return `${shown} …`;
    shown = longer;
  }
  return shown;
}

/**
 * @param {GraphNode} node @param {Sheet} sheet @param {boolean} current @param {boolean} chosen
 * @param {(name: string) => void} choose @param {(node: GraphNode) => string} describe
 */
function box(node, sheet, current, chosen, choose, describe) {
  const { x, y } = middle(sheet, node.name);
  const group = make("g", {
    class: `node-box ${node.kind}${current ? " current" : ""}${chosen ? " chosen" : ""}`,
    tabindex: 0, role: "button", "data-node": node.name,
  });
  const rx = node.kind === "operation" ? HEIGHT / 2 : 8;
  group.append(make("rect", { x: x - WIDTH / 2, y: y - HEIGHT / 2, width: WIDTH, height: HEIGHT, rx }));
  const name = text(x, y - 2, node.shown.replaceAll("_", " "), "name");
  // the space keeps the two lines apart for whoever hears them
  const below = text(x, y + 13, ` ${node.op ? operationName(node.op) : size(node)}`, "op");
  for (const one of [name, below]) one.setAttribute("text-anchor", "middle");
  group.append(name, below);
  group.setAttribute("aria-label", `${name.textContent} ${below.textContent?.trim()}. ${describe(node)}`);
  group.addEventListener("click", () => choose(node.name));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(node.name);
  });
  return group;
}

/** An operation as the language calls it. @param {string} op */
export function operationName(op) {
  return has(`op_${op}`) ? t(`op_${op}`) : op.replaceAll("_", " ");
}

/** @param {GraphNode} node */
function size(node) {
  if (node.kind === "target") return t("kind_target");
  return node.shape.length ? node.shape.map((one) => (one === "rows" ? "n" : one)).join(" × ") : "1";
}

function arrow() {
  const defs = make("defs", {});
  const marker = make("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 4.5, markerHeight: 4.5, orient: "auto-start-reverse" });
  marker.append(make("path", { d: "M0 0L8 4L0 8z", class: "head" }));
  defs.append(marker);
  return defs;
}

/** @param {number} x @param {number} y @param {string} content @param {string} name */
function text(x, y, content, name) {
  const element = make("text", { x, y, class: name });
  element.textContent = content;
  return element;
}

/** @param {string} tag @param {Record<string, string|number>} attributes */
function make(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
