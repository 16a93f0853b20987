"use strict";

/**
 * The canvases of the stage, one over the other: each is painted when what it shows changes, and
 * moved, faded and clipped by the browser, so that none of these paints anything again.
 */
segmint.createLayers = (stage, camera) => {
  const LINE = 1.3;
  const PIXELS_SHOW_FROM = 3;
  const under = makePane("segmint-under");
  const result = makePane("segmint-result");
  const over = makePane("segmint-over");
  const picture = makeCanvas(under, "segmint-picture");
  const fill = makeCanvas(result, "segmint-fill");
  const map = makeCanvas(result, "segmint-map");
  const outlines = makeCanvas(result, "segmint-outlines");
  const shade = makeCanvas(over, "segmint-shade");
  const hovered = makeCanvas(over, "segmint-hovered");
  const selection = makeCanvas(over, "segmint-selection");
  const strokes = makeCanvas(over, "segmint-strokes");
  let [labels, thickness, mapShown] = [null, 0, false];

  function makePane(name) {
    const world = segmint.make("div", { class: "segmint-world" });
    const pane = segmint.make("div", { class: `segmint-pane ${name}` }, world);
    stage.append(pane);
    return { pane, world };
  }

  function makeCanvas({ world }, name) {
    const canvas = segmint.make("canvas", { class: name, "aria-hidden": "true" });
    Object.assign(canvas, { width: 1, height: 1 });
    world.append(canvas);
    return canvas;
  }

  function drawImage(canvas, bitmap) {
    Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
  }

  function clear(canvas) {
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  /** Paint each label in its color: full, because the layer itself fades. */
  function paintFill(colorOf) {
    const image = new ImageData(labels.width, labels.height);
    const pixels = new Uint32Array(image.data.buffer);
    const known = new Map();
    let [last, color] = [null, 0];
    for (let i = 0; i < pixels.length; i++) {
      if (labels.ids[i] !== last) {
        last = labels.ids[i];
        color = known.get(last);
        if (color === undefined) known.set(last, (color = pack(colorOf(last))));
      }
      pixels[i] = color;
    }
    Object.assign(fill, { width: labels.width, height: labels.height });
    fill.getContext("2d").putImageData(image, 0, 0);
  }

  function pack(color) {
    const [red, green, blue] = segmint.palette.split(color);
    return (255 << 24) | (blue << 16) | (green << 8) | red;
  }

  /** Thickness of outlines in their layer, so that they are as thick at every zoom. */
  function wantedThickness() {
    const scale = camera.scale / segmint.outlines.grainOf(labels);
    return segmint.clamp(Math.round(LINE / scale), 1, 8);
  }

  function drawLines() {
    thickness = wantedThickness();
    segmint.outlines.drawAll(outlines, labels, thickness);
    drawMarks();
    drawHovered();
  }

  function accent() {
    const color = getComputedStyle(stage).getPropertyValue("--segmint-mark").trim();
    return segmint.palette.split(color || "#0069a6");
  }

  function drawMarks() {
    if (!labels) return clear(selection);
    const chosen = segmint.store.selected;
    segmint.outlines.drawAround(selection, labels, chosen, 3 * thickness, accent());
  }

  function drawHovered() {
    const { hovered: id, hoveredFrom } = segmint.store;
    clear(shade);
    // Without it, lines would run after every mouse that only passes over the picture.
    if (!labels || id === null || stage.dataset.mode === "look" && hoveredFrom === "viewer") {
      return clear(hovered);
    }
    segmint.outlines.drawAround(hovered, labels, new Set([id]), 2 * thickness, accent());
    if (hoveredFrom === "legend") shadeAllBut(id);
  }

  function shadeAllBut(id) {
    const image = new ImageData(labels.width, labels.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) if (labels.ids[i] !== id) pixels[i] = 0x99000000;
    Object.assign(shade, { width: labels.width, height: labels.height });
    shade.getContext("2d").putImageData(image, 0, 0);
  }

  const drawLinesLater = segmint.debounce(
    () => labels && wantedThickness() !== thickness && drawLines(), 80);

  /** Move all layers to where the camera has them. */
  function place() {
    for (const { world } of [under, result, over]) {
      world.style.width = `${camera.width * camera.scale}px`;
      world.style.height = `${camera.height * camera.scale}px`;
      world.style.transform = `translate(${camera.left}px, ${camera.top}px)`;
    }
    const zoom = camera.scale * (window.devicePixelRatio || 1);
    stage.classList.toggle("segmint-pixels", zoom >= PIXELS_SHOW_FROM);
    drawLinesLater();
  }

  return {
    strokes,
    place,
    drawMarks,
    drawHovered,
    showPicture: bitmap => drawImage(picture, bitmap),
    showLabels(next, colorOf) {
      labels = next;
      if (!labels) return [fill, outlines, shade, hovered, selection].forEach(clear);
      paintFill(colorOf);
      return drawLines();
    },
    showMap(bitmap) {
      mapShown = bitmap !== null;
      if (mapShown) drawImage(map, bitmap);
      map.hidden = !mapShown;
      fill.hidden = mapShown;
    },
    fade: share => ((mapShown ? map : fill).style.opacity = share),
    showOutlines: shown => (outlines.hidden = !shown),
    /** Show the result from this x of the stage on; nothing of it at Infinity. */
    cutResult(x) {
      result.pane.hidden = x === Infinity;
      result.pane.style.clipPath = x > 0 && x < Infinity ? `inset(0 0 0 ${x}px)` : "";
    },
    /** The id under a point of the view: -1 outside the region, null where nothing is. */
    idAt({ x, y }) {
      if (!labels) return null;
      const column = Math.floor((x * labels.width) / camera.width);
      const row = Math.floor((y * labels.height) / camera.height);
      if (column < 0 || row < 0 || column >= labels.width || row >= labels.height) return null;
      return labels.ids[row * labels.width + column];
    },
  };
};
