// Beside the picture: losses and scores, the confusion matrix, and what ails a neuron.

import { diagnosis } from "./card.js";
import { $ } from "./desk.js";
import { n, percent, t, whole } from "./i18n.js";
import { className } from "./images.js";
import { STATES } from "./names.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Part} Part */
/** @typedef {import("./types.js").Run} Run */

/** @param {Desk} desk @param {import("./network.js").NetworkView} network @returns {Part} */
export function scores(desk, network) {
  $("confusion").ontoggle = () => desk.frame && desk.run && showConfusion(desk.run, desk.frame);
  return {
    begin: showHint,
    redraw: () => desk.run && showHint(desk.run),
    show(frame) {
      const run = /** @type {Run} */ (desk.run);
      showScores(run, frame, desk.state.values.regularization !== "none");
      showConfusion(run, frame);
      showHealth(run, frame, network);
    },
  };
}

/** Of how many images the scores are, where that is not all. @param {Run} run */
function showHint(run) {
  const some = run.scored !== null && Math.max(run.learnt, run.tests) > run.scored;
  $("scores-hint").hidden = !some;
  $("scores-hint").textContent = some ? t("scores_some", { count: whole(run.scored ?? 0) }) : "";
}

/** A share of right answers, or R². @param {Run} run @param {number} score */
export function scoreText(run, score) {
  return run.kind === "value" ? n(score, 3) : percent(score);
}

/** @param {Run} run @param {Frame} frame @param {boolean} penalized */
function showScores(run, frame, penalized) {
  const kind = run.kind === "value" ? "r2" : "accuracy";
  const rows = [
    ["train", t("train_loss"), n(frame.losses[0])], ["test", t("test_loss"), n(frame.losses[1])],
    ["train", t(`train_${kind}`), scoreText(run, frame.scores[0])], ["test", t(`test_${kind}`), scoreText(run, frame.scores[1])],
  ];
  if (penalized) rows.push(["", t("penalty"), n(frame.losses[2])]);
  const box = $("scores");
  if (box.children.length !== rows.length) {
    box.replaceChildren(...rows.map(() => {
      const item = document.createElement("div");
      item.append(document.createElement("span"), document.createElement("b"));
      return item;
    }));
  }
  for (const [i, [kindOf, name, value]] of rows.entries()) {
    const item = box.children[i];
    item.className = `score ${kindOf}`;
    item.children[0].textContent = name;
    item.children[1].textContent = value;
  }
}

/** @param {Run} run @param {Frame} frame */
function showConfusion(run, frame) {
  const details = $("confusion");
  details.hidden = frame.classes === 0;
  if (!details.open || !frame.classes) return;
  const k = frame.classes;
  const table = document.createElement("table");
  table.createCaption().textContent = t("confusion_caption");
  const head = table.insertRow();
  const names = run.classes.map((_, one) => className(run, one));
  for (const name of ["", ...names]) head.append(cell("th", name));
  for (let i = 0; i < k; i++) {
    const row = table.insertRow();
    row.append(cell("th", names[i]));
    const counts = Array.from(frame.confusion.subarray(k * k + i * k, k * k + (i + 1) * k));
    const all = counts.reduce((a, b) => a + b, 0) || 1;
    for (const [j, count] of counts.entries()) {
      const one = cell("td", whole(count));
      const share = Math.round((42 * count) / all);
      one.style.background = `color-mix(in srgb, var(${i === j ? "--teal" : "--plum"}) ${share}%, transparent)`;
      row.append(one);
    }
  }
  $("matrix").replaceChildren(table);
}

/** @param {string} tag @param {string} text */
function cell(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/** The first thing that is wrong with a neuron. @param {Run} run @param {Frame} frame @param {import("./network.js").NetworkView} network */
function showHealth(run, frame, network) {
  const index = frame.states.findIndex((one) => one > 0);
  const place = network.places.find((one) => one.layer > 0 && one.index === index);
  const text = index < 0 || !place ? "" : `${network.unitName(place.layer, place.unit)} — ${diagnosis(run, frame, index, place.layer)}`;
  const count = frame.states.filter((one) => one > 0).length;
  const more = count > 1 ? ` (${t("and_more", { count: whole(count - 1) })})` : "";
  if ($("health").textContent !== text + more) $("health").textContent = text + more;
  $("health").dataset.state = index < 0 ? STATES[0] : STATES[frame.states[index]];
}
