// Files dropped anywhere on the page go to whoever takes files of their kind.

/** @typedef {{takes: (file: File, head: string) => boolean, take: (file: File) => void}} Taker */

const HEAD_BYTES = 4096;

/**
 * @param {Taker[]} takers asked in their order; the first that takes a file gets it
 * @param {(file: File) => void} refuse
 */
export function takeDrops(takers, refuse) {
  let depth = 0;
  const over = (/** @type {boolean} */ on) => document.body.classList.toggle("dropping", on);
  const holdsFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    depth += 1;
    over(true);
  });
  addEventListener("dragleave", (event) => {
    if (!holdsFiles(event)) return;
    depth = Math.max(0, depth - 1);
    over(depth > 0);
  });
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", async (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    const head = await file.slice(0, HEAD_BYTES).text();
    const taker = takers.find((one) => one.takes(file, head));
    if (taker) taker.take(file);
    else refuse(file);
  });
}

/** @param {string} ending */
export const named = (ending) => (/** @type {File} */ file) => file.name.toLowerCase().endsWith(ending);
