// The timeline: look back through the run, go on from there, let a branch learn beside it.

import { Chart } from "./chart.js";
import { choiceText } from "./controls.js";
import { download } from "./exports.js";
import { readFrame } from "./frame.js";
import { paintPlanes } from "./heatmap.js";
import { n, t, whole } from "./i18n.js";
import { button, element, field } from "./make.js";
import { scoreText } from "./scores.js";
import { paintFirst } from "./weights.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Moments} Moments */
/** @typedef {import("./types.js").Run} Run */

const RUN_FILE = "playground.run.json";

/** @param {HTMLElement} box @param {Desk} desk @returns {import("./types.js").Panel} */
export function timeline(box, desk) {
  /** @type {Moments|null} */
  let told = null;
  /** @type {Frame|null} */
  let branch = null;
  /** Whether a place of the line is about to be asked for, and what has been asked for last. */
  let waiting = false;
  /** @type {number|null|undefined} steps; null: the present; undefined: nothing is on its way */
  let asked;
  let patience = 0;

  const slider = element("input", { type: "range", min: "0", step: "1", "data-line": "moment" });
  const moment = field("", slider), where = element("b");
  moment.querySelector(".top")?.append(where);
  const now = button("timeline_now", () => desk.send({ type: "scrub", steps: null }));
  const goOn = button("timeline_go_on", () => desk.send({ type: "go_back" }));
  const line = element("div", { class: "line" }, moment, goOn, now);
  const form = element("div", { class: "fields strip fork" });
  const pair = element("div", { class: "pair" });
  const canvas = element("canvas", { tabindex: "0", role: "img", "data-line": "chart" });
  const caption = element("figcaption", { class: "hint" });
  const curves = element("figure", { class: "curve" }, canvas, caption);
  const chart = new Chart(canvas, caption);
  const files = element("div", { class: "files" });
  box.append(line, form, pair, curves, files);

  slider.oninput = () => {
    if (!waiting) requestAnimationFrame(scrub);
    waiting = true;
  };

  function scrub() {
    waiting = false;
    const [steps] = earlier()[slider.valueAsNumber] ?? [null];
    asked = steps;
    desk.send({ type: "scrub", steps });
    clearTimeout(patience);
    patience = setTimeout(() => void (asked = undefined), 2000); // a moment that is gone by now
  }

  /** The moments before the present one. */
  function earlier() {
    return told ? told.moments.filter(([steps]) => steps < /** @type {Moments} */ (told).steps) : [];
  }

  function showLine() {
    const moments = earlier();
    const view = told?.view ?? null;
    const at = view === null ? moments.length : moments.findIndex(([steps]) => steps === view);
    slider.max = String(moments.length);
    if (!waiting && asked === undefined) slider.value = String(at); // else the hand is ahead
    slider.disabled = !moments.length || Boolean(told?.replaying);
    const last = desk.frame && !desk.frame.past ? desk.frame.epochs : (told?.epochs ?? 0);
    const epoch = at < moments.length && at >= 0 ? moments[at][1] : last;
    const text = told?.replaying
      ? t("timeline_replaying", { epoch: n(last) })
      : t(view === null ? "timeline_at_now" : "timeline_at", { epoch: n(epoch), last: n(last), count: whole(moments.length) });
    if (where.textContent !== text) where.textContent = text;
    slider.setAttribute("aria-valuetext", text);
    goOn.disabled = now.disabled = view === null;
  }

  function showForm() {
    const { rows, values } = desk.state;
    const settings = told?.settings ?? values;
    const solver = select("solver", rows.get("solver")?.choices ?? [], settings.solver);
    const rate = element("input", { type: "number", min: "0.000001", max: "100", step: "any", "data-branch": "learning_rate" });
    rate.value = String(Number(settings.learning_rate.toPrecision(6)));
    const activation = element("select", { "data-branch": "activations" });
    const same = new Set(settings.activations).size === 1 ? settings.activations[0] : "";
    if (!same) activation.append(new Option(t("timeline_as_it_is"), ""));
    for (const name of rows.get("activations")?.choices ?? []) activation.append(new Option(name.replace("_", " "), name));
    activation.value = same;
    const shown = desk.run && !desk.run.is_own && settings.activations.length > 0;
    const go = button("timeline_branch", () => {
      const activations = activation.value ? settings.activations.map(() => activation.value) : settings.activations;
      const changes = { solver: solver.value, learning_rate: rate.valueAsNumber, ...(shown ? { activations } : {}) };
      desk.send({ type: "branch", settings: changes });
    });
    go.dataset.act = "branch";
    const fields = [field(t("setting_solver"), solver), field(t("setting_learning_rate"), rate)];
    if (shown) fields.push(field(t("timeline_activation"), activation));
    form.replaceChildren(...fields, go);
  }

  /** @param {string} name @param {string[]} choices @param {string} value */
  function select(name, choices, value) {
    const made = element("select", { "data-branch": name });
    for (const one of choices) made.append(new Option(choiceText(name, one), one));
    made.value = value;
    return made;
  }

  function showPair() {
    const run = desk.run;
    pair.hidden = !told?.branch;
    if (!run || !told?.branch) {
      pair.replaceChildren();
      branch = null;
      return;
    }
    if (!pair.children.length) {
      pair.replaceChildren(...["run", "branch"].map((name) => element("figure", { class: `side-${name}`, "data-side": name },
        element("canvas", { width: "100", height: "100", role: "img" }), element("figcaption", {}, element("b"), element("p"), element("div", { class: "acts" })))));
    }
    const acts = [
      button("timeline_keep", () => desk.send({ type: "keep_branch" })),
      button("timeline_drop", () => desk.send({ type: "drop_branch" })),
    ];
    pair.querySelector("[data-side=branch] .acts")?.replaceChildren(...acts);
    describe("run", told.settings, desk.frame, "");
    describe("branch", told.branch.settings, branch, told.branch.failure ?? "");
  }

  /** @param {"run"|"branch"} side @param {Record<string, any>} settings @param {Frame|null} frame @param {string} failure */
  function describe(side, settings, frame, failure) {
    const figure = pair.querySelector(`[data-side=${side}]`);
    const [canvas, title, text] = ["canvas", "b", "p"].map((one) => figure?.querySelector(one));
    if (!desk.run || !title || !text || !canvas) return;
    const name = t(`timeline_side_${side}`);
    title.textContent = `${name}: ${said(settings)}`;
    canvas.setAttribute("aria-label", name);
    if (!frame) return;
    const score = scoreText(desk.run, frame.scores[1]);
    const numbers = t("timeline_numbers", { epoch: n(frame.epochs), train: n(frame.losses[0] + frame.losses[2]), test: n(frame.losses[1]), score });
    text.textContent = failure ? `${t("failed")} ${failure}` : numbers;
    canvas.setAttribute("aria-label", `${name}. ${t("heat_label", { score })}`);
    const picture = /** @type {HTMLCanvasElement} */ (canvas);
    if (desk.run.image) paintFirst(picture, desk.run, frame.theta, desk.state.values.discretize);
    else paintPlanes(picture, frame, desk.state.values.discretize);
  }

  /** @param {Record<string, any>} settings */
  function said({ solver, learning_rate: rate, activations }) {
    const parts = [choiceText("solver", solver)];
    if (!["cg", "lbfgs"].includes(solver)) parts.push(t("eta_is", { rate: n(rate) }));
    parts.push([...new Set(activations)].map((/** @type {any} */ one) => one.replace("_", " ")).join(", "));
    return parts.filter(Boolean).join(" · ");
  }

  function showCurves() {
    if (!desk.frame) return;
    const marks = [];
    if (told?.branch) marks.push(told.branch.epochs);
    if (desk.frame.past) marks.push(desk.frame.epochs);
    chart.show(desk.frame.curve, branch?.curve ?? null, marks);
  }

  function showFiles() {
    const input = element("input", { type: "file", accept: ".json,application/json", "data-run": "open" });
    input.onchange = () => {
      if (input.files?.[0]) openRun(desk, input.files[0]);
      input.value = "";
    };
    const save = button("timeline_save", () => download(desk, "api/run", RUN_FILE));
    save.dataset.run = "save";
    const open = element("label", { class: "file" }, element("span"), input);
    /** @type {HTMLElement} */ (open.firstChild).textContent = t("timeline_open");
    const hint = element("p", { class: "hint" });
    hint.textContent = t("timeline_files_hint");
    files.replaceChildren(save, open, hint);
  }

  function render() {
    /** @type {HTMLElement} */ (moment.querySelector(".top span")).textContent = t("timeline_moment");
    for (const [one, key] of /** @type {[HTMLElement, string][]} */ ([[now, "timeline_now"], [goOn, "timeline_go_on"]])) one.textContent = t(key);
    canvas.setAttribute("aria-label", t("chart"));
    showFiles();
    showForm();
    showLine();
    pair.replaceChildren();
    showPair();
    showCurves();
  }

  const shown = () => !box.hidden;
  return {
    open: render,
    close: () => void (told = branch = null),
    messages: {
      timeline(message) {
        const before = told;
        told = message;
        if (asked === message.view) asked = undefined;
        if (!shown()) return;
        showLine();
        const settled = JSON.stringify([before?.settings, before?.branch]) === JSON.stringify([message.settings, message.branch]);
        if (settled) return;
        if (!form.contains(document.activeElement)) showForm();
        showPair();
        showCurves();
      },
      opened: (message) => desk.say(t(message.same ? "timeline_same" : "timeline_differs")),
    },
    binary: {
      CRB1(data) {
        branch = readFrame(data);
        if (!shown() || !told?.branch) return;
        describe("branch", told.branch.settings, branch, told.branch.failure ?? "");
        showCurves();
      },
    },
    begin() {
      told = branch = null;
      asked = undefined;
      if (shown()) render();
    },
    show(frame) {
      if (!shown()) return;
      showLine();
      if (told?.branch) describe("run", told.settings, frame, "");
      showCurves();
    },
    redraw: () => shown() && render(),
  };
}

/** Whether a file is a run, by how it begins. @param {File} _ @param {string} head */
export const isRun = (_, head) => /^\s*\{\s*"format":\s*"chainrule run"/.test(head);

/** A run file: the server reads it, strictly, and makes the run again. @param {Desk} desk @param {File} file */
export async function openRun(desk, file) {
  const body = await file.arrayBuffer();
  const answer = await desk.connection?.request("api/run", { method: "POST", body });
  if (answer?.ok) desk.notify("");
  else desk.notify(t("refused"), (await answer?.json().catch(() => null))?.error);
}
