// Ties the modules together: state ↔ controls, connection → the parts of the page.

import { classroom } from "./classroom.js";
import { Connection, takeToken } from "./connection.js";
import { $, Desk } from "./desk.js";
import { digits } from "./digits.js";
import { drawing } from "./drawing.js";
import { named, takeDrops } from "./drop.js";
import { editing } from "./editing.js";
import { exports } from "./exports.js";
import { loadTexts, t } from "./i18n.js";
import { dress, looks } from "./looks.js";
import { OwnPoints } from "./own.js";
import { drawer } from "./panels.js";
import { result } from "./result.js";
import { scores } from "./scores.js";
import { State, same } from "./state.js";
import { stepping } from "./step.js";
import { isRun, openRun } from "./timeline.js";
import { transport } from "./transport.js";

const token = takeToken();
const [given] = await Promise.all([fetch("settings.json").then((r) => r.json()), loadTexts()]);
const state = new State(given);
const addressed = state.readAddress(location.hash);
const desk = new Desk(state);

const edited = editing(desk);
const shown = result(desk, edited.network);
const taught = classroom(desk, addressed);
desk.add(
  looks(desk), edited, shown, drawing(desk, shown.heatmap), digits(desk, edited.network), transport(desk), scores(desk, edited.network),
  stepping(desk, edited.network, shown.heatmap), taught, ...drawer(desk),
);
exports(desk);
dress(desk);

const connection = new Connection(token, {
  hello: () => (addressed || desk.run ? { settings: state.settings() } : {}),
  message: (message) => desk.receive(message),
  binary: (data, kind) => desk.receiveBinary(data, kind),
  frame: (frame) => desk.show(frame),
  status: (status) => {
    $("connection").dataset.text = `connection_${status}`;  // so that a change of language changes it
    $("connection").textContent = t(`connection_${status}`);
    if (status !== "invalid") desk.notify(status === "open" || status === "lost" ? "" : t(`connection_${status}`));
  },
});
desk.connection = connection;
const own = new OwnPoints($("file"), $("columns"), connection, (text, said) => desk.notify(text, said));
state.listeners.push((names) => names.has("language") && own.texts());

state.listeners.push((names) => {
  const learning = Object.fromEntries([...names].filter((name) => state.learning.has(name)).map((name) => [name, state.values[name]]));
  if (desk.applying || !Object.keys(learning).length) return;
  if ("hidden_layer_sizes" in learning) learning.activations = state.values.activations;
  desk.send({ type: "set", settings: learning });
});

addEventListener("hashchange", () => {
  const fresh = new State(given);
  fresh.readAddress(location.hash);
  const changes = Object.fromEntries(Object.entries(fresh.values).filter(([name, value]) => !same(value, state.values[name])));
  state.set(changes);
});

takeDrops([
  { takes: named(".csv"), take: (file) => own.take(file) },
  { takes: isRun, take: (file) => openRun(desk, file) },
  { takes: named(".json"), take: (file) => taught.take(file) },
], () => desk.notify(t("file_unknown")));

own.texts();
if (!token) desk.notify(t("connection_refused"));
