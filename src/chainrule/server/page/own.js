// Somebody's own table: a CSV file to the server; then which columns are learnt from, and how.

import { t, whole } from "./i18n.js";

/** @typedef {"direct"|"columns"|"components"} Reading */

const READINGS = /** @type {Reading[]} */ (["direct", "columns", "components"]);
/** What holds numbers: the first are drawn sooner. */
const NUMBERS = ["numeric", "binary", "identifier", "constant"];
const MOST_MESSAGE = 15_000;

export class OwnPoints {
  /**
   * @param {HTMLInputElement} input @param {HTMLElement} box
   * @param {import("./connection.js").Connection} connection @param {(text: string, said?: string) => void} notify
   */
  constructor(input, box, connection, notify) {
    this.input = input;
    this.box = box;
    this.connection = connection;
    this.notify = notify;
    /** @type {string[]} */
    this.columns = [];
    /** @type {string[]|null} what each column holds */
    this.kinds = null;
    /** @type {Reading} */
    this.reading = "direct";
    this.target = "";
    this.pair = ["", ""];
    /** @type {Set<string>} */
    this.left = new Set();
    input.onchange = () => {
      const file = input.files?.[0];
      if (file) this.take(file);
      input.value = ""; // so that the same file, edited meanwhile, can be chosen again
    };
  }

  texts() {
    this.input.title = t("own_hint");
    if (this.columns.length) this.render();
  }

  /** @param {File} file */
  async take(file) {
    const content = await file.arrayBuffer();
    const headers = { "X-Name": encodeURIComponent(file.name) };
    const answer = await this.connection.request("api/table", { method: "POST", body: content, headers });
    const said = await answer.json().catch(() => ({ error: answer.statusText }));
    this.box.hidden = !answer.ok;
    if (!answer.ok) {
      this.columns = [];
      this.notify(t("refused"), said.error);
      return;
    }
    this.notify("");
    this.begin(said.columns, said.kinds);
    this.box.scrollIntoView({ block: "nearest" });
  }

  /** The choices that suggest themselves. @param {string[]} columns @param {string[]|null} kinds */
  begin(columns, kinds) {
    this.columns = columns;
    this.kinds = kinds;
    this.target = columns[columns.length - 1];
    this.left = new Set(columns.filter((_, i) => ["text", "identifier", "constant"].includes(kinds?.[i] ?? "")));
    const others = columns.slice(0, -1);
    const numbers = NUMBERS.flatMap((kind) => others.filter((one) => this.holds(one) === kind));
    this.pair = numbers.length >= 2 ? numbers.slice(0, 2) : others.slice(0, 2);
    this.reading = others.length === 2 && numbers.length === 2 ? "direct" : "columns";
    this.render();
  }

  /** @param {string} name */
  holds(name) {
    return this.kinds?.[this.columns.indexOf(name)] ?? "numeric";
  }

  render() {
    const focused = document.activeElement?.getAttribute("data-own");
    /** @type {HTMLElement[]} */
    const parts = [
      this.select("own_target", "target", this.columns, this.target, (value) => (this.target = value)),
      this.select("own_reading", "reading", READINGS, this.reading, (value) => (this.reading = /** @type {Reading} */ (value))),
    ];
    if (this.reading === "direct") {
      parts.push(
        this.select("own_x1", "x1", this.columns, this.pair[0], (value) => (this.pair[0] = value)),
        this.select("own_x2", "x2", this.columns, this.pair[1], (value) => (this.pair[1] = value)),
      );
    } else parts.push(this.list());
    const go = document.createElement("button");
    go.textContent = t("own_use");
    go.dataset.own = "use";
    go.onclick = () => this.learn();
    this.box.replaceChildren(...parts, go);
    if (focused) /** @type {HTMLElement|null} */ (this.box.querySelector(`[data-own="${focused}"]`))?.focus();
  }

  /** @param {string} text @param {string} name @param {string[]} choices @param {string} chosen @param {(value: string) => void} set */
  select(text, name, choices, chosen, set) {
    const label = document.createElement("label");
    label.className = "field";
    const pick = document.createElement("select");
    pick.dataset.own = `own_${name}`;
    for (const one of choices) pick.append(new Option(name === "reading" ? t(`own_${one}`) : one, one));
    pick.value = chosen;
    pick.onchange = () => {
      set(pick.value);
      this.render();
    };
    label.append(t(text), pick);
    return label;
  }

  /** Which columns are learnt from, each with what it holds. */
  list() {
    const box = document.createElement("details");
    box.open = this.opened ?? this.columns.length <= 8;
    box.ontoggle = () => (this.opened = box.open);
    const summary = document.createElement("summary");
    const others = this.columns.filter((one) => one !== this.target);
    summary.textContent = t("own_columns_of", { count: whole(others.filter((one) => !this.left.has(one)).length), of: whole(others.length) });
    const list = document.createElement("div");
    list.className = "ticks";
    for (const name of others) {
      const label = document.createElement("label");
      label.className = "check";
      const tick = document.createElement("input");
      tick.type = "checkbox";
      tick.dataset.own = `tick ${this.columns.indexOf(name)}`;
      tick.checked = !this.left.has(name);
      tick.onchange = () => {
        if (tick.checked) this.left.delete(name);
        else this.left.add(name);
        this.render();
      };
      const shown = document.createElement("bdi");
      shown.textContent = name;
      const kind = document.createElement("span");
      kind.className = "hint";
      const holds = this.kinds?.[this.columns.indexOf(name)];
      kind.textContent = holds ? t(`own_kind_${holds}`) : "";
      label.append(tick, shown, kind);
      list.append(label);
    }
    box.append(summary, list);
    return box;
  }

  learn() {
    const chosen = this.columns.filter((one) => one !== this.target && !this.left.has(one));
    const isAll = chosen.length === this.columns.length - 1;
    const columns = this.reading === "direct" ? this.pair : isAll ? [] : chosen;
    const message = { type: "own", columns, target: this.target, reading: this.reading };
    if (this.reading !== "direct" && !chosen.length) this.notify(t("own_none"));
    else if (JSON.stringify(message).length > MOST_MESSAGE) this.notify(t("own_too_many"));
    else this.connection.tell(message);
  }
}
