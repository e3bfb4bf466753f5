// What travels between the modules, for the type checker; nothing here runs.

/**
 * One row of the server's table of settings.
 * @typedef {{name: string, kind: "choice"|"choices"|"integer"|"integers"|"number"|"drawing", default: any,
 *   choices: any[], least: number, most: number, longest: number, restarts: boolean}} Setting
 */

/**
 * A run as the server announces it.
 * @typedef {{run: number, settings: Record<string, any>, start_settings: Record<string, any>,
 *   sizes: number[], kind: "sign"|"classes"|"value", classes: string[], axes: string[],
 *   offset: number[], scale: number[], parameters: {name: string, shape: number[]}[],
 *   columns: {weights: string, biases: string|null, activation: string, is_linked: boolean}[],
 *   boxes: {column: number, name: string}[], is_own: boolean, is_plane: boolean,
 *   image: {height: number, width: number, ink: number}|null, learnt: number, tests: number, scored: number|null,
 *   own: string|null, playing: boolean, failure: string|null}} Run
 */

/**
 * One moment: numbers and pictures, as `frame.js` reads them.
 * @typedef {{sequence: number, run: number, playing: boolean, finished: boolean, failed: boolean, past: boolean,
 *   steps: number, epochs: number, batchRate: number, epochRate: number,
 *   losses: number[], scores: number[], side: number, planes: Uint8Array[], thumbSide: number,
 *   thumbs: Uint8Array, thumbCount: number, theta: Float32Array, curve: Float32Array,
 *   reasons: Float32Array, states: Uint8Array, classes: number, confusion: Uint32Array,
 *   focus: number, focusPlane: Uint8Array|null, fingerprint: string}} Frame
 */

/**
 * The points of a run.
 * @typedef {{run: number, count: number, nTrain: number, classes: boolean, values: Float32Array}} Points
 */

/**
 * A node of the computational graph at one position of a step through it.
 * @typedef {{name: string, shown: string, kind: string, op: string|null, shape: (number|string)[],
 *   inputs: string[], has_rows: boolean, value: number[]|null, gradient: number[]|null}} GraphNode
 */

/**
 * Everything that Step inside shows at one position.
 * @typedef {{position: number, last: number, forward: number, phase: string, row: number,
 *   rows: number, point: number[]|null, pixels: number[]|null, current: string|null, formulas: string[], nodes: GraphNode[],
 *   update: null|{rule: string, learning_rate: number, parameters:
 *     Record<string, {before: number[], gradient: number[], after: number[]}>}}} Inside
 */

/**
 * One gradient explained.
 * @typedef {{name: string, index: number[], row: number|null, value: number, exact: number,
 *   central: number, forward: number, h: number, relative_error: number,
 *   parts: {via: string, rule: string, terms: number[][], total: number}[]}} Explained
 */

/**
 * The moments of a run that can be looked at, each its steps and epochs, and the branch beside it.
 * @typedef {{run: number, moments: [number, number][], steps: number, epochs: number,
 *   view: number|null, replaying: boolean, settings: Record<string, any>,
 *   branch: null|{steps: number, epochs: number, settings: Record<string, any>,
 *     failure: string|null}}} Moments
 */

/**
 * The loss around where the run stands, row after row from the lowest, and the way it came: first
 * and second coordinate and epoch of each moment.
 * @typedef {{run: number, isPath: boolean, points: number, count: number, a: [number, number],
 *   b: [number, number], shares: number[], heights: Float32Array, way: Float32Array}} Surface
 */

/**
 * Shares of the numbers in each bin, as bytes in base64, column after column from the lowest bin.
 * @typedef {{low: number, high: number, bins: number, shares: string}} Histogram
 */

/**
 * Of every layer how its outputs and gradients were distributed at each moment.
 * @typedef {{run: number, epochs: number[], layers: {name: string, zero: number,
 *   outputs: Histogram, gradients: Histogram}[]}} Histograms
 */

/**
 * The plane as two neurons see it: upright lines, then level ones, then the points with labels.
 * @typedef {{run: number, layer: number, first: number, second: number, lines: number,
 *   samples: number, count: number, classes: boolean, grid: Float32Array,
 *   data: Float32Array}} Warp
 */

/**
 * The image on the pad, its pixels from 0 (paper) to 1 (ink), and what every layer says to it, the
 * outputs last; where there is nothing, no layers. `truth` is −1 where it is not known.
 * @typedef {{run: number, source: number, row: number, truth: number, predicted: number, width: number,
 *   pixels: Float32Array, layers: Float32Array[]}} Answer
 */

/**
 * A page of the mistakes, the largest loss first: the test row, its truth, what the network says, and
 * its output for both.
 * @typedef {{run: number, tests: number, wrong: number, first: number, epochs: number, loss: number, width: number,
 *   items: {row: number, truth: number, predicted: number, loss: number, output: number,
 *     ofTruth: number, pixels: Uint8Array}[]}} Mistakes
 */

/**
 * How a run stands.
 * @typedef {{playing: boolean, inside: boolean, settings: Record<string, any>, changed: boolean,
 *   failure: string|null}} Status
 */

/**
 * A part of the page: it hears of the server's messages by type and binary data by its letters, of a
 * run that begins, settings taken (and whether other columns are drawn), how the run stands, every
 * moment shown, and of other looks: `dress` before, `redraw` after.
 * @typedef {{messages?: Record<string, (message: any) => void>,
 *   binary?: Record<string, (data: ArrayBuffer) => void>, begin?: (run: Run) => void,
 *   taken?: (moved: boolean) => void, status?: (status: Status) => void,
 *   show?: (frame: Frame) => void, dress?: () => void, redraw?: () => void}} Part
 */

/**
 * A part that lives in the drawer and works only while it is open.
 * @typedef {Part & {open: () => void, close: () => void}} Panel
 */

/**
 * A text of a lesson: one for every language, or one a language.
 * @typedef {string | Record<string, string>} Texts
 */

/**
 * One thing that a goal asks for: bounds of a measure, or what a setting may be.
 * @typedef {{measure: string, at_least: number|null, at_most: number|null, name?: string,
 *   is?: (string|number)[]}} Condition
 */

/**
 * A step of a lesson; `settings` are all settings, or null where the step changes none.
 * @typedef {{title: Texts|null, text: Texts, hint: Texts|null, settings: Record<string, any>|null,
 *   goal: Condition[]}} LessonStep
 */

/**
 * A lesson as the server has read it.
 * @typedef {{id: string, title: Texts, summary: Texts|null, steps: LessonStep[],
 *   page: {show_test: boolean, discretize: boolean, hide: string[]}}} Lesson
 */

/**
 * What a goal is measured by; `past` counts what was done since the step began.
 * @typedef {{run: Run, settings: Record<string, any>, frame: Frame, past: {mostDead: number, forward: number, backward: number,
 *   checked: number, updates: number}}} Facts
 */

export {};
