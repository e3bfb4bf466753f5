// Canvases as sharp as the screen, and colours of the page on them.

/** As many pixels as the screen has; null while it is not shown. @param {HTMLCanvasElement} canvas */
export function fit(canvas) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const context = canvas.getContext("2d");
  if (!context || !width || !height) return null;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  context.scale(ratio, ratio);
  return context;
}

/** @param {HTMLElement} element @param {string} name of a custom property */
export const colour = (element, name) => getComputedStyle(element).getPropertyValue(name);

/**
 * A ring with a cross through it, where the keyboard writes.
 * @param {CanvasRenderingContext2D} context @param {[number, number]} at @param {number} radius
 * @param {number} arm of the cross @param {[string, number][]} lines colour and width, the last on top
 */
export function crosshair(context, [x, y], radius, arm, lines) {
  for (const [colour, width] of lines) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
}
