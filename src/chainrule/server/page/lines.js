// Which line, column and row of the drawing each node of a graph stands in.

/** @typedef {import("./types.js").GraphNode} GraphNode */
/** @typedef {{line: number, column: number, row: number}} Spot */

/**
 * Operations stand in columns 1, 2, … of a line, in the order in which they run; a product with
 * weights, the loss, and whatever finds no room begin a new line. What an operation reads that no
 * operation made stands before it, a row below. The penalty's operations stand below the loss: a
 * column of penalties, a column of their sums.
 *
 * @param {GraphNode[]} nodes @param {number} perLine columns of a line
 */
export function arrange(nodes, perLine) {
  const operations = nodes.filter((node) => node.kind === "operation");
  const kinds = new Map(nodes.map((node) => [node.name, node.kind]));
  /** @type {Map<string, Spot>} */
  const spots = new Map();
  const main = operations.filter((node) => !isPenalty(node, operations));
  let line = -1, column = perLine;
  for (const node of main) {
    const isLoss = node.inputs.some((name) => kinds.get(name) === "target");
    if (node.op === "matmul" || isLoss || column >= perLine) [line, column] = [line + 1, 1];
    spots.set(node.name, { line, column, row: 0 });
    column += 1;
  }
  const heights = Array.from({ length: line + 1 }, () => 1);
  const taken = new Set([...spots.values()].map(key));
  for (const node of nodes.filter((one) => one.kind !== "operation")) {
    const reader = main.find((one) => one.inputs.includes(node.name));
    const at = spots.get(reader?.name ?? "") ?? { line: 0, column: 1, row: 0 };
    const spot = { line: at.line, column: at.column - 1, row: node.kind === "input" ? 0 : 1 };
    while (taken.has(key(spot))) spot.row += 1;
    put(node.name, spot);
  }
  const below = heights[line];
  for (const node of operations.filter((one) => !spots.has(one.name))) {
    const spot = { line, column: node.op === "add" ? 2 : 1, row: below };
    while (taken.has(key(spot))) spot.row += 1;
    put(node.name, spot);
  }
  return { spots, heights };

  /** @param {string} name @param {Spot} spot */
  function put(name, spot) {
    spots.set(name, spot);
    taken.add(key(spot));
    heights[spot.line] = Math.max(heights[spot.line], spot.row + 1);
  }
}

/** @param {Spot} spot */
function key({ line, column, row }) {
  return `${line}.${column}.${row}`;
}

/** @param {GraphNode} node @param {GraphNode[]} operations @returns {boolean} */
function isPenalty(node, operations) {
  if (node.op === "l1" || node.op === "l2") return true;
  const inputs = operations.filter((one) => node.inputs.includes(one.name));
  return inputs.length === node.inputs.length && inputs.length > 0 && inputs.every((one) => isPenalty(one, operations));
}
