"use strict";

/** What the viewer, the legend and the uploader of one page share; the only global. */
window.segmint = (() => {
  const heard = new Map();
  const store = { value: {}, hovered: null, hoveredFrom: null, selected: new Set() };

  /** Hear of "value", "hover" or "selection"; an owner attached again replaces what it heard. */
  function on(owner, name, callback) {
    heard.set(`${owner} ${name}`, { name, callback });
  }

  function tell(name) {
    for (const each of [...heard.values()]) if (each.name === name) each.callback();
  }

  /** The value of a component: JSON, an object, or nothing. */
  function parse(value) {
    return typeof value === "string" ? JSON.parse(value || "null") : value ?? null;
  }

  /** Take what the server sent to the viewer. */
  function receive(value) {
    const before = store.value;
    store.value = parse(value) ?? {};
    const same = before.desk === store.value.desk && before.picture === store.value.picture;
    const known = new Set((store.value.legend ?? []).map(row => row.id));
    const kept = [...store.selected].filter(id => same && known.has(id));
    if (!known.has(store.hovered)) hover(null, null);
    tell("value");
    if (kept.length !== store.selected.size) select(kept);
  }

  function hover(id, from) {
    if (id === store.hovered && from === store.hoveredFrom) return;
    Object.assign(store, { hovered: id, hoveredFrom: from });
    tell("hover");
  }

  function select(ids) {
    store.selected = new Set(ids);
    tell("selection");
  }

  /** Select a component, or no longer; gives all ids that are selected then. */
  function toggle(id) {
    const ids = new Set(store.selected);
    if (!ids.delete(id)) ids.add(id);
    select(ids);
    return sortedSelection();
  }

  function sortedSelection() {
    return [...store.selected].sort((a, b) => a - b);
  }

  /** Draw now and after each change; a component without a value of its own takes the viewer's. */
  function follow(owner, props, watch, draw) {
    const take = () => draw(parse(props.value) ?? store.value);
    watch("value", take);
    on(owner, "value", take);
    take();
  }

  return { store, on, parse, receive, hover, select, toggle, sortedSelection, follow };
})();

/** An element with attributes and children; data becomes text, never markup. */
segmint.make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

/** The empty element of a class in what Gradio mounts, made where there is none. */
segmint.mount = (element, name) => {
  const found = element.classList.contains(name) ? element : element.querySelector(`.${name}`);
  const root = found ?? element.appendChild(segmint.make("div", { class: name }));
  root.replaceChildren();
  return root;
};

/** Call only when nothing more came for a while; `.flush()` calls at once what still waits. */
segmint.debounce = (callback, milliseconds) => {
  let timer = null;
  const fire = () => {
    clearTimeout(timer);
    timer = null;
    callback();
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(fire, milliseconds);
  };
  later.flush = () => timer !== null && fire();
  return later;
};

/** Call once before the next frame, however often it is asked for. */
segmint.beforeFrame = callback => {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      callback();
    });
  };
};

/** Where files of a picture lie on the server. */
segmint.address = (value, ...parts) =>
  ["/segmint/desks", value.desk, value.picture, ...parts].map(each => String(each)).join("/");

/** A share as percent, with as many digits as help. */
segmint.percent = share => {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return `${(100 * share).toFixed(1)} %`;
};

segmint.clamp = (value, low, high) => Math.min(Math.max(value, low), high);
