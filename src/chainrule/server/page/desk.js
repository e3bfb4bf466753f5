// What the parts of the page share: the state, the run, the moment shown; and who hears of them.

import { t } from "./i18n.js";

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Part} Part */
/** @typedef {import("./types.js").Points} Points */
/** @typedef {import("./connection.js").Connection} Connection */

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

export class Desk {
  /** @param {import("./state.js").State} state */
  constructor(state) {
    this.state = state;
    /** @type {Run|null} */
    this.run = null;
    /** @type {Frame|null} */
    this.frame = null;
    this.playing = false;
    this.changed = false;
    /** Whether settings that came from the server are being taken, which are not sent back. */
    this.applying = false;
    /** Whether what comes from the server was said before it heard of the settings chosen last. */
    this.behind = false;
    /** @type {Part[]} */
    this.parts = [];
    /** @type {Connection|null} */
    this.connection = null;
  }

  /** Every part of the page, in the order in which they hear. @param {Part[]} parts */
  add(...parts) {
    this.parts.push(...parts);
  }

  /** @param {Record<string, any>} message */
  send(message) {
    this.connection?.tell(message);
  }

  /** A message of the server to whichever part reads it. @param {any} message */
  receive(message) {
    this.behind = Boolean(this.connection?.isBehind(message));
    if (message.type === "run") this.begin(message);
    else if (message.type === "status") this.status(message);
    else if (message.type === "failed") this.notify(t("failed"), message.message);
    else if (message.type === "error") this.notify(t("refused"), message.message);
    else for (const part of this.parts) part.messages?.[message.type]?.(message);
  }

  /** @param {ArrayBuffer} data @param {string} kind the four letters it begins with */
  receiveBinary(data, kind) {
    for (const part of this.parts) part.binary?.[kind]?.(data);
  }

  /** @param {Run} run */
  begin(run) {
    this.run = run;
    this.frame = null;
    this.notify(run.failure ? t("failed") : "", run.failure ?? "");
    this.take(run.settings);
    for (const part of this.parts) part.begin?.(run);
    this.status({
      playing: run.playing, inside: false, settings: run.settings, changed: this.changed, failure: run.failure,
    });
  }

  /** Settings as the server has them, without sending them back. @param {Record<string, any>} settings */
  take(settings) {
    if (this.behind) return;
    this.applying = true;
    this.state.set(settings);
    this.applying = false;
    const moved = this.run && (this.run.settings.across !== settings.across || this.run.settings.up !== settings.up);
    if (this.run && moved) this.run.settings = settings;
    for (const part of this.parts) part.taken?.(Boolean(moved));
  }

  /** @param {Status} status */
  status(status) {
    this.playing = status.playing;
    this.changed = status.changed;
    for (const part of this.parts) part.status?.(status);
    if (!status.failure && $("notice").dataset.failure) this.notify("");
    if (status.failure) {
      this.notify(t("failed"), status.failure);
      $("notice").dataset.failure = "yes";
    }
    this.take(status.settings);
  }

  /** @param {Frame} frame */
  show(frame) {
    if (!this.run || frame.run !== this.run.run) return;
    this.frame = frame;
    for (const part of this.parts) part.show?.(frame);
  }

  /** Language, colours or what is hidden has changed. */
  redraw() {
    for (const part of this.parts) part.redraw?.();
    if (this.frame) this.show(this.frame);
  }

  /** A word in the foot of the page, for all who listen. @param {string} text */
  say(text) {
    $("connection").textContent = text;
  }

  /** @param {string} text @param {string} [said] what the server said, in English whatever the page's language */
  notify(text, said = "") {
    const notice = $("notice");
    const quoted = document.createElement("bdi");
    quoted.lang = "en";
    quoted.textContent = said;
    notice.replaceChildren(said ? `${text} ` : text, quoted);
    notice.hidden = !text;
    delete notice.dataset.failure;
  }
}
