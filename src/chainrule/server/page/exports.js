// What leaves the page: its address, the run as a script, the model file.

import { $ } from "./desk.js";
import { t } from "./i18n.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** @param {Desk} desk */
export function exports(desk) {
  $("script").onclick = () => download(desk, "api/script", "playground.py");
  $("model").onclick = () => download(desk, "api/model", "playground.safetensors");
  $("link").onclick = () => copyLink(desk);
}

/** The address, without the token, for somebody else's playground. @param {Desk} desk */
async function copyLink(desk) {
  const link = `${location.origin}/${desk.state.address()}`;
  try {
    await navigator.clipboard.writeText(link);
    desk.say(t(desk.changed ? "link_copied_changed" : "link_copied"));
  } catch {
    desk.notify(link);
  }
}

/** A file of the server's, saved. @param {Desk} desk @param {string} path @param {string} name */
export async function download(desk, path, name) {
  const answer = await desk.connection?.request(path);
  if (!answer?.ok) {
    desk.notify(t("refused"), await answer?.text());
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
