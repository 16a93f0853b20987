"use strict";

/** A place in the picture for those who move by keys, in native pixels. */
segmint.createCrosshair = (stage, camera, { moved, pressed }) => {
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const mark = segmint.make("div", { class: "segmint-crosshair", "aria-hidden": "true" });
  let place = null;
  mark.hidden = true;
  stage.append(mark);

  stage.addEventListener("keydown", event => {
    if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step) move(step, event.shiftKey ? 10 : 1);
    else if (event.key === "Enter") pressed(here());
    else return;
    event.preventDefault();
  });

  function move([across, down], pixels) {
    const { width, height } = segmint.store.value;
    if (!width) return;
    place ??= { x: Math.floor(width / 2), y: Math.floor(height / 2) };
    place.x = segmint.clamp(place.x + across * pixels, 0, width - 1);
    place.y = segmint.clamp(place.y + down * pixels, 0, height - 1);
    mark.hidden = false;
    camera.reveal(here().x, here().y);
    moved(here());
  }

  /** The middle of the native pixel, in pixels of the view; null before it was moved. */
  function here() {
    const { width, height } = segmint.store.value;
    if (!place || !width) return null;
    return {
      x: ((place.x + 0.5) * camera.width) / width,
      y: ((place.y + 0.5) * camera.height) / height,
    };
  }

  return {
    here,
    hide() {
      mark.hidden = true;
    },
    forget() {
      place = null;
      mark.hidden = true;
    },
    draw() {
      const at = here();
      if (!at) return;
      mark.style.left = `${camera.left + at.x * camera.scale}px`;
      mark.style.top = `${camera.top + at.y * camera.scale}px`;
    },
  };
};
