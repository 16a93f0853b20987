"use strict";

/** The slider through the slices of a stack. */
segmint.createSlices = chosen => {
  const range = segmint.makeRange("Slice", { min: 0, max: 0, value: 0 }, slice => {
    name(slice);
    chosen(slice);
  });
  range.element.classList.add("segmint-slices");
  let count = 1;

  function name(slice) {
    const text = `${slice + 1} of ${count}`;
    range.element.querySelector("output").textContent = text;
    range.input.setAttribute("aria-valuetext", text);
  }

  function set(slice) {
    if (document.activeElement !== range.input) range.set(slice);
    name(Number(range.input.value));
  }

  return {
    element: range.element,
    set,
    receive(number, slice) {
      count = number;
      range.element.hidden = count < 2;
      range.input.max = count - 1;
      range.set(slice);
      name(slice);
    },
  };
};

/** What the colors of a map mean. */
segmint.createScale = () => {
  const [title, low, high] = ["segmint-scale-title", "", ""].map(name =>
    segmint.make("span", { class: name }));
  const bar = segmint.make("span", { class: "segmint-scale-bar", "aria-hidden": "true" });
  const element = segmint.make("p", { class: "segmint-scale" }, title, low, bar, high);
  element.hidden = true;
  const write = value => String(Number(Number(value).toPrecision(3)));

  function show(map) {
    element.hidden = map === null;
    if (!map) return;
    title.textContent = map.title;
    low.textContent = write(map.low);
    high.textContent = [write(map.high), map.unit].filter(Boolean).join(" ");
  }

  return { element, show };
};
