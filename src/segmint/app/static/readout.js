"use strict";

/** What lies under the pointer: place, component, and probabilities of classes. */
segmint.createReadout = camera => {
  const { make, store } = segmint;
  const MOST_SHOWN = 5;
  const line = make("p", { class: "segmint-line" });
  const bars = make("ul", { class: "segmint-probabilities", "aria-label": "Class probabilities" });
  const spoken = make("p", { class: "segmint-hidden", "aria-live": "polite" });
  const element = make("div", { class: "segmint-readout" }, line, bars, spoken);
  let [running, place] = [null, null];
  // Every place of a moving pointer would drown a listener: only where keys or taps come to rest.
  const speak = segmint.debounce(() => (spoken.textContent = line.textContent), 500);
  const ask = segmint.debounce(askProbabilities, 60);

  function show(point, id, slice, { aloud = false } = {}) {
    const { value } = store;
    place = { x: Math.floor(point.x), y: Math.floor(point.y), slice };
    const [x, y] = toNative(point, value);
    const parts = [`x ${x}, y ${y}`, ...describe(id)];
    line.replaceChildren(...parts.flatMap((part, index) => (index ? [" · ", part] : [part])));
    if (aloud) speak();
    if (value.has_probabilities && value.version != null && !value.frame) ask();
  }

  function toNative({ x, y }, value) {
    return [
      Math.floor((x * value.width) / camera.width),
      Math.floor((y * value.height) / camera.height),
    ];
  }

  function describe(id) {
    if (id === null) return [];
    if (id < 0) return ["outside the region"];
    const row = (store.value.legend ?? []).find(each => each.id === id);
    const swatch = make("span", { class: "segmint-swatch" });
    swatch.style.backgroundColor = row?.color ?? segmint.palette.colorOf(id);
    const named = make("span", { class: "segmint-named" }, swatch, `component ${id}`);
    if (!row) return [named];
    return [named, ...(row.name ? [row.name] : []), `${segmint.percent(row.fraction)} of the area`];
  }

  async function askProbabilities() {
    running?.abort();
    running = new AbortController();
    const { value } = store;
    const { x, y, slice } = place;
    const address = segmint.address(value, "probabilities", value.version);
    try {
      const { signal } = running;
      const answer = await fetch(`${address}?x=${x}&y=${y}&slice=${slice}`, { signal });
      if (answer.ok) drawBars((await answer.json()).probabilities);
    } catch (error) {
      if (error.name !== "AbortError") bars.replaceChildren();
    }
  }

  function drawBars(probabilities) {
    const rows = new Map((store.value.legend ?? []).map(row => [row.id, row]));
    const best = probabilities
      .map((share, id) => ({ share, id }))
      .sort((a, b) => b.share - a.share)
      .slice(0, MOST_SHOWN);
    bars.replaceChildren(...best.map(({ share, id }) => makeBar(share, id, rows.get(id))));
  }

  function makeBar(share, id, row) {
    const filled = make("span");
    filled.style.width = `${100 * share}%`;
    filled.style.backgroundColor = row?.color ?? segmint.palette.colorOf(id);
    return make("li", {},
      make("span", { class: "segmint-bar-name" }, row?.name || `component ${id}`),
      make("span", { class: "segmint-bar-value" }, segmint.percent(share)),
      make("span", { class: "segmint-track" }, filled));
  }

  function clear() {
    running?.abort();
    bars.replaceChildren();
    line.textContent = store.value.view ? "Point at the picture to see what lies there." : "";
  }

  return {
    element,
    show,
    clear,
    /** Keep room for the bars, so that nothing jumps when they come. */
    reserve: has => element.classList.toggle("segmint-with-bars", Boolean(has)),
  };
};
