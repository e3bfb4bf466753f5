// What a number looks like: plum below 0, teal above, paper at 0; and one colour a class.

/** @typedef {[number, number, number]} Rgb */

/** @type {Record<string, {zero: Rgb, minus: Rgb, plus: Rgb, dot: Rgb}>} */
const SCHEMES = {
  light: { zero: [250, 247, 240], minus: [138, 62, 168], plus: [14, 143, 126], dot: [255, 255, 255] },
  dark: { zero: [24, 27, 32], minus: [190, 120, 220], plus: [52, 190, 166], dot: [14, 16, 19] },
};

/** @type {Rgb[]} */
const CLASSES = [
  [138, 62, 168], [14, 143, 126], [217, 130, 43], [47, 111, 208],
  [194, 55, 79], [107, 142, 35], [122, 78, 40], [95, 107, 122], [228, 120, 172], [40, 60, 130],
];

let scheme = "light";
/** @type {Rgb[]} */
let ramp = [];

/** @param {boolean} dark */
export function useScheme(dark) {
  scheme = dark ? "dark" : "light";
  ramp = Array.from({ length: 256 }, (_, byte) => shade((byte - 127.5) / 127.5));
}

useScheme(false);

export const current = () => SCHEMES[scheme];

/** @param {Rgb} a @param {Rgb} b @param {number} share @returns {Rgb} */
function mix(a, b, share) {
  const between = (/** @type {number} */ i) => Math.round(a[i] + (b[i] - a[i]) * share);
  return [between(0), between(1), between(2)];
}

/** The colour of v in [−1, 1]. @param {number} v @returns {Rgb} */
export function shade(v) {
  const { zero, minus, plus } = SCHEMES[scheme];
  return mix(zero, v < 0 ? minus : plus, Math.min(1, Math.abs(v)));
}

/** @param {number} k @returns {Rgb} */
export function classColour(k) {
  return CLASSES[k % CLASSES.length];
}

/** @param {Rgb} rgb @param {number} [alpha] */
export function css(rgb, alpha = 1) {
  return `rgb(${rgb[0]} ${rgb[1]} ${rgb[2]} / ${alpha})`;
}

/**
 * Paints bytes (128 + ⌊128 v⌋) into RGBA, or only their sign.
 * @param {Uint8Array} bytes @param {Uint8ClampedArray} rgba @param {boolean} discretize
 */
export function paintValues(bytes, rgba, discretize) {
  const low = shade(-0.75), high = shade(0.75);
  for (let i = 0, at = 0; i < bytes.length; i++, at += 4) {
    const colour = discretize ? (bytes[i] < 128 ? low : high) : ramp[bytes[i]];
    rgba[at] = colour[0];
    rgba[at + 1] = colour[1];
    rgba[at + 2] = colour[2];
    rgba[at + 3] = 255;
  }
}

/**
 * Paints the winning class, paler where it is less sure.
 * @param {Uint8Array} best @param {Uint8Array} sure @param {Uint8ClampedArray} rgba
 * @param {boolean} discretize
 */
export function paintClasses(best, sure, rgba, discretize) {
  for (let i = 0, at = 0; i < best.length; i++, at += 4) {
    const share = discretize ? 0.75 : 0.1 + (0.75 * sure[i]) / 255;
    const colour = mix(SCHEMES[scheme].zero, classColour(best[i]), share);
    rgba[at] = colour[0];
    rgba[at + 1] = colour[1];
    rgba[at + 2] = colour[2];
    rgba[at + 3] = 255;
  }
}
