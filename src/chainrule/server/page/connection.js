// The connection to the server: messages both ways, frames acknowledged once they are drawn.

import { kindOf, readFrame } from "./frame.js";

/** @typedef {import("./types.js").Frame} Frame */

const PROTOCOL = "chainrule.playground.1";
const FATAL = new Set([4001, 4002, 4004]);

export class Connection {
  /**
   * @param {string} token
   * @param {{message: (m: any) => void, frame: (f: Frame) => void,
   *   binary: (data: ArrayBuffer, kind: string) => void,
   *   status: (s: "open"|"lost"|"refused"|"taken"|"full"|"invalid") => void, hello: () => any}} handlers
   */
  constructor(token, handlers) {
    this.token = token;
    this.handlers = handlers;
    this.tries = 0;
    /** @type {Frame|null} */
    this.latest = null;
    /** @type {number[]} */
    this.received = [];
    /** @type {WebSocket|null} */
    this.socket = null;
    this.opened = false;
    /** Commands told on this socket, and which of them changed settings last. */
    this.told = 0;
    this.changed = 0;
    document.addEventListener("visibilitychange", () => this.sayVisible());
    this.open();
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/ws`, [PROTOCOL, `token.${this.token}`]);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.tries = this.told = this.changed = 0;
      this.opened = true;
      socket.send(JSON.stringify({ type: "hello", session: remembered(), ...this.handlers.hello() }));
      this.sayVisible();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.closed(event.code);
  }

  /** @param {number} code */
  closed(code) {
    this.latest = null;
    this.received = [];
    if (FATAL.has(code)) {
      this.handlers.status(code === 4001 ? "full" : code === 4002 ? "taken" : "invalid");
      return;
    }
    this.handlers.status(this.opened ? "lost" : "refused");
    this.tries += 1;
    setTimeout(() => this.open(), Math.min(8000, 250 * 2 ** this.tries));
  }

  /** @param {string|ArrayBuffer} data */
  receive(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.type === "welcome") {
        remember(message.session);
        this.handlers.status("open");
      }
      this.handlers.message(message);
    } else if (kindOf(data) !== "CRF1") {
      this.handlers.binary(data, kindOf(data));
    } else {
      const frame = readFrame(data);
      this.received.push(frame.sequence);
      if (!this.latest) requestAnimationFrame(() => this.draw());
      this.latest = frame;
    }
  }

  draw() {
    const frame = this.latest;
    this.latest = null;
    if (frame) this.handlers.frame(frame);
    for (const sequence of this.received.splice(0)) this.send({ type: "drawn", frame: sequence });
  }

  sayVisible() {
    this.send({ type: "visible", visible: document.visibilityState === "visible" });
  }

  /** A command for the session. @param {Record<string, any>} message */
  tell(message) {
    this.told += 1;
    if (message.type === "set") this.changed = this.told;
    this.send(message);
  }

  /** Whether the server had not heard of the latest settings when it said this. @param {{heard: number}} message */
  isBehind(message) {
    return message.heard < this.changed;
  }

  /** @param {Record<string, any>} message */
  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /**
   * A request beside the socket: a file up or down.
   * @param {string} path @param {RequestInit} [options]
   */
  request(path, options = {}) {
    const headers = { ...options.headers, Authorization: `Bearer ${this.token}`, "X-Session": remembered() };
    return fetch(path, { ...options, headers });
  }
}

/** The session of this tab: it survives a reload, not the tab. */
function remembered() {
  try {
    return sessionStorage.getItem("session") ?? "";
  } catch {
    return "";
  }
}

/** @param {string} session */
function remember(session) {
  try {
    sessionStorage.setItem("session", session);
  } catch {
    // a page that may not store begins a new session when it is reloaded
  }
}

/** The launch's token: from the link that opened the page, then out of the address bar. */
export function takeToken() {
  const query = new URLSearchParams(location.search);
  const given = query.get("token");
  try {
    if (given) localStorage.setItem("token", given);
    else return localStorage.getItem("token") ?? "";
  } catch {
    return given ?? "";
  }
  history.replaceState(null, "", `${location.pathname}${location.hash}`);
  return given;
}
