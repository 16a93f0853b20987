"use strict";

/**
 * The picture with its labels: looked at, picked from, painted on.
 *
 * `props.value` is what `values.viewer_value` makes; events back are `select`, `input`.
 */
segmint.attachViewer = (element, props, trigger, watch) => {
  const { make, store } = segmint;
  const root = segmint.mount(element, "segmint-viewer");
  const stage = make("div", {
    class: "segmint-stage", tabindex: 0, role: "application",
    "aria-label": "Picture. Arrow keys move a crosshair, shift ten pixels at a time; Enter picks, "
      + "or puts the brush down and up; plus, minus and zero zoom.",
  });
  const look = {
    mode: "look", map: "labels", slice: 0, fades: { labels: 45, map: 100 },
    // Who paints looks at all of the result, not at one side of it.
    shows: { looking: "side", painting: "result" },
  };

  const camera = segmint.createCamera(stage, () => place());
  const layers = segmint.createLayers(stage, camera);
  const edge = segmint.createEdge(stage, camera, (x, top) => cut(x, top));
  const furniture = segmint.createFurniture(stage, camera);
  const readout = segmint.createReadout(camera);
  const scale = segmint.createScale();
  const slices = segmint.createSlices(slice => {
    look.slice = slice;
    load();
  });
  const painting = segmint.createPainting({
    camera, layer: layers.strokes, trigger, say: furniture.say,
  });
  const crosshair = segmint.createCrosshair(stage, camera, { moved: aim, pressed: press });
  const toolbar = segmint.createToolbar(choose);
  const loading = segmint.createLoading({ layers, camera, colorOf });
  const body = make("div", { class: "segmint-body" }, painting.panel, stage);
  root.append(toolbar.element, body, slices.element, scale.element, readout.element);
  let [shown, wasMode, opened, wasBusy] = [null, null, false, false];

  function place() {
    layers.place();
    edge.place();
    crosshair.draw();
    stage.classList.toggle("segmint-zoomed", !camera.fitted);
  }

  function cut(x, top) {
    const full = { result: 0, picture: Infinity }[look.shows[doing()]];
    layers.cutResult(hasResult() ? full ?? x : Infinity);
    stage.style.setProperty("--segmint-cut", `${x}px`);
    stage.style.setProperty("--segmint-top", `${top}px`);
  }

  function hasResult() {
    return store.value.version != null || Boolean(store.value.frame);
  }

  /** The mode that is asked for, where it can be. */
  function modeNow() {
    const can = { pick: canPick(), paint: canPaint() }[look.mode] ?? true;
    return can ? look.mode : "look";
  }

  function canPick() {
    return Boolean(store.value.can_change);
  }

  function canPaint() {
    return Boolean(store.value.view && store.value.scribbles && (store.value.can_paint ?? true));
  }

  function colorOf(id) {
    return colors.get(id) ?? segmint.palette.colorOf(id);
  }
  let colors = new Map();

  function choose(name, value) {
    if (name === "opacity") look.fades[fadeName()] = value;
    else if (name === "outlines") layers.showOutlines(value);
    else if (name === "show") look.shows[doing()] = value;
    else look[name] = value;
    if (name === "opacity") layers.fade(value / 100);
    else if (name === "map") load();
    else if (name !== "outlines") arrange();
  }

  function doing() {
    return modeNow() === "paint" ? "painting" : "looking";
  }

  function fadeName() {
    return look.map === "labels" ? "labels" : "map";
  }

  /** Show what belongs to the mode and the way of showing, and hide the rest. */
  function arrange() {
    const mode = modeNow();
    stage.dataset.mode = mode;
    toolbar.modes.set(mode);
    toolbar.shows.set(look.shows[doing()]);
    painting.panel.hidden = mode !== "paint";
    layers.strokes.hidden = mode !== "paint";
    if (mode !== "paint") furniture.brush(null);
    const compares = hasResult() && look.shows[doing()] === "side";
    edge.handle.hidden = !compares;
    furniture.sides(compares);
    edge.place();
  }

  function offer() {
    const { value } = store;
    const maps = value.frame ? [] : value.maps ?? [];
    const layersOffered = [{ name: "labels", title: "Components" }, ...maps];
    if (!layersOffered.some(each => each.name === look.map)) look.map = "labels";
    toolbar.offer({
      canPick: canPick(), canPaint: canPaint(), hasResult: hasResult(), layers: layersOffered,
    });
    toolbar.select.value = look.map;
  }

  function receive() {
    const { value } = store;
    const key = [value.desk, value.picture, value.version].join("/");
    colors = new Map((value.legend ?? []).map(row => [row.id, row.color]));
    if (value.mode && value.mode !== wasMode) look.mode = value.mode;
    wasMode = value.mode;
    if (key !== shown) {
      look.slice = value.slice ?? 0;
      crosshair.forget();
      readout.clear();
    }
    shown = key;
    furniture.hasPicture(Boolean(value.view));
    furniture.busy(value.busy);
    if (value.busy && !wasBusy) reveal();
    wasBusy = Boolean(value.busy);
    furniture.badge(value.frame?.text ?? (value.preview ? "preview" : null));
    readout.reserve(value.has_probabilities);
    slices.receive(value.slices ?? 1, look.slice);
    offer();
    if (value.view) painting.receive(value);
    arrange();
    load();
  }

  /** On a phone the picture lies below the button that starts the work. */
  function reveal() {
    const { top, bottom } = stage.getBoundingClientRect();
    const seen = Math.min(bottom, innerHeight) - Math.max(top, 0);
    if (seen < Math.min(bottom - top, innerHeight) / 2) root.scrollIntoView({ block: "start" });
  }

  async function load() {
    const { value } = store;
    const ended = await loading.load(value, look);
    if (ended === null) return;
    furniture.say(ended.fault);
    if (ended.fault || !value.view) return;
    stage.style.setProperty("--segmint-ratio", value.view.width / value.view.height);
    if (!opened) camera.fit();
    opened = true;
    layers.fade(look.fades[fadeName()] / 100);
    toolbar.opacity.set(look.fades[fadeName()]);
    scale.show((value.maps ?? []).find(each => each.name === look.map) ?? null);
    slices.set(look.slice);
    painting.redraw();
    place();
  }

  /** A crosshair moved by keys. */
  function aim(point) {
    crosshair.draw();
    if (painting.isOpen) painting.extend([point]);
    if (modeNow() === "paint") furniture.brush(point, painting.brush);
    readout.show(point, layers.idAt(point), look.slice, { aloud: true });
  }

  /** Enter or space: what a tap does, or the brush goes down, or up again. */
  function press(point = crosshair.here()) {
    if (!point) return;
    if (modeNow() !== "paint") tap(point);
    else if (painting.isOpen) painting.end();
    else painting.begin(point);
  }

  function tap(point) {
    const id = layers.idAt(point);
    readout.show(point, id, look.slice, { aloud: true });
    if (modeNow() === "pick" && id !== null && id >= 0) {
      trigger("select", { ids: segmint.toggle(id) });
    }
  }

  function inside({ x, y }) {
    return x >= 0 && y >= 0 && x < camera.width && y < camera.height;
  }

  function hover(point) {
    crosshair.hide();
    const id = inside(point) ? layers.idAt(point) : null;
    if (modeNow() === "paint") furniture.brush(point, painting.brush);
    else segmint.hover(id !== null && id >= 0 ? id : null, "viewer");
    if (store.value.view && inside(point)) readout.show(point, id, look.slice);
  }

  function leave() {
    furniture.brush(null);
    segmint.hover(null, null);
  }

  segmint.listenToPointers(stage, camera, {
    hover,
    leave,
    tap,
    press: () => press(),
    paints: () => modeNow() === "paint",
    begin: point => inside(point) && painting.begin(point),
    extend: painting.extend,
    end: painting.end,
    cancel: painting.cancel,
  });

  const ZOOMS = { "+": () => camera.zoom(1.5), "=": () => camera.zoom(1.5), "-": () => camera.zoom(1 / 1.5), 0: camera.fit };
  stage.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !ZOOMS[event.key]) return;
    ZOOMS[event.key]();
    event.preventDefault();
  });

  segmint.onShortcut({
    undo: () => modeNow() === "paint" && painting.undo(),
    redo: () => modeNow() === "paint" && painting.redo(),
    escape() {
      if (painting.isOpen) return painting.cancel();
      if (!store.selected.size) return;
      segmint.select([]);
      trigger("select", { ids: [] });
    },
  });

  segmint.on("viewer", "value", receive);
  segmint.on("viewer", "hover", segmint.beforeFrame(layers.drawHovered));
  segmint.on("viewer", "selection", segmint.beforeFrame(layers.drawMarks));
  watch("value", () => segmint.receive(props.value));
  segmint.receive(props.value);
};
