// The one table of what the page shows and sets; it makes the address (URL) and is made from it.
// The rows about learning come from the server, those about looking are here.

/** @typedef {import("./types.js").Setting} Setting */

/** @param {string} name @param {any[]} choices @returns {Setting} */
const choice = (name, choices) => ({
  name, kind: "choice", default: choices[0], choices, least: 0, most: 0, longest: 0, restarts: false,
});

/** @param {string} name @param {number} start @param {number} least @param {number} most @returns {Setting} */
const number = (name, start, least, most) => ({ ...choice(name, [start]), kind: "integer", least, most });

/** Of a layer, of models that came from Python too. */
const MOST_UNITS = 256;

/** The panels of the drawer, as the address names them; `PANELS` of panels.js makes them. */
export const PANEL_NAMES = ["timeline", "surface", "histograms", "space", "mistakes"];

/**
 * The rows about looking.
 * @param {string[]} hideable parts of the page that an address may hide
 * @param {string[]} lessons the names of those that come along
 * @returns {Setting[]}
 */
const looks = (hideable, lessons) => [
  choice("language", ["en", "fa"]),
  choice("theme", ["auto", "light", "dark"]),
  choice("show_test", [false, true]),
  choice("discretize", [false, true]),
  choice("panel", ["none", ...PANEL_NAMES]),
  choice("surface", ["path", "random"]),
  number("surface_seed", 0, 0, 999),
  number("space_layer", 1, 1, 99),
  number("space_first", 1, 1, MOST_UNITS),
  number("space_second", 2, 1, MOST_UNITS),
  { ...choice("hide", hideable), kind: "choices", default: [], longest: hideable.length },
  choice("pen", [0, 1, 2, 3, 4, 5, 6, 7, "erase"]),
  choice("lesson", ["none", ...lessons, "own"]),
  { ...choice("lesson_step", [0]), kind: "integer", most: 99 },
];

export class State {
  /**
   * @param {{table: Setting[], start: Record<string, any>, hideable: string[], lessons: string[],
   *   images: Record<string, {start: Record<string, any>, available: boolean}>, page: Record<string, any>}} given the server's rows, where it starts when the address says
   *   nothing, what may be hidden, the lessons, the sets of images, and how the page looks at the start
   */
  constructor({ table, start, hideable, lessons, images, page }) {
    this.images = images;
    const rows = looks(hideable, lessons);
    this.rows = new Map([...table, ...rows].map((row) => [row.name, row]));
    this.learning = new Set(table.map((row) => row.name));
    /** @type {Record<string, any>} */
    this.start = { ...Object.fromEntries(rows.map((row) => [row.name, row.default])), ...start, ...page };
    this.start.language = navigator.language.startsWith("fa") ? "fa" : "en";
    /** @type {Record<string, any>} */
    this.values = { ...this.start };
    /** @type {((changed: Set<string>) => void)[]} */
    this.listeners = [];
  }

  /** @param {string} hash @returns {boolean} whether it says anything about learning */
  readAddress(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    let learning = false;
    for (const [name, text] of given) {
      const row = this.rows.get(name);
      const value = row && parse(row, text);
      if (value === undefined) continue;
      this.values[name] = value;
      learning ||= this.learning.has(name);
    }
    this.fitActivations();
    return learning;
  }

  /** One activation a layer: the last one goes on where an address names fewer. */
  fitActivations() {
    const { hidden_layer_sizes: sizes, activations } = this.values;
    const last = activations.at(-1) ?? "tanh";
    this.values.activations = sizes.map((/** @type {number} */ _, /** @type {number} */ i) => activations[i] ?? last);
  }

  /** What differs from the start, as the address holds it. */
  address() {
    const pairs = [...this.rows.keys()]
      .filter((name) => !same(this.values[name], this.start[name]))
      .map((name) => `${name}=${encodeURIComponent(format(this.values[name])).replaceAll("%2C", ",")}`);
    return pairs.length ? `#${pairs.join("&")}` : "#";
  }

  /** The rows about learning, for the server. */
  settings() {
    return Object.fromEntries([...this.learning].map((name) => [name, this.values[name]]));
  }

  /** @param {Record<string, any>} changes */
  set(changes) {
    const changed = Object.keys(changes).filter((name) => !same(this.values[name], changes[name]));
    if (!changed.length) return;
    Object.assign(this.values, changes);
    history.replaceState(null, "", this.address());
    for (const listener of this.listeners) listener(new Set(changed));
  }
}

/** @param {any} a @param {any} b */
export function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** @param {any} value */
function format(value) {
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** @param {Setting} row @param {string} text @returns {any} undefined where it is not allowed */
function parse(row, text) {
  if (row.kind === "choices" || row.kind === "integers") {
    const parts = text === "" ? [] : text.split(",");
    const one = /** @type {Setting} */ ({ ...row, kind: row.kind === "choices" ? "choice" : "integer" });
    const values = parts.map((part) => parse(one, part));
    return values.includes(undefined) || values.length > row.longest ? undefined : values;
  }
  if (row.kind === "drawing") return text.length <= row.longest && isDrawing(text) ? text : undefined;
  if (row.kind === "choice") return row.choices.find((one) => String(one) === text);
  const number = text.trim() === "" ? NaN : Number(text);
  const whole = row.kind !== "integer" || Number.isInteger(number);
  return number >= row.least && number <= row.most && whole ? number : undefined;
}

/** Whether a text holds points enough to learn from, as drawing.py reads them. @param {string} text */
function isDrawing(text) {
  if (!/^([\w-]{4}){4,}$/.test(text)) return false;
  const bytes = Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
  const classes = bytes.filter((_, i) => i % 3 === 2);
  return bytes.every((byte, i) => byte <= (i % 3 === 2 ? 7 : 240)) && new Set(classes).size > 1;
}
