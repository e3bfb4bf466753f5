// Lines of equal height through a grid (marching squares).

/** @typedef {[number, number]} Place column and row, between the points of the grid */

/**
 * The pieces of all lines at so many heights between 0 and 1.
 * @param {Float32Array} heights row after row @param {number} points in a row @param {number} levels
 * @returns {Generator<[Place, Place]>}
 */
export function* contours(heights, points, levels) {
  for (let level = 1; level <= levels; level++) {
    const height = level / (levels + 1);
    for (let r = 0; r + 1 < points; r++) {
      for (let c = 0; c + 1 < points; c++) yield* through(heights, points, c, r, height);
    }
  }
}

/**
 * @param {Float32Array} heights @param {number} points @param {number} c @param {number} r
 * @param {number} height @returns {Generator<[Place, Place]>}
 */
function* through(heights, points, c, r, height) {
  /** @type {Place[]} */
  const corners = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
  const values = corners.map(([x, y]) => heights[y * points + x] - height);
  /** @type {Place[]} */
  const crossings = [];
  for (let i = 0; i < 4; i++) {
    const [p, q] = [values[i], values[(i + 1) % 4]];
    if (p < 0 === q < 0) continue;
    const share = p / (p - q), [from, to] = [corners[i], corners[(i + 1) % 4]];
    crossings.push([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]);
  }
  for (let i = 0; i + 1 < crossings.length; i += 2) yield [crossings[i], crossings[i + 1]];
}
