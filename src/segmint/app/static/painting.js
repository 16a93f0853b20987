"use strict";

/** Brushes, the strokes they leave, and the buttons beside them. */
segmint.createPainting = ({ camera, layer, trigger, say }) => {
  const { make, store } = segmint;
  const ERASER = 255;
  const [FEWEST, MOST] = [8, 20];
  const names = new Map();
  let [chosen, count, width, seen, baseImage] = [0, FEWEST, 12, null, null];
  const context = layer.getContext("2d");

  const strokes = segmint.createStrokes(() => {
    redraw();
    send();
    showButtons();
  });
  const send = segmint.debounce(() => trigger("input", {
    picture: seen.picture,
    strokes: strokes.strokes,
    base: strokes.base,
    names: Object.fromEntries(names),
  }), 120);

  const list = make("ul", { class: "segmint-brush-list" });
  const add = make("button", { type: "button", onclick: addArea }, "Add area");
  const eraser = makePressed("Eraser", () => choose(ERASER));
  const range = segmint.makeRange("Brush width", { min: 1, max: 100, value: width }, value => {
    width = value;
  });
  const undo = make("button", { type: "button", onclick: strokes.undo }, "Undo");
  const redo = make("button", { type: "button", onclick: strokes.redo }, "Redo");
  const clear = make("button", { type: "button", onclick: strokes.clear }, "Clear");
  const save = make("a", { class: "segmint-button", download: "", onpointerdown: send.flush }, "Save");
  const file = make("input", { type: "file", accept: "image/png", class: "segmint-file" });
  const load = make("label", { class: "segmint-button" }, "Load", file);
  file.addEventListener("change", loadFile);
  const panel = make("div", { class: "segmint-brushes", role: "group", "aria-label": "Brushes" },
    list, make("div", { class: "segmint-brush-tools" }, add, eraser, range.element),
    make("div", { class: "segmint-brush-tools" }, undo, redo, clear, save, load));

  function makePressed(text, onclick) {
    return make("button", { type: "button", "aria-pressed": "false", onclick }, text);
  }

  function nameOf(id) {
    return names.get(id) ?? `area ${id}`;
  }

  function drawList() {
    list.replaceChildren(...Array.from({ length: count }, (_, id) => makeBrush(id)));
    add.hidden = count >= MOST;
    choose(chosen);
  }

  function makeBrush(id) {
    const swatch = make("span", { class: "segmint-swatch" });
    swatch.style.backgroundColor = segmint.palette.colorOf(id);
    const button = make("button", {
      type: "button",
      class: "segmint-brush",
      "aria-pressed": "false",
      "aria-label": `Paint ${nameOf(id)}`,
      "data-id": id,
      onclick: () => choose(id),
    }, swatch);
    const input = make("input", {
      type: "text", value: nameOf(id), maxlength: 60, "aria-label": `Name of area ${id}`,
      onchange: event => rename(id, event.target, button),
      onfocus: () => choose(id),
    });
    return make("li", {}, button, input);
  }

  function rename(id, input, button) {
    const name = input.value.trim();
    if (name && name !== `area ${id}`) names.set(id, name);
    else names.delete(id);
    input.value = nameOf(id);
    button.setAttribute("aria-label", `Paint ${nameOf(id)}`);
    send();
  }

  function choose(id) {
    chosen = id;
    for (const button of list.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.id) === id));
    }
    eraser.setAttribute("aria-pressed", String(id === ERASER));
  }

  function addArea() {
    count += 1;
    drawList();
    choose(count - 1);
    list.lastChild.querySelector("input").select();
  }

  function showButtons() {
    undo.disabled = !strokes.canUndo;
    redo.disabled = !strokes.canRedo;
    clear.disabled = strokes.isEmpty;
  }

  /** Take what the server knows, but only of another picture: of this one the page knows more. */
  function receive(value) {
    const same = seen && seen.desk === value.desk && seen.picture === value.picture;
    if (!same && seen) send.flush();
    seen = value;
    if (same) return;
    const given = value.scribbles ?? {};
    strokes.reset(given.strokes ?? [], Boolean(given.base));
    names.clear();
    for (const [id, name] of Object.entries(given.names ?? {})) names.set(Number(id), name);
    count = strokes.strokes.reduce((most, { id }) => Math.max(most, id % 255 + 1), FEWEST);
    setWidths(value);
    save.setAttribute("href", segmint.address(value, "scribbles.png"));
    drawList();
    showButtons();
    showBase(given.base ?? null);
  }

  function setWidths({ width: across, height: down }) {
    const side = Math.min(across, down);
    range.input.max = Math.max(10, Math.round(side / 4));
    range.set(segmint.clamp(Math.round(side / 40), 2, 60));
    width = Number(range.input.value);
  }

  async function loadFile() {
    const [chosenFile] = file.files;
    if (!chosenFile) return;
    file.value = "";
    const picture = seen;
    const address = segmint.address(picture, "scribbles");
    const answer = await fetch(address, { method: "POST", body: chosenFile })
      .then(async each => segmint.readAnswer(each.status, await each.text()))
      .catch(() => segmint.readAnswer(0, ""));
    if (picture.picture !== seen.picture) return;
    if (answer.error) return say(answer.error);
    strokes.reset([], true);
    showButtons();
    send();
    await showBase(typeof answer.base === "string" ? answer.base : chosenFile);
  }

  /** Paint the ids of loaded scribbles in their colors; 255 and all others are nothing. */
  async function showBase(source) {
    baseImage = null;
    redraw();
    if (!source) return;
    const picture = seen;
    const decoded = await segmint.images.ids(source).catch(() => null);
    if (!decoded || decoded.channels !== 1 || picture !== seen) return;
    const image = new ImageData(decoded.width, decoded.height);
    decoded.data.forEach((id, i) => {
      if (id < MOST) image.data.set([...segmint.palette.split(segmint.palette.colorOf(id)), 255], 4 * i);
    });
    baseImage = await createImageBitmap(image);
    redraw();
    const needed = decoded.data.reduce((most, id) => id < MOST ? Math.max(most, id + 1) : most, 0);
    if (needed <= count) return;
    count = needed;
    drawList();
  }

  function redraw() {
    if (!seen?.view) return;
    const grain = segmint.outlines.grainOf(seen.view);
    context.resetTransform();
    segmint.outlines.resize(layer, seen.view, grain);
    context.setTransform(layer.width / seen.width, 0, 0, layer.height / seen.height, 0, 0);
    if (baseImage && strokes.base) {
      context.globalCompositeOperation = "source-over";
      context.imageSmoothingEnabled = false;
      context.drawImage(baseImage, 0, 0, seen.width, seen.height);
    }
    for (const stroke of strokes.strokes) segmint.drawStroke(context, stroke);
  }

  function toNative({ x, y }) {
    const across = segmint.clamp((x * seen.width) / camera.width, 0, seen.width);
    return { x: across, y: segmint.clamp((y * seen.height) / camera.height, 0, seen.height) };
  }

  /** How near two points are in native pixels that look like one on the screen. */
  function nearest() {
    return Math.max((0.75 / camera.scale) * (seen.width / camera.width), width / 12, 0.2);
  }

  return {
    panel,
    receive,
    redraw,
    undo: strokes.undo,
    redo: strokes.redo,
    get isOpen() { return strokes.open !== null; },
    /** Diameter of the brush in CSS pixels, and its color. */
    get brush() {
      const color = chosen === ERASER ? "transparent" : segmint.palette.colorOf(chosen);
      return { size: width * camera.scale * (camera.width / (seen?.width ?? 1)), color };
    },
    begin(point) {
      if (strokes.isFull) return say("There are as many strokes as can be sent: undo or clear some");
      strokes.begin(chosen, width, toNative(point));
      return segmint.drawStroke(context, strokes.open);
    },
    extend(points) {
      if (!strokes.open || strokes.isFull) return;
      const from = strokes.open.points.length;
      const added = points.filter(point => strokes.extend(toNative(point), nearest()));
      if (added.length) segmint.drawStroke(context, strokes.open, from);
    },
    end: strokes.end,
    cancel() {
      strokes.cancel();
      redraw();
    },
  };
};
