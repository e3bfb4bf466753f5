// Somebody's own points: a CSV file to the server, then two of its columns and a target.

import { t } from "./i18n.js";

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
    input.onchange = () => {
      const file = input.files?.[0];
      if (file) this.take(file);
      input.value = ""; // so that the same file, edited meanwhile, can be chosen again
    };
  }

  texts() {
    this.input.title = t("own_hint");
  }

  /** @param {File} file */
  async take(file) {
    const content = await file.arrayBuffer();
    const answer = await this.connection.request("api/table", { method: "POST", body: content });
    const said = await answer.json().catch(() => ({ error: answer.statusText }));
    this.box.hidden = !answer.ok;
    if (!answer.ok) {
      this.notify(t("refused"), said.error);
      return;
    }
    this.notify("");
    this.choose(said.columns);
  }

  /** @param {string[]} columns */
  choose(columns) {
    const picks = ["own_x1", "own_x2", "own_target"].map((key, i) => {
      const label = document.createElement("label");
      label.className = "field";
      const box = document.createElement("select");
      box.dataset.own = key;
      for (const name of columns) box.append(new Option(name, name));
      box.value = columns[i === 2 ? columns.length - 1 : i];
      label.append(t(key), box);
      return { label, box };
    });
    const go = document.createElement("button");
    go.textContent = t("own_use");
    go.dataset.own = "use";
    go.onclick = () => {
      const [a, b, target] = picks.map(({ box }) => box.value);
      this.connection.send({ type: "own", columns: [a, b], target });
    };
    this.box.replaceChildren(...picks.map(({ label }) => label), go);
  }
}
