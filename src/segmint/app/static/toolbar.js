"use strict";

/** Buttons of which one is pressed; `.set(value)` presses one without telling. */
segmint.makeChoice = (label, options, chosen) => {
  const buttons = new Map(options.map(([value, text]) => [value, segmint.make("button", {
    type: "button",
    "aria-pressed": "false",
    onclick: () => {
      set(value);
      chosen(value);
    },
  }, text)]));
  const element = segmint.make("div", {
    class: "segmint-choice", role: "group", "aria-label": label,
  }, ...buttons.values());

  function set(value) {
    for (const [each, button] of buttons) button.setAttribute("aria-pressed", String(each === value));
  }

  return { element, set, button: value => buttons.get(value) };
};

/** A labelled slider; `.set(value)` moves it without telling. */
segmint.makeRange = (label, { min, max, value, unit = "" }, changed) => {
  const input = segmint.make("input", { type: "range", min, max, value, step: 1 });
  const output = segmint.make("output", {});
  const element = segmint.make("label", { class: "segmint-range" },
    segmint.make("span", {}, label), input, output);
  const show = () => (output.textContent = `${input.value}${unit}`);
  input.addEventListener("input", () => {
    show();
    changed(Number(input.value));
  });
  show();
  return {
    element,
    input,
    set(next) {
      input.value = next;
      show();
    },
  };
};

/** The bar over the stage; `tell` hears ("mode" | "show" | "map" | "opacity" | "outlines", value). */
segmint.createToolbar = tell => {
  const { make } = segmint;
  const modes = segmint.makeChoice("What the mouse does",
    [["look", "Look"], ["pick", "Pick"], ["paint", "Paint"]], value => tell("mode", value));
  const shows = segmint.makeChoice("What is shown",
    [["side", "Compare"], ["result", "Result"], ["picture", "Picture"]], value => tell("show", value));
  const select = make("select", { "aria-label": "Layer", onchange: () => tell("map", select.value) });
  const maps = make("label", { class: "segmint-maps" }, make("span", {}, "Layer"), select);
  const opacity = segmint.makeRange("Opacity", { min: 0, max: 100, value: 45, unit: " %" },
    value => tell("opacity", value));
  opacity.element.classList.add("segmint-opacity");
  const outlines = make("button", {
    type: "button",
    class: "segmint-toggle",
    "aria-pressed": "true",
    onclick: () => {
      const shown = outlines.getAttribute("aria-pressed") !== "true";
      outlines.setAttribute("aria-pressed", String(shown));
      tell("outlines", shown);
    },
  }, "Outlines");
  const element = make("div", { class: "segmint-toolbar" },
    modes.element, shows.element, maps, opacity.element, outlines);

  /** What can be chosen depends on what there is. */
  function offer({ canPick, canPaint, hasResult, layers }) {
    modes.button("pick").hidden = !canPick;
    modes.button("paint").hidden = !canPaint;
    modes.element.hidden = !canPick && !canPaint;
    shows.element.hidden = opacity.element.hidden = outlines.hidden = !hasResult;
    maps.hidden = layers.length < 2;
    const names = layers.map(each => each.name).join("\n");
    if (select.dataset.names === names) return;
    select.dataset.names = names;
    select.replaceChildren(...layers.map(each => make("option", { value: each.name }, each.title)));
  }

  return { element, modes, shows, opacity, select, offer };
};
