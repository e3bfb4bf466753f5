// The computational graph, drawn: each operation after what it reads; on every edge the value that
// goes forward above, the gradient that comes back below.

/** @typedef {import("./types.js").Inside} Inside */
/** @typedef {import("./types.js").GraphNode} GraphNode */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 104, HEIGHT = 44, STEP_X = 232, STEP_Y = 92, EDGE = 24;

/**
 * @param {Inside} inside @param {string|null} chosen @param {(name: string) => void} choose
 * @param {(value: number) => string} write
 * @param {(node: GraphNode) => string} describe
 */
export function drawGraph(inside, chosen, choose, write, describe) {
  const places = arrange(inside.nodes);
  const columns = Math.max(...[...places.values()].map((place) => place.column)) + 1;
  const rows = Math.max(...[...places.values()].map((place) => place.row)) + 1;
  const svg = make("svg", { width: columns * STEP_X + 20, height: rows * STEP_Y + 24, role: "group" });
  const nodes = new Map(inside.nodes.map((node) => [node.name, node]));
  for (const node of inside.nodes) {
    for (const name of node.inputs) {
      const source = nodes.get(name);
      if (source) svg.append(...edge(source, node, places, inside, write));
    }
  }
  const last = inside.nodes.filter((node) => node.kind === "operation").at(-1);
  if (last) svg.append(...numbers(last, places, write));
  for (const node of inside.nodes) {
    const place = /** @type {{column: number, row: number}} */ (places.get(node.name));
    svg.append(box(node, place, inside.current === node.name, chosen === node.name, choose, describe, last?.name));
  }
  return svg;
}

/**
 * Columns by the longest way from a leaf; leaves stand beside the operation that reads them first.
 * @param {GraphNode[]} nodes
 */
function arrange(nodes) {
  /** @type {Map<string, {column: number, row: number}>} */
  const places = new Map();
  const operations = nodes.filter((node) => node.kind === "operation");
  const depth = new Map(nodes.map((node) => [node.name, 0]));
  for (const node of operations) {
    depth.set(node.name, 1 + Math.max(0, ...node.inputs.map((name) => depth.get(name) ?? 0)));
  }
  /** @type {Map<number, number>} */
  const filled = new Map();
  const put = (/** @type {string} */ name, /** @type {number} */ column, /** @type {number} */ least) => {
    let row = least;
    const taken = new Set([...places.values()].filter((p) => p.column === column).map((p) => p.row));
    while (taken.has(row)) row += 1;
    places.set(name, { column, row });
    filled.set(column, row + 1);
  };
  const main = operations.filter((node) => !isPenalty(node, operations));
  for (const node of main) put(node.name, depth.get(node.name) ?? 0, 0);
  for (const node of operations) if (!places.has(node.name)) put(node.name, depth.get(node.name) ?? 0, 2);
  for (const node of nodes) {
    if (places.has(node.name)) continue;
    const reader = operations.find((one) => one.inputs.includes(node.name));
    const column = Math.max(0, (reader ? depth.get(reader.name) ?? 1 : 1) - 1);
    put(node.name, column, node.kind === "input" ? 0 : 1);
  }
  return places;
}

/** @param {GraphNode} node @param {GraphNode[]} operations @returns {boolean} */
function isPenalty(node, operations) {
  if (node.op === "l1" || node.op === "l2") return true;
  const inputs = operations.filter((one) => node.inputs.includes(one.name));
  return inputs.length === node.inputs.length && inputs.length > 0 && inputs.every((one) => isPenalty(one, operations));
}

/**
 * @param {GraphNode} source @param {GraphNode} reader
 * @param {Map<string, {column: number, row: number}>} places @param {Inside} inside
 * @param {(value: number) => string} write
 */
function edge(source, reader, places, inside, write) {
  const [from, to] = [middle(places, source.name), middle(places, reader.name)];
  const [x0, x1] = [from.x + WIDTH / 2, to.x - WIDTH / 2];
  const bend = x1 > x0 ? (x0 + x1) / 2 : x0 + EDGE;
  const hot = inside.current === reader.name || (inside.phase === "backward" && inside.current === reader.name);
  const state = hot ? "edge hot" : source.value ? "edge done" : "edge";
  const parts = [make("path", { class: state, d: `M${x0} ${from.y}C${bend} ${from.y} ${bend} ${to.y} ${x1} ${to.y}` })];
  // a value read twice is written once, on its first edge
  const first = inside.nodes.find((node) => node.inputs.includes(source.name));
  if (first !== reader) return parts;
  return [...parts, ...numbers(source, places, write)];
}

/**
 * A node's value and gradient, behind it: above and below its edge.
 * @param {GraphNode} node @param {Map<string, {column: number, row: number}>} places
 * @param {(value: number) => string} write
 */
function numbers(node, places, write) {
  const { x, y } = middle(places, node.name);
  const at = x + WIDTH / 2 + 6;
  const parts = [];
  if (node.value) parts.push(text(at, y - 6, short(node.value, write), "value"));
  if (node.gradient) parts.push(text(at, y + 15, short(node.gradient, write), "gradient"));
  return parts;
}

/** @param {Map<string, {column: number, row: number}>} places @param {string} name */
function middle(places, name) {
  const { column, row } = /** @type {{column: number, row: number}} */ (places.get(name));
  return { x: 14 + column * STEP_X + WIDTH / 2, y: 20 + row * STEP_Y + HEIGHT / 2 };
}

/**
 * @param {GraphNode} node @param {{column: number, row: number}} place @param {boolean} current
 * @param {boolean} chosen @param {(name: string) => void} choose @param {(node: GraphNode) => string} describe
 * @param {string} [last] the name of the last node, which is L
 */
function box(node, place, current, chosen, choose, describe, last) {
  const [x, y] = [14 + place.column * STEP_X, 20 + place.row * STEP_Y];
  const group = make("g", {
    class: `node-box ${node.kind}${current ? " current" : ""}${chosen ? " chosen" : ""}`,
    tabindex: 0, role: "button", "data-node": node.name,
  });
  group.append(make("rect", { x, y, width: WIDTH, height: HEIGHT, rx: node.kind === "operation" ? 22 : 8 }));
  const name = text(x + WIDTH / 2, y + 19, node.name === last ? "L" : node.name.replaceAll("_", " "), "name");
  // the space keeps the two lines apart for whoever hears them
  const below = text(x + WIDTH / 2, y + 35, ` ${node.op && node.op !== node.name ? shortName(node.op) : size(node)}`, "op");
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

/** @param {string} op */
function shortName(op) {
  return op.replace("binary_cross_entropy_with_logits", "cross-entropy").replace("softmax_cross_entropy", "cross-entropy").replaceAll("_", " ");
}

/** @param {GraphNode} node */
function size(node) {
  return node.shape.length ? node.shape.map((one) => (one === "rows" ? "n" : one)).join(" × ") : "1";
}

/** @param {number[]} values @param {(value: number) => string} write */
function short(values, write) {
  values = /** @type {any} */ (values).flat();
  const some = values.slice(0, 2).map(write).join(", ");
  return values.length > 2 ? `${some}, …` : some;
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
