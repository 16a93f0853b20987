"use strict";

/** Pictures and labels from the server; the last ones are kept, so that a slice is back at once. */
segmint.images = (() => {
  const MOST_KEPT = 12;
  const kept = new Map();

  function keep(address, load) {
    const found = kept.get(address) ?? load(address);
    kept.delete(address);
    kept.set(address, found);
    found.catch(() => kept.delete(address));
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
    return found;
  }

  async function fetchBytes(address) {
    // What the page may connect to leaves out data: addresses, so they are read by hand.
    if (address.startsWith("data:")) {
      return Uint8Array.from(atob(address.split(",")[1]), each => each.charCodeAt(0)).buffer;
    }
    const answer = await fetch(address).catch(() => {
      throw new Error("The server does not answer: see whether it still runs");
    });
    if (answer.ok) return answer.arrayBuffer();
    throw new Error("The server no longer has this image: open it again");
  }

  async function loadPicture(address) {
    return createImageBitmap(new Blob([await fetchBytes(address)]));
  }

  async function loadLabels(address) {
    return segmint.decodeLabels(await fetchBytes(address));
  }

  /** A file that was chosen is read by itself: the page may not connect to blob: addresses. */
  async function loadIds(source) {
    const bytes = source instanceof Blob ? source.arrayBuffer() : fetchBytes(source);
    return segmint.decodePng(await bytes);
  }

  return {
    picture: address => keep(address, loadPicture),
    labels: address => address.startsWith("data:") ? loadLabels(address) : keep(address, loadLabels),
    /** A PNG of numbers, such as scribbles; never kept, because it changes. */
    ids: loadIds,
  };
})();

/** What the server said to a file; a sentence of our own where it said nothing that can be read. */
segmint.readAnswer = (status, text) => {
  try {
    return JSON.parse(text);
  } catch {
    return { error: status
      ? `The server refused it (${status})`
      : "The server does not answer: see whether it still runs" };
  }
};
