"use strict";

/**
 * Files on their way to the server, by button, drop or clipboard, and the list of open pictures.
 *
 * Events back are `upload`, `select` and `clear`.
 */
segmint.attachUploader = (element, props, trigger, watch) => {
  const { make } = segmint;
  const MOST_AT_ONCE = 2;
  const root = segmint.mount(element, "segmint-uploader");
  const input = make("input", { type: "file", multiple: true, class: "segmint-file" });
  const zone = make("label", { class: "segmint-drop" }, input,
    make("strong", {}, "Open pictures"),
    make("span", {}, "or drop, or paste them"));
  const arriving = make("ul", { class: "segmint-arriving" });
  const list = make("ul", { class: "segmint-pictures", "aria-label": "Open pictures" });
  root.append(zone, arriving, list);
  const waiting = [];
  let [desk, most, running, arrived, known] = [null, null, 0, [], null];

  function receive(value) {
    desk = value.desk ?? desk;
    most = value.max_upload ?? most;
    const key = JSON.stringify([value.pictures ?? [], value.picture]);
    if (key !== known) {
      list.replaceChildren(...(value.pictures ?? []).map(each => makePicture(each, value.picture)));
    }
    known = key;
    next();
  }

  function makePicture({ picture, name, width, height, slices, done, thumbnail }, current) {
    const size = `${width} × ${height}${slices > 1 ? ` × ${slices}` : ""}`;
    const open = make("button", {
      type: "button",
      class: "segmint-open",
      title: name,
      "aria-current": picture === current ? "true" : null,
      onclick: () => trigger("select", { picture }),
    },
    make("img", { src: thumbnail, alt: "", loading: "lazy" }),
    make("span", { class: "segmint-picture-name" }, name),
    make("span", { class: "segmint-note" }, done ? `${size} · done` : size));
    const remove = make("button", {
      type: "button",
      class: "segmint-remove",
      title: "Remove",
      "aria-label": `Remove ${name}`,
      onclick: () => trigger("clear", { picture }),
    }, "×");
    return make("li", {}, open, remove);
  }

  function take(files) {
    for (const file of files) {
      const bar = make("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
      const row = make("li", {}, make("span", { class: "segmint-picture-name" }, file.name), bar);
      arriving.append(row);
      waiting.push({ file, row, bar });
    }
    next();
  }

  /** Files that are chosen before the page has a desk wait for it. */
  function next() {
    while (desk && running < MOST_AT_ONCE && waiting.length) send(waiting.shift());
    if (running || !arrived.length) return;
    trigger("upload", { pictures: arrived });
    arrived = [];
  }

  function send({ file, row, bar }) {
    if (most && file.size > most.bytes) {
      end(row, { error: most.sentence });
      return;
    }
    running += 1;
    const request = new XMLHttpRequest();
    const name = encodeURIComponent(file.name || "pasted.png");
    request.open("POST", `/segmint/desks/${desk}/pictures?name=${name}`);
    request.upload.addEventListener("progress", event => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("loadend", () => {
      running -= 1;
      end(row, segmint.readAnswer(request.status, request.responseText));
      next();
    });
    request.send(file);
  }

  function end(row, { picture, error }) {
    if (!error && Number.isInteger(picture)) {
      arrived.push(picture);
      return row.remove();
    }
    const close = make("button", {
      type: "button", class: "segmint-remove", "aria-label": "Dismiss", title: "Dismiss",
      onclick: () => row.remove(),
    }, "×");
    row.querySelector("progress").remove();
    const sentence = error ?? "The server did not say what became of it: try again";
    return row.append(make("span", { class: "segmint-refused", role: "alert" }, sentence), close);
  }

  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  segmint.listenToFiles(zone, take);
  segmint.follow("uploader", props, watch, receive);
};

/** Hear of files that are dropped anywhere on the page, or pasted. */
segmint.listenToFiles = (() => {
  let [zone, take] = [null, () => {}];
  const hasFiles = event => event.dataTransfer?.types.includes("Files");

  document.addEventListener("dragover", event => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone?.classList.add("segmint-over");
  });
  document.addEventListener("dragleave", event => {
    if (!event.relatedTarget) zone?.classList.remove("segmint-over");
  });
  document.addEventListener("drop", event => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone?.classList.remove("segmint-over");
    take([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", event => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });

  return (givenZone, givenTake) => ([zone, take] = [givenZone, givenTake]);
})();
