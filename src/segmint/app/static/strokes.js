"use strict";

/** Strokes as vectors in native pixels, where pixel k spans k to k + 1, with undo and redo. */
segmint.createStrokes = changed => {
  const MOST_STROKES = 2000;
  const MOST_POINTS = 200000;
  let now = { strokes: [], base: false };
  let [past, future, open] = [[], [], null];

  function go(next) {
    past.push(now);
    future = [];
    now = next;
    changed();
  }

  function countPoints() {
    return now.strokes.reduce((sum, stroke) => sum + stroke.points.length, 0);
  }

  return {
    get strokes() { return open ? [...now.strokes, open] : now.strokes; },
    get base() { return now.base; },
    get open() { return open; },
    get canUndo() { return past.length > 0; },
    get canRedo() { return future.length > 0; },
    get isEmpty() { return !now.strokes.length && !now.base; },
    get isFull() { return now.strokes.length >= MOST_STROKES || countPoints() >= MOST_POINTS; },

    begin(id, width, point) {
      open = { id, width, points: [round(point)] };
    },
    /** Add a point, unless it is so near the last that nobody would see it; says whether. */
    extend(point, nearest) {
      const next = round(point);
      const last = open.points.at(-1);
      if (Math.hypot(next[0] - last[0], next[1] - last[1]) < nearest) return false;
      open.points.push(next);
      return true;
    },
    end() {
      const stroke = open;
      open = null;
      if (stroke) go({ ...now, strokes: [...now.strokes, stroke] });
    },
    cancel() {
      open = null;
    },
    undo() {
      if (!past.length) return;
      future.push(now);
      now = past.pop();
      changed();
    },
    redo() {
      if (!future.length) return;
      past.push(now);
      now = future.pop();
      changed();
    },
    clear() {
      if (now.strokes.length || now.base) go({ strokes: [], base: false });
    },
    /** Begin anew from what the server has. */
    reset(strokes, base) {
      [past, future, open] = [[], [], null];
      now = { strokes, base };
    },
  };

  function round({ x, y }) {
    return [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
  }
};

/** Draw one stroke, or its last points from index `from` on; id 255 erases. */
segmint.drawStroke = (context, stroke, from = 0) => {
  const points = stroke.points.slice(Math.max(0, from - 1));
  context.globalCompositeOperation = stroke.id === 255 ? "destination-out" : "source-over";
  context.strokeStyle = context.fillStyle = segmint.palette.colorOf(stroke.id % 255);
  context.lineWidth = stroke.width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  if (points.length === 1) {
    context.arc(...points[0], stroke.width / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  points.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
};
