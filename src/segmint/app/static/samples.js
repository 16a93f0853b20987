/* Pictures to begin with: a row of buttons. */
"use strict";

(() => {
  const segmint = (window.segmint ??= {});

  const buttonOf = (sample, trigger) => {
    const button = document.createElement("button");
    const picture = document.createElement("img");
    button.type = "button";
    button.className = "sample";
    button.title = sample.caption;
    button.dataset.sample = sample.name;
    button.setAttribute("aria-label", `Sample: ${sample.caption}`);
    picture.src = sample.picture;
    picture.alt = "";
    button.append(picture);
    button.addEventListener("click", () => trigger("select", { sample: sample.name }));
    return button;
  };

  segmint.attachSamples = (element, props, trigger, watch) => {
    const place = element.querySelector(".segmint-samples");
    const draw = () => {
      const title = document.createElement("p");
      const row = document.createElement("div");
      title.className = "soft";
      title.textContent = "or begin with a sample";
      row.className = "sample-row";
      row.append(...(props.value?.samples ?? []).map(each => buttonOf(each, trigger)));
      place.replaceChildren(title, row);
    };
    draw();
    watch("value", draw);
  };
})();
