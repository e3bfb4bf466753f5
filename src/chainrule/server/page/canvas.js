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
