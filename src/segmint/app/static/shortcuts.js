"use strict";

/** Keys that work wherever the focus is, except where text is written. */
segmint.onShortcut = (() => {
  let actions = {};

  function writes(target) {
    return target.isContentEditable
      || (target.matches?.("textarea, input") && !["range", "checkbox"].includes(target.type));
  }

  document.addEventListener("keydown", event => {
    if (event.defaultPrevented || writes(event.target)) return;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && key === "z") event.shiftKey ? actions.redo?.() : actions.undo?.();
    else if (command && key === "y") actions.redo?.();
    else if (key === "escape") return void actions.escape?.();
    else return;
    event.preventDefault();
  });

  return given => (actions = given);
})();
