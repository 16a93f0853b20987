"use strict";

/**
 * Mouse, pen, fingers and wheel on the stage: two fingers, the middle button and space with a drag
 * move the picture; the rest goes to `tool`, which has `hover`, `leave`, `tap`, and, where
 * `paints()`, `begin`, `extend`, `end` and `cancel`.
 */
segmint.listenToPointers = (stage, camera, tool) => {
  const STILL = 4;
  const pointers = new Map();
  let [gesture, start, spread] = [null, null, null];
  const space = { held: false, used: false };

  stage.addEventListener("pointerdown", event => {
    if (event.target.closest("[data-own-pointer]")) return;
    if (event.button > 1) return;
    if (event.button === 1) event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    if (pointers.size === 1) beginGesture(event);
    else if (pointers.size === 2) beginPinch();
  });

  function beginGesture(event) {
    start = event;
    if (event.button === 1 || space.held) gesture = "pan";
    else if (tool.paints()) gesture = "paint";
    else gesture = "press";
    space.used = space.held;
    if (gesture === "paint") tool.begin(camera.toView(event.clientX, event.clientY));
  }

  function beginPinch() {
    if (gesture === "paint") tool.cancel();
    gesture = "pinch";
    spread = measurePinch();
  }

  function measurePinch() {
    const [a, b] = [...pointers.values()];
    const box = stage.getBoundingClientRect();
    return {
      x: (a.clientX + b.clientX) / 2 - box.left,
      y: (a.clientY + b.clientY) / 2 - box.top,
      length: Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)),
    };
  }

  stage.addEventListener("pointermove", event => {
    const before = pointers.get(event.pointerId);
    if (event.pointerType !== "touch") tool.hover(camera.toView(event.clientX, event.clientY));
    if (!before) return;
    pointers.set(event.pointerId, event);
    if (gesture === "press" && distance(event, start) > STILL) gesture = "pan";
    if (gesture === "pan") camera.pan(event.clientX - before.clientX, event.clientY - before.clientY);
    if (gesture === "paint") tool.extend(pathOf(event));
    if (gesture === "pinch") pinch();
  });

  function distance(event, other) {
    return Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
  }

  /** All points since the last event; a browser tells of several at once. */
  function pathOf(event) {
    const all = event.getCoalescedEvents?.() ?? [];
    return (all.length ? all : [event]).map(each => camera.toView(each.clientX, each.clientY));
  }

  function pinch() {
    if (pointers.size < 2) return;
    const now = measurePinch();
    camera.pan(now.x - spread.x, now.y - spread.y);
    camera.zoom(now.length / spread.length, now.x, now.y);
    spread = now;
  }

  function lift(event, finish) {
    if (!pointers.delete(event.pointerId)) return;
    if (gesture === "pinch" && pointers.size) return;
    const kind = gesture;
    gesture = null;
    finish(kind);
  }

  stage.addEventListener("pointerup", event => lift(event, kind => {
    if (kind === "paint") tool.end();
    if (kind === "press") tool.tap(camera.toView(event.clientX, event.clientY));
  }));
  stage.addEventListener("pointercancel", event => lift(event, kind => {
    if (kind === "paint") tool.cancel();
  }));
  stage.addEventListener("pointerleave", () => tool.leave());

  stage.addEventListener("wheel", event => {
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018));
    camera.zoom(factor, event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  stage.addEventListener("keydown", event => {
    if (event.key !== " " || event.target !== stage) return;
    event.preventDefault();
    if (!event.repeat) Object.assign(space, { held: true, used: false });
  });
  stage.addEventListener("keyup", event => {
    if (event.key !== " " || !space.held) return;
    space.held = false;
    if (!space.used) tool.press();
  });
  stage.addEventListener("blur", () => (space.held = false));
};
