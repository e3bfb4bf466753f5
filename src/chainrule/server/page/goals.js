// What a lesson's goal asks for, measured from what the page holds: the run, its latest frame, and
// what has been done since the step began.

import { choiceText } from "./controls.js";
import { n, percent, t, has, whole } from "./i18n.js";

/** @typedef {import("./types.js").Condition} Condition */
/** @typedef {import("./types.js").Facts} Facts */

const [DEAD, SATURATED, EXPLODING] = [1, 2, 3];

/** The measures of lessons.py, each as a number. @type {Record<string, (facts: Facts) => number>} */
export const MEASURES = {
  train_score: ({ frame }) => frame.scores[0],
  test_score: ({ frame }) => frame.scores[1],
  train_loss: ({ frame }) => frame.losses[0],
  test_loss: ({ frame }) => frame.losses[1],
  gap: ({ frame }) => frame.losses[1] - frame.losses[0],
  epochs: ({ frame }) => frame.epochs,
  stopped: ({ frame }) => Number(frame.failed),
  dead: ({ frame }) => inState(frame.states, DEAD),
  saturated: ({ frame }) => inState(frame.states, SATURATED),
  exploding: ({ frame }) => inState(frame.states, EXPLODING),
  revived: ({ frame, past }) => Math.max(0, past.mostDead - inState(frame.states, DEAD)),
  hidden_layers: ({ run }) => run.sizes.length - 2,
  units: ({ run }) => run.sizes.slice(1, -1).reduce((sum, size) => sum + size, 0),
  inside_forward: ({ past }) => past.forward,
  inside_backward: ({ past }) => past.backward,
  gradients_checked: ({ past }) => past.checked,
  inside_updates: ({ past }) => past.updates,
};

const SHARES = new Set(["inside_forward", "inside_backward"]);
const COUNTS = new Set([
  "epochs", "dead", "saturated", "exploding", "revived", "hidden_layers", "units",
  "gradients_checked", "inside_updates", "stopped",
]);

/** @param {Uint8Array} states @param {number} state */
export function inState(states, state) {
  return states.reduce((count, one) => count + Number(one === state), 0);
}

/** @param {Condition} condition @param {Facts} facts */
export function isMet(condition, facts) {
  if (condition.measure === "setting") {
    return (condition.is ?? []).includes(facts.settings[condition.name ?? ""]);
  }
  const value = MEASURES[condition.measure](facts);
  const { at_least: low, at_most: high } = condition;
  return (low === null || value >= low - 1e-9) && (high === null || value <= high + 1e-9);
}

/** What is asked for, in words. @param {Condition} condition @param {boolean} isValue whether the score is R² */
export function wanted(condition, isValue) {
  const { measure, at_least: low, at_most: high } = condition;
  if (measure === "setting") {
    const name = condition.name ?? "";
    const choices = (condition.is ?? []).map((one) => choiceText(name, one)).join(t("goal_or"));
    return t("goal_setting", { name: t(`setting_${name}`), choices });
  }
  if (low !== null && has(`goal_${measure}_least`)) return t(`goal_${measure}_least`, { bound: shown(measure, low, isValue) });
  if (high === 0 && has(`goal_${measure}_none`)) return t(`goal_${measure}_none`);
  const name = t(measureName(measure, isValue));
  const parts = [];
  if (low !== null) parts.push(t("goal_least", { bound: shown(measure, low, isValue) }));
  if (high !== null) parts.push(t("goal_most", { bound: shown(measure, high, isValue) }));
  return t("goal_of", { name, bounds: parts.join(t("goal_and")) });
}

/** Where it stands now. @param {Condition} condition @param {Facts} facts */
export function now(condition, facts) {
  if (condition.measure === "setting") {
    const name = condition.name ?? "";
    return choiceText(name, facts.settings[name]);
  }
  return shown(condition.measure, MEASURES[condition.measure](facts), facts.run.kind === "value");
}

/** @param {string} measure @param {boolean} isValue */
function measureName(measure, isValue) {
  if (measure === "train_score") return isValue ? "train_r2" : "train_accuracy";
  if (measure === "test_score") return isValue ? "test_r2" : "test_accuracy";
  return has(measure) ? measure : `measure_${measure}`;
}

/** @param {string} measure @param {number} value @param {boolean} isValue */
function shown(measure, value, isValue) {
  if (SHARES.has(measure)) return percent(value);
  if (COUNTS.has(measure)) return whole(value + 1e-9);
  if (measure.endsWith("_score") && !isValue) return percent(value);
  return n(value, 3);
}
