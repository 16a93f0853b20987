"use strict";

/** Lines where labels meet, as `segmint.images.overlays` draws them in files. */
segmint.outlines = (() => {
  const SPECKS = [0.24, 0.4];
  const FAINTEST_LINE = 0.15;
  const MOST_PIXELS = 2.5e6;

  /** How many pixels across a line layer has for one of the labels: more for small pictures. */
  function grainOf({ width, height }) {
    return segmint.clamp(Math.floor(Math.sqrt(MOST_PIXELS / (width * height))), 1, 4);
  }

  /** Draw where any labels meet: white with dark edges, faint among specks. */
  function drawAll(canvas, labels, thickness) {
    const grain = grainOf(labels);
    const strengths = findStrengths(labels, thickness / grain);
    const area = { ...labels, x: 0, y: 0, framed: false, strengths };
    resize(canvas, labels, grain);
    stroke(canvas, area, grain, thickness, { core: [255, 255, 255], rim: [0, 0, 0, 0.6] });
  }

  /** Draw around some ids only, with a thick line of one color on white. */
  function drawAround(canvas, labels, chosen, thickness, core) {
    const grain = grainOf(labels);
    resize(canvas, labels, grain);
    const box = commonBox(labels, chosen);
    if (!box) return;
    const area = maskOf(labels, chosen, box);
    stroke(canvas, area, grain, thickness, { core, rim: [255, 255, 255, 0.9] });
  }

  /** Clear a canvas, and give it its size where it has another. */
  function resize(canvas, { width, height }, grain) {
    const [wide, tall] = [width * grain, height * grain];
    if (canvas.width !== wide || canvas.height !== tall) {
      Object.assign(canvas, { width: wide, height: tall });
    } else canvas.getContext("2d").clearRect(0, 0, wide, tall);
  }

  function commonBox(labels, chosen) {
    const boxes = [...chosen].map(id => labels.boxes.get(id)).filter(Boolean);
    if (!boxes.length) return null;
    const least = key => boxes.reduce((low, box) => Math.min(low, box[key]), Infinity);
    const most = key => boxes.reduce((high, box) => Math.max(high, box[key]), 0);
    const margin = 8;
    return {
      left: Math.max(0, least("left") - margin),
      top: Math.max(0, least("top") - margin),
      right: Math.min(labels.width - 1, most("right") + margin),
      bottom: Math.min(labels.height - 1, most("bottom") + margin),
    };
  }

  function maskOf(labels, chosen, box) {
    const [width, height] = [box.right - box.left + 1, box.bottom - box.top + 1];
    const ids = new Int32Array(width * height);
    let [last, inside] = [null, 0];
    for (let y = 0, i = 0; y < height; y++) {
      let from = (box.top + y) * labels.width + box.left;
      for (let x = 0; x < width; x++, i++, from++) {
        if (labels.ids[from] !== last) {
          last = labels.ids[from];
          inside = chosen.has(last) ? 1 : 0;
        }
        ids[i] = inside;
      }
    }
    return { width, height, ids, x: box.left, y: box.top, framed: true, strengths: null };
  }

  function stroke(canvas, area, grain, thickness, colors) {
    const rim = Math.max(1, Math.round(thickness / 2));
    const light = stampAll(area, grain, Math.ceil(thickness / 2), Math.floor(thickness / 2));
    const wide = [Math.ceil(thickness / 2) + rim, Math.floor(thickness / 2) + rim];
    const dark = stampAll(area, grain, ...wide);
    const image = compose(light, dark, area.width * grain, colors);
    canvas.getContext("2d").putImageData(image, area.x * grain, area.y * grain);
  }

  /** Strength 0 to 255 of a line that reaches so far before and after each border. */
  function stampAll({ width, height, ids, framed, strengths }, grain, before, after) {
    const [wide, tall] = [width * grain, height * grain];
    const out = new Uint8Array(wide * tall);
    const stamp = (left, top, right, bottom, value) => {
      const [x0, x1] = [Math.max(0, left - before), Math.min(wide, right + after)];
      const [y0, y1] = [Math.max(0, top - before), Math.min(tall, bottom + after)];
      for (let y = y0; y < y1; y++) {
        for (let i = y * wide + x0, end = y * wide + x1; i < end; i++) {
          if (out[i] < value) out[i] = value;
        }
      }
    };
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const [here, edge] = [ids[i], framed && ids[i] !== 0];
        const value = strengths ? strengths[i] : 255;
        const [left, top, right, down] = [grain * x, grain * y, grain * (x + 1), grain * (y + 1)];
        if (x + 1 < width ? ids[i + 1] !== here : edge) stamp(right, top, right, down, value);
        if (y + 1 < height ? ids[i + width] !== here : edge) stamp(left, down, right, down, value);
        if (edge && x === 0) stamp(left, top, left, down, value);
        if (edge && y === 0) stamp(left, top, right, top, value);
      }
    }
    return out;
  }

  function compose(light, dark, width, { core, rim }) {
    const image = new ImageData(width, light.length / width);
    const data = image.data;
    for (let i = 0, at = 0; i < light.length; i++, at += 4) {
      if (!dark[i]) continue;
      const over = light[i] / 255;
      const under = (1 - over) * rim[3] * (dark[i] / 255);
      const alpha = over + under;
      data[at] = (core[0] * over + rim[0] * under) / alpha;
      data[at + 1] = (core[1] * over + rim[1] * under) / alpha;
      data[at + 2] = (core[2] * over + rim[2] * under) / alpha;
      data[at + 3] = 255 * alpha;
    }
    return image;
  }

  /** Lines among specks would bury them: the share of borders around a pixel says how faint. */
  function findStrengths({ width, height, ids }, lineWidth) {
    const reach = Math.max(2, Math.round(4 * lineWidth));
    const sums = sumBorders(ids, width, height);
    const out = new Uint8Array(ids.length);
    for (let y = 0, i = 0; y < height; y++) {
      const [top, bottom] = [Math.max(0, y - reach), Math.min(height, y + reach + 1)];
      for (let x = 0; x < width; x++, i++) {
        const [left, right] = [Math.max(0, x - reach), Math.min(width, x + reach + 1)];
        const row = width + 1;
        const count = sums[bottom * row + right] - sums[top * row + right]
          - sums[bottom * row + left] + sums[top * row + left];
        const cover = (count / ((bottom - top) * (right - left))) * Math.max(1, lineWidth);
        const share = segmint.clamp((cover - SPECKS[0]) / (SPECKS[1] - SPECKS[0]), 0, 1);
        out[i] = 255 * (1 - share * (1 - FAINTEST_LINE));
      }
    }
    return out;
  }

  function sumBorders(ids, width, height) {
    const sums = new Int32Array((width + 1) * (height + 1));
    for (let y = 0, i = 0; y < height; y++) {
      let line = 0;
      for (let x = 0; x < width; x++, i++) {
        const across = x + 1 < width && ids[i] !== ids[i + 1];
        const down = y + 1 < height && ids[i] !== ids[i + width];
        line += across || down ? 1 : 0;
        sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + line;
      }
    }
    return sums;
  }

  return { grainOf, resize, drawAll, drawAround };
})();
