/* Lines to copy: the button beside them puts them on the clipboard. */
"use strict";

(() => {
  const segmint = (window.segmint ??= {});

  /* Without the clipboard (a page that is not served over HTTPS has none) the lines are selected. */
  const copy = async (button, lines) => {
    const range = document.createRange();
    range.selectNodeContents(lines);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    let done = false;
    try {
      await navigator.clipboard.writeText(lines.textContent);
      done = true;
    } catch {
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  };

  segmint.attachOutcome = element => {
    element.addEventListener("click", event => {
      const button = event.target.closest("[data-copy]");
      if (button) copy(button, button.closest(".lines").querySelector("pre"));
    });
  };
})();
