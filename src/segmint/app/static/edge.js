"use strict";

/** The line between picture and result, moved by mouse, finger or keys. */
segmint.createEdge = (stage, camera, moved) => {
  const handle = segmint.make("div", {
    class: "segmint-edge",
    role: "slider",
    tabindex: 0,
    "aria-label": "Edge between picture and result",
    "aria-valuemin": 0,
    "aria-valuemax": 100,
    "data-own-pointer": true,
  });
  let share = 50;
  stage.append(handle);

  function set(percent) {
    share = segmint.clamp(percent, 0, 100);
    handle.setAttribute("aria-valuenow", Math.round(share));
    handle.setAttribute("aria-valuetext", `${Math.round(share)} % picture`);
    place();
  }

  function place() {
    const { left, right, top, bottom } = camera.seen();
    const x = left + (share / 100) * (right - left);
    handle.style.left = `${x}px`;
    handle.style.top = `${top}px`;
    handle.style.height = `${bottom - top}px`;
    moved(x, top);
  }

  handle.addEventListener("pointerdown", event => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus({ preventScroll: true });
  });
  handle.addEventListener("pointermove", event => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const { left, right } = camera.seen();
    const x = event.clientX - stage.getBoundingClientRect().left - stage.clientLeft;
    set((100 * (x - left)) / (right - left));
  });

  const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10 };
  handle.addEventListener("keydown", event => {
    const step = STEPS[event.key] * (event.shiftKey ? 10 : 1);
    if (step) set(share + step);
    else if (event.key === "Home") set(0);
    else if (event.key === "End") set(100);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return { handle, place, set };
};
