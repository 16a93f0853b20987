"use strict";

/** What stands over the picture beside the layers: badge, progress, zoom buttons, brush, fault. */
segmint.createFurniture = (stage, camera) => {
  const { make } = segmint;
  const badge = make("p", { class: "segmint-badge" });
  const progress = make("div", { class: "segmint-progress", "aria-hidden": "true" });
  const fault = make("p", { class: "segmint-fault", role: "alert" });
  const empty = make("p", { class: "segmint-empty" }, "Open a picture to begin.");
  const brush = make("div", { class: "segmint-cursor", "aria-hidden": "true" });
  const sides = ["Picture", "Result"].map(text =>
    make("span", { class: `segmint-side segmint-side-${text.toLowerCase()}`, "aria-hidden": "true" }, text));
  const zoom = make("div", {
    class: "segmint-zoom", role: "group", "aria-label": "Zoom", "data-own-pointer": true,
  },
  makeButton("+", "Zoom in", () => camera.zoom(1.5)),
  makeButton("\u2212", "Zoom out", () => camera.zoom(1 / 1.5)),
  makeButton("Fit", "Fit the picture", camera.fit));
  stage.append(...sides, badge, progress, empty, fault, brush, zoom);
  [badge, progress, fault, brush].forEach(each => (each.hidden = true));

  function makeButton(text, label, onclick) {
    return make("button", { type: "button", "aria-label": label, title: label, onclick }, text);
  }

  function write(element, text) {
    element.textContent = text ?? "";
    element.hidden = !text;
  }

  return {
    zoom,
    say: text => write(fault, text),
    badge: text => write(badge, text),
    busy(is) {
      progress.hidden = !is;
      stage.setAttribute("aria-busy", String(Boolean(is)));
    },
    hasPicture(has) {
      empty.hidden = has;
      zoom.hidden = !has;
    },
    /** Show the size of the brush where the pointer is; nothing for null. */
    brush(point, { size, color } = {}) {
      brush.hidden = !point;
      if (!point) return;
      brush.style.width = brush.style.height = `${size}px`;
      brush.style.left = `${camera.left + point.x * camera.scale}px`;
      brush.style.top = `${camera.top + point.y * camera.scale}px`;
      brush.style.backgroundColor = color;
    },
    sides: shown => sides.forEach(each => (each.hidden = !shown)),
  };
};
