// The sets of points to choose from, each with a sketch of what it looks like.

import { classColour, css, shade } from "./colours.js";
import { t } from "./i18n.js";

/** @typedef {[number, number, number]} Dot x, y, label; label −1 … 1 for values, class numbers else */

/** @type {Record<string, (i: number) => Dot>} */
const SKETCHES = {
  circle: (i) => (i % 2 ? polar(2.3 * Math.sqrt(spread(i)), 6.283 * other(i), 1) : polar(3.6 + 1.2 * spread(i), 6.283 * other(i), 0)),
  xor: (i) => {
    const x = 9 * spread(i) - 4.5, y = 9 * other(i) - 4.5;
    return [x, y, x * y > 0 ? 1 : 0];
  },
  gauss: (i) => {
    const at = i % 2 ? 2 : -2;
    const [x, y] = polar(2 * Math.sqrt(spread(i)), 6.283 * other(i), 0);
    return [x + at, y + at, i % 2];
  },
  spiral: (i) => polar((5 * (i >> 1)) / 45, (5.5 * 2 * (i >> 1)) / 45 + (i % 2) * Math.PI, i % 2),
  blobs: (i) => {
    const [x, y] = polar(3.4, 2.1 * (i % 3), 0), [dx, dy] = polar(1.3 * Math.sqrt(spread(i)), 6.283 * other(i), 0);
    return [x + dx, y + dy, i % 3];
  },
  arms: (i) => polar((5 * Math.floor(i / 3)) / 30, (5 * Math.floor(i / 3)) / 30 + ((i % 3) * 2 * Math.PI) / 3, i % 3),
  rings: (i) => polar(0.8 + 1.75 * (i % 3) + 0.7 * spread(i), 6.283 * other(i), i % 3),
  drawn: (i) => [(i - 45) / 10, (i % 2 ? 1.7 : -1.7) + 1.4 * Math.sin(i / 9), i % 2],
  plane: (i) => {
    const x = 10 * spread(i) - 5, y = 10 * other(i) - 5;
    return [x, y, (x + y) / 10];
  },
  peaks: (i) => {
    const k = i % 6, [dx, dy] = polar(1.5 * Math.sqrt(spread(i)), 6.283 * other(i), 0);
    return [4 * ((k % 3) - 1) + dx, (k < 3 ? 2.5 : -2.5) + dy, k % 2 ? -0.9 : 0.9];
  },
};

/** A two and a seven as the sets have them, coarse and fine; a sign a pixel, from paper to ink. @type {Record<string, string[]>} */
const IMAGES = {
  digits: ["..+##+..", ".##++##.", ".+...##.", "....##+.", "...##+..", "..##+...", ".######.", ".+####+."],
  mnist: [
    "................", "................", "...++++++++++...", "..#############.", "..+++++++++###..", ".........+##+...", ".........##+....",
    "........+##.....", "........##+.....", ".......+##......", ".......##+......", "......+##.......", "......##+.......", ".....+##........",
    ".....##+........", "................",
  ],
};

/** @param {CanvasRenderingContext2D} context @param {string[]} rows */
function drawImage(context, rows) {
  const side = 88 / rows.length;
  context.fillStyle = css(shade(1));
  for (const [r, row] of rows.entries()) {
    for (const [c, sign] of [...row].entries()) {
      context.globalAlpha = { "#": 1, "+": 0.45 }[sign] ?? 0;
      context.fillRect(4 + c * side, 4 + r * side, side + 0.5, side + 0.5);
    }
  }
}

/** Evenly spread numbers, two sequences that do not repeat each other. @param {number} i */
const spread = (i) => (i * 0.7548776662) % 1;
/** @param {number} i */
const other = (i) => (i * 0.5698402910) % 1;

/** @param {number} r @param {number} angle @param {number} label @returns {Dot} */
const polar = (r, angle, label) => [r * Math.sin(angle), r * Math.cos(angle), label];

/**
 * @param {HTMLElement} box @param {string[]} names @param {string} chosen
 * @param {(name: string) => void} choose @param {string[]} gone those whose files are not there
 */
export function buildGallery(box, names, chosen, choose, gone) {
  const buttons = names.map((name) => {
    const button = document.createElement("button");
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(name === chosen));
    button.tabIndex = name === chosen || (!names.includes(chosen) && name === names[0]) ? 0 : -1;
    button.dataset.dataset = name;
    button.append(sketch(name), t(`dataset_${name}`));
    button.onclick = () => choose(name);
    button.disabled = gone.includes(name);
    if (button.disabled) button.setAttribute("aria-describedby", "missing");
    return button;
  });
  const focused = box.contains(document.activeElement) ? document.activeElement?.getAttribute("data-dataset") : null;
  box.replaceChildren(...buttons);
  if (focused) buttons[names.indexOf(focused)]?.focus();
  box.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    if (!step || at < 0) return;
    event.preventDefault();
    let next = at;
    do next = (next + step + buttons.length) % buttons.length;
    while (buttons[next].disabled);
    choose(names[next]);
    /** @type {HTMLElement} */ (box.children[next]).focus();
  };
}

/** @param {string} name */
function sketch(name) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 96;
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  const dot = SKETCHES[name];
  if (!context) return canvas;
  if (IMAGES[name]) {
    drawImage(context, IMAGES[name]);
    return canvas;
  }
  if (!dot) {
    context.font = "64px Georgia, serif";
    context.textAlign = "center";
    context.fillStyle = css(shade(1));
    context.fillText("+", 48, 68);
    return canvas;
  }
  const values = name === "plane" || name === "peaks";
  for (let i = 0; i < 90; i++) {
    const [x, y, label] = dot(i);
    context.fillStyle = css(values ? shade(label) : classColour(label));
    context.beginPath();
    context.arc(48 + 8 * x, 48 - 8 * y, 3.4, 0, 7);
    context.fill();
  }
  return canvas;
}
