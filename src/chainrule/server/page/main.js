// Ties the modules together: state ↔ controls, connection → pictures.

import { diagnosis, openCard, paintCard } from "./card.js";
import { Chart } from "./chart.js";
import { useScheme } from "./colours.js";
import { Connection, takeToken } from "./connection.js";
import { POINT_FIELDS, TRAINING_FIELDS, buildFields, refreshFields, showFields } from "./controls.js";
import { buildGallery } from "./gallery.js";
import { Heatmap, drawLegend } from "./heatmap.js";
import { loadTexts, n, percent, t, useLanguage, whole } from "./i18n.js";
import { addLayerHead, layerHead } from "./layers.js";
import { FEATURES, NetworkView, STATES } from "./network.js";
import { OwnPoints } from "./own.js";
import { buildPlane, refreshPlane } from "./plane.js";
import { State, same } from "./state.js";
import { StepPanel } from "./step.js";

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Run} Run */

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);
const page = document.body;

const token = takeToken();
const [{ table, start }] = await Promise.all([fetch("settings.json").then((r) => r.json()), loadTexts()]);
const state = new State(table, start);
const addressed = state.readAddress(location.hash);

/** @type {Run|null} */
let run = null;
/** @type {Frame|null} */
let frame = null;
/** @type {number|null} */
let looked = null;
let playing = false, changed = false, applying = false;

const heatmap = new Heatmap($("heat"), $("dots"));
const chart = new Chart($("chart"), $("chart-text"));
const network = new NetworkView($("stage"), $("wires"), $("nodes"), {
  look: (unit) => $("card").open || look(unit),
  open: (layer, unit, from) => openUnit(layer, unit, from),
  toggle: (feature) => toggleFeature(feature),
  draw: (column) => drawColumn(column),
  layer: (index) => layerHead(index, state, /** @type {Run} */ (run)),
  addLayer: () => addLayerHead(state, /** @type {Run} */ (run)),
});
const step = new StepPanel($("step"), {
  send: (message) => connection.send(message),
  light: (parameter) => network.light(parameter),
  mark: (point) => {
    heatmap.marked = point;
    heatmap.drawPoints();
  },
});
dress();
const connection = new Connection(token, {
  hello: () => (addressed || run ? { settings: state.settings() } : {}),
  message: (message) => receive(message),
  points: (points) => {
    heatmap.points = points;
    heatmap.drawPoints();
  },
  frame: (one) => show(one),
  status: (status) => {
    $("connection").textContent = t(`connection_${status}`);
    if (status !== "invalid") notify(status === "open" || status === "lost" ? "" : t(`connection_${status}`));
  },
});
const own = new OwnPoints($("file"), $("columns"), connection, notify);

/** @param {any} message */
function receive(message) {
  if (message.type === "run") begin(message);
  else if (message.type === "status") status(message);
  else if (message.type === "inside") step.show(message);
  else if (message.type === "explained") step.explain(message);
  else if (message.type === "failed") notify(t("failed"), message.message);
  else if (message.type === "error") notify(t("refused"), message.message);
}

/** @param {Run} given */
function begin(given) {
  run = given;
  frame = null;
  looked = null;
  heatmap.run = run;
  notify(run.failure ? t("failed") : "", run.failure ?? "");
  take(run.settings);
  network.show(run);
  drawLegend($("legend"), run, run.kind !== "classes");
  buildPlane($("plane"), run, state);
  $("summary").textContent = t("summary", { sizes: run.sizes.map(whole).join(" – "), count: whole(parameterCount(run)) });
  dressControls();
  status({ playing: given.playing, inside: false, settings: given.settings, changed, failure: given.failure });
}

