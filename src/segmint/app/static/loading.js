"use strict";

/** Fetch what is to be seen, and draw all of it at once when the last part is there. */
segmint.createLoading = ({ layers, camera, colorOf }) => {
  const drawn = { picture: null, labels: null, map: null };
  let tickets = 0;

  const slice = number => String(number).padStart(4, "0");

  function wanted(value, look) {
    if (!value.view) return { picture: null, labels: null, map: null };
    const of = what => `${what}-${slice(look.slice)}.png`;
    const answer = name => value.version == null
      ? null : segmint.address(value, "views", value.version, of(name));
    return {
      picture: segmint.address(value, "views", 0, of("picture")),
      labels: value.frame?.labels ?? answer("labels"),
      map: look.map === "labels" ? null : answer(`map-${look.map}`),
    };
  }

  /** Null when something newer was asked for; else what went wrong, or nothing. */
  async function load(value, look) {
    const ticket = ++tickets;
    const next = wanted(value, look);
    try {
      const [picture, labels, map] = await Promise.all([
        next.picture && segmint.images.picture(next.picture),
        next.labels && segmint.images.labels(next.labels),
        next.map && segmint.images.picture(next.map),
      ]);
      if (ticket !== tickets) return null;
      if (value.view) camera.setView(value.view);
      draw(value, next, { picture, labels, map });
      preload(value, look);
      return { fault: null };
    } catch (error) {
      return ticket === tickets ? { fault: error.message } : null;
    }
  }

  function draw(value, next, { picture, labels, map }) {
    const colors = JSON.stringify((value.legend ?? []).map(row => [row.id, row.color]));
    if (picture && next.picture !== drawn.picture) layers.showPicture(picture);
    if (next.labels !== drawn.labels || colors !== drawn.colors) layers.showLabels(labels, colorOf);
    if (next.map !== drawn.map) layers.showMap(map);
    Object.assign(drawn, next, { colors });
  }

  /** Ask for the slices beside this one, so that the slider does not wait. */
  function preload(value, look) {
    if (!(value.slices > 1)) return;
    for (const near of [look.slice + 1, look.slice - 1]) {
      if (near < 0 || near >= value.slices) continue;
      const { picture, labels } = wanted({ ...value, frame: null }, { ...look, slice: near });
      segmint.images.picture(picture).catch(() => {});
      if (labels) segmint.images.labels(labels).catch(() => {});
    }
  }

  return { load };
};
