"use strict";

/**
 * The list of components: looked up, selected, named, merged.
 *
 * Events back are `select`, `edit`, `apply` and `undo`.
 */
segmint.attachLegend = (element, props, trigger, watch) => {
  const { make, store } = segmint;
  const FIRST_SHOWN = 200;
  const root = segmint.mount(element, "segmint-legend");
  const rows = make("tbody");
  const table = make("table", {}, make("thead", {}, make("tr", {},
    make("th", { scope: "col" }, make("span", { class: "segmint-hidden" }, "Select")),
    ...[["Component", ""], ["Pixels", "segmint-number"], ["Share", "segmint-number"]]
      .map(([text, name]) => make("th", { scope: "col", class: name }, text)))), rows);
  const merge = makeButton("Merge selected", () => {
    const ids = segmint.sortedSelection();
    segmint.select([]);
    trigger("apply", { merge: ids });
  });
  const undo = makeButton("Undo merge", () => trigger("undo", {}));
  const clear = makeButton("Clear", () => {
    segmint.select([]);
    trigger("select", { ids: [] });
  });
  clear.setAttribute("aria-label", "Clear selection");
  const actions = make("div", { class: "segmint-actions" }, merge, undo, clear);
  const more = makeButton("", () => draw(legend, changeable, true));
  const empty = make("p", { class: "segmint-note" }, "Components are listed here.");
  const box = make("div", {
    class: "segmint-scroll", tabindex: 0, role: "region", "aria-label": "Components",
  }, table, more);
  root.append(actions, box, empty);
  let [legend, changeable, known, drawing] = [[], false, null, false];

  function makeButton(text, onclick) {
    return make("button", { type: "button", onclick }, text);
  }

  function receive(value) {
    const key = JSON.stringify([value.legend ?? [], Boolean(value.can_change), value.picture]);
    undo.disabled = value.can_undo === false;
    if (key !== known) draw(value.legend ?? [], Boolean(value.can_change), false);
    known = key;
  }

  function draw(given, canChange, all) {
    [legend, changeable] = [given, canChange];
    const editing = noteEditing();
    const shown = all ? legend : legend.slice(0, FIRST_SHOWN);
    drawing = true;
    rows.replaceChildren(...shown.map(makeRow));
    drawing = false;
    more.hidden = shown.length === legend.length;
    more.textContent = `Show all ${legend.length}`;
    box.hidden = !legend.length;
    empty.hidden = Boolean(legend.length);
    actions.hidden = !legend.length || !changeable;
    table.classList.toggle("segmint-fixed", !changeable);
    restoreEditing(editing);
    markSelection();
    markHovered();
  }

  /** A row that somebody writes in must not lose what is written when the list is drawn anew. */
  function noteEditing() {
    const input = rows.contains(document.activeElement) ? document.activeElement : null;
    return input && { id: input.dataset.id, kind: input.type, text: input.value };
  }

  function restoreEditing(editing) {
    if (!editing) return;
    const input = rows.querySelector(`input[type=${editing.kind}][data-id="${editing.id}"]`);
    if (!input) return;
    if (editing.kind === "text") input.value = editing.text;
    input.focus({ preventScroll: true });
  }

  function makeRow(row) {
    const swatch = make("span", { class: "segmint-swatch" });
    swatch.style.backgroundColor = row.color;
    const check = make("input", {
      type: "checkbox", "data-id": row.id, "aria-label": `Select component ${describe(row)}`,
      onchange: () => trigger("select", { ids: segmint.toggle(row.id) }),
    });
    return make("tr", {
      "data-id": row.id,
      onpointerenter: () => segmint.hover(row.id, "legend"),
      onpointerleave: () => segmint.hover(null, null),
      onfocusin: () => segmint.hover(row.id, "legend"),
      onfocusout: () => segmint.hover(null, null),
    },
    make("td", { class: "segmint-check" }, make("label", {}, check)),
    make("th", { scope: "row" }, make("span", { class: "segmint-called" },
      swatch, make("span", { class: "segmint-id" }, String(row.id)), makeName(row))),
    make("td", { class: "segmint-number" }, row.pixels.toLocaleString("en-US")),
    make("td", { class: "segmint-number" }, segmint.percent(row.fraction)));
  }

  function describe(row) {
    return row.name ? `${row.id}, ${row.name}` : String(row.id);
  }

  function makeName(row) {
    if (!changeable) return make("span", { class: "segmint-name" }, row.name || "");
    const input = make("input", {
      type: "text", class: "segmint-name", value: row.name, maxlength: 60, placeholder: "name",
      "data-id": row.id, "aria-label": `Name of component ${row.id}`,
    });
    const send = () => {
      const name = input.value.trim();
      if (name !== row.name) trigger("edit", { names: { [row.id]: name } });
      row.name = name;
    };
    // Not "change", which a name does not cause that was restored when the list was drawn anew.
    input.addEventListener("blur", () => drawing || send());
    input.addEventListener("keydown", event => {
      if (event.key === "Escape") input.value = row.name;
      if (event.key === "Enter" || event.key === "Escape") input.blur();
      event.stopPropagation();
    });
    return input;
  }

  function markSelection() {
    let first = null;
    for (const row of rows.children) {
      const chosen = store.selected.has(Number(row.dataset.id));
      if (chosen && !row.classList.contains("segmint-selected")) first ??= row;
      row.classList.toggle("segmint-selected", chosen);
      row.querySelector("input[type=checkbox]").checked = chosen;
    }
    merge.disabled = store.selected.size < 2;
    clear.disabled = !store.selected.size;
    if (first && !root.contains(document.activeElement)) reveal(first);
  }

  /** Scroll the list alone, never the page. */
  function reveal(row) {
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    if (top < box.scrollTop) box.scrollTop = top;
    else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
  }

  function markHovered() {
    for (const row of rows.children) {
      row.classList.toggle("segmint-lit", Number(row.dataset.id) === store.hovered);
    }
  }

  segmint.on("legend", "selection", markSelection);
  segmint.on("legend", "hover", markHovered);
  segmint.follow("legend", props, watch, receive);
};