/** @param {Run} given */
function parameterCount(given) {
  return given.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** Settings as the server has them, without sending them back. @param {Record<string, any>} settings */
function take(settings) {
  applying = true;
  state.set(settings);
  applying = false;
  if (run && (run.settings.across !== settings.across || run.settings.up !== settings.up)) {
    run.settings = settings;
    network.restyle();
    heatmap.drawPoints();
  }
  refreshPlane($("plane"), state);
  refreshFields(page, state);
  showFields(state.values, run, page);
}

/** @param {any} message */
function status(message) {
  playing = message.playing;
  changed = message.changed;
  $("play").setAttribute("aria-pressed", String(playing));
  $("play").setAttribute("aria-label", t(playing ? "pause" : "play"));
  $("inside").setAttribute("aria-expanded", String(message.inside));
  if (!message.inside) step.close();
  document.body.classList.toggle("stepping", message.inside);
  if (!message.failure && $("notice").dataset.failure) notify("");
  if (message.failure) {
    notify(t("failed"), message.failure);
    $("notice").dataset.failure = "yes";
  }
  take(message.settings);
}

/** @param {Frame} given */
function show(given) {
  if (!run || given.run !== run.run) return;
  frame = given;
  heatmap.draw(frame);
  network.draw(frame);
  chart.show(frame.curve);
  paintCard($("card"), frame, state.values.discretize);
  $("epochs").textContent = whole(frame.epochs + 1e-9);
  $("epochs").dataset.steps = String(frame.steps);
  $("rate").textContent = frame.playing && frame.epochRate ? n(frame.epochRate, 2) : "—";
  $("batches").textContent = frame.playing && frame.batchRate ? t("batches_per_second", { count: n(frame.batchRate, 2) }) : "";
  $("fingerprint").textContent = frame.fingerprint;
  showScores(frame);
  showConfusion(frame);
  showHealth(frame);
  const { name } = shown();
  $("shown").textContent = name;
  $("heat").setAttribute("aria-label", `${name}. ${t("heat_label", { score: scoreText(frame.scores[1]) })}`);
}

/** What the large picture shows now. */
function shown() {
  if (!frame || !run || frame.focus < 0) return { name: t("output_of_network") };
  const place = network.places.find((one) => one.layer > 0 && one.index === frame?.focus);
  return { name: place ? network.unitName(place.layer, place.unit) : "" };
}

/** @param {number} score */
function scoreText(score) {
  return run?.kind === "value" ? n(score, 3) : percent(score);
}

/** @param {Frame} given */
function showScores(given) {
  const kind = run?.kind === "value" ? "r2" : "accuracy";
  const rows = [
    ["train", t("train_loss"), n(given.losses[0])], ["test", t("test_loss"), n(given.losses[1])],
    ["train", t(`train_${kind}`), scoreText(given.scores[0])], ["test", t(`test_${kind}`), scoreText(given.scores[1])],
  ];
  if (state.values.regularization !== "none") rows.push(["", t("penalty"), n(given.losses[2])]);
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

/** @param {Frame} given */
function showConfusion(given) {
  const details = $("confusion");
  details.hidden = given.classes === 0;
  if (!details.open || !given.classes || !run) return;
  const k = given.classes;
  const table = document.createElement("table");
  table.createCaption().textContent = t("confusion_caption");
  const head = table.insertRow();
  for (const name of ["", ...run.classes]) head.append(cell("th", name));
  for (let i = 0; i < k; i++) {
    const row = table.insertRow();
    row.append(cell("th", run.classes[i]));
    const counts = Array.from(given.confusion.subarray(k * k + i * k, k * k + (i + 1) * k));
    const all = counts.reduce((a, b) => a + b, 0) || 1;
    for (const [j, count] of counts.entries()) {
      const one = cell("td", whole(count));
      const share = Math.round((55 * count) / all);
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

/** The first thing that is wrong with a neuron. @param {Frame} given */
function showHealth(given) {
  if (!run) return;
  const index = given.states.findIndex((one) => one > 0);
  const place = network.places.find((one) => one.layer > 0 && one.index === index);
  const text = index < 0 || !place ? "" : `${network.unitName(place.layer, place.unit)} — ${diagnosis(run, given, index, place.layer)}`;
  const count = given.states.filter((one) => one > 0).length;
  const more = count > 1 ? ` (${t("and_more", { count: whole(count - 1) })})` : "";
  if ($("health").textContent !== text + more) $("health").textContent = text + more;
  $("health").dataset.state = index < 0 ? STATES[0] : STATES[given.states[index]];
}

/** @param {number|null} unit */
function look(unit) {
  looked = unit;
  connection.send({ type: "look", unit });
}

/** @param {number} layer @param {number} unit @param {number} [from] */
function openUnit(layer, unit, from) {
  if (!run || !frame) return;
  const place = network.places.find((one) => one.layer === layer && one.unit === unit);
  const which = { layer, unit, from, index: place?.index ?? 0, title: network.unitName(layer, unit) };
  look(which.index);
  openCard($("card"), run, frame, which, (parameter, index, value) => {
    connection.send({ type: "edit", parameter, index, value });
  });
}

/** @param {string} feature */
function toggleFeature(feature) {
  const chosen = new Set(state.values.features);
  if (!chosen.delete(feature)) chosen.add(feature);
  if (chosen.size) state.set({ features: FEATURES.filter((one) => chosen.has(one)) });
  else notify(t("one_feature"));
}

/** Of points with many columns: draw this one across, and up what was across. @param {number} column */
function drawColumn(column) {
  if (column !== state.values.across) state.set({ across: column, up: state.values.across });
}

/** @param {string} text @param {string} [said] what the server said, in English whatever the page's language */
function notify(text, said = "") {
  const notice = $("notice");
  const quoted = document.createElement("bdi");
  quoted.lang = "en";
  quoted.textContent = said;
  notice.replaceChildren(said ? `${text} ` : text, quoted);
  notice.hidden = !text;
  delete notice.dataset.failure;
}

/** Language, colours and hidden parts, as the state says. */
function dress() {
  const { language, theme, hide } = state.values;
  useLanguage(language);
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.scheme = dark ? "dark" : "light";
  useScheme(dark);
  $("language").textContent = language === "fa" ? "English" : "فارسی";
  $("language").lang = language === "fa" ? "en" : "fa";
  $("show_test").checked = heatmap.showTest = state.values.show_test;
  $("discretize").checked = heatmap.discretize = network.discretize = state.values.discretize;
  dressControls();
  for (const element of page.querySelectorAll("[data-control]")) {
    const one = /** @type {HTMLElement} */ (element);
    if (hide.includes(one.dataset.control)) one.hidden = true;
  }
}

function dressControls() {
  const names = state.rows.get("dataset")?.choices ?? [];
  const choosable = names.filter((/** @type {string} */ name) => name !== "own" || run?.own);
  buildGallery($("datasets"), choosable, state.values.dataset, (name) => state.set({ dataset: name }));
  const active = document.activeElement?.getAttribute("data-setting");
  if (!active) {
    buildFields($("point-controls"), POINT_FIELDS, state);
    buildFields($("training-controls"), TRAINING_FIELDS, state);
  }
  for (const name of state.values.hide) {
    for (const element of page.querySelectorAll(`[data-control="${name}"]`)) /** @type {HTMLElement} */ (element).hidden = true;
  }
  showFields(state.values, run, page);
}

function redraw() {
  if (run) {
    network.restyle();
    drawLegend($("legend"), run, run.kind !== "classes");
  }
  heatmap.redraw();
  chart.draw();
  if (frame) show(frame);
  if (step.inside) step.render();
}

state.listeners.push((names) => {
  const learning = Object.fromEntries([...names].filter((name) => state.learning.has(name)).map((name) => [name, state.values[name]]));
  if (!applying && Object.keys(learning).length) {
    if ("hidden_layer_sizes" in learning) learning.activations = state.values.activations;
    connection.send({ type: "set", settings: learning });
  }
  const looks = ["language", "theme", "show_test", "discretize", "hide"];
  if (looks.some((name) => names.has(name))) {
    dress();
    redraw();
  }
  showFields(state.values, run, page);
});

$("play").onclick = () => connection.send({ type: playing ? "pause" : "play" });
$("reset").onclick = () => connection.send({ type: "reset" });
$("epoch").onclick = () => connection.send({ type: "step" });
$("inside").onclick = () => connection.send($("step").hidden ? { type: "inside", position: 0, row: 0 } : { type: "leave" });
$("regenerate").onclick = () => state.set({ data_seed: (state.values.data_seed + 1) % 2147483647 });
$("theme").onclick = () => state.set({ theme: document.documentElement.dataset.scheme === "dark" ? "light" : "dark" });
$("language").onclick = () => state.set({ language: state.values.language === "fa" ? "en" : "fa" });
$("show_test").onchange = () => state.set({ show_test: $("show_test").checked });
$("discretize").onchange = () => state.set({ discretize: $("discretize").checked });
$("script").onclick = () => download("api/script", "playground.py");
$("model").onclick = () => download("api/model", "playground.safetensors");
$("link").onclick = copyLink;
$("card").onclose = () => look(null);
$("confusion").ontoggle = () => frame && showConfusion(frame);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  dress();
  redraw();
});
addEventListener("hashchange", () => {
  const fresh = new State(table, start);
  fresh.readAddress(location.hash);
  const changes = Object.fromEntries(Object.entries(fresh.values).filter(([name, value]) => !same(value, state.values[name])));
  state.set(changes);
});
addEventListener("keydown", (event) => {
  const busy = /** @type {HTMLElement} */ (event.target).closest("input, select, button, summary, dialog, .step, [role=button]");
  if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " ") $("play").click();
  else if (event.key === "r") $("reset").click();
  else if (event.key === "e") $("epoch").click();
  else if (event.key === "i") $("inside").click();
  else return;
  event.preventDefault();
});

$("heat").addEventListener("pointerleave", (/** @type {PointerEvent} */ event) => {
  if (event.pointerType !== "touch") $("probe").hidden = true; // a finger leaves with every tap
});
for (const kind of ["pointerdown", "pointermove"]) $("heat").addEventListener(kind, probe);

/** What the picture says under the pointer. @param {PointerEvent} event */
function probe(event) {
  const size = $("heat").clientWidth;
  const found = heatmap.valueAt(event.offsetX / size, event.offsetY / size);
  if (!found || !run) return;
  const label = $("probe");
  label.hidden = false;
  label.textContent = found.label >= 0 ? run.classes[found.label] : n(found.value, 2);
  label.style.left = `${Math.min(event.offsetX + 12, size - 70)}px`;
  label.style.top = `${Math.max(0, event.offsetY - 28)}px`;
}

/** The address, without the token, for somebody else's playground. */
async function copyLink() {
  const link = `${location.origin}/${state.address()}`;
  try {
    await navigator.clipboard.writeText(link);
    $("connection").textContent = t(changed ? "link_copied_changed" : "link_copied");
  } catch {
    notify(link);
  }
}

/** @param {string} path @param {string} name */
async function download(path, name) {
  const answer = await connection.request(path);
  if (!answer.ok) {
    notify(t("refused"), await answer.text());
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

own.texts();
if (!token) notify(t("connection_refused"));
