"use strict";

/** Where the view lies in the stage: `scale` CSS pixels for each of its own, from `left`, `top`. */
segmint.createCamera = (stage, moved) => {
  const MOST = 48;
  const camera = { width: 1, height: 1, scale: 1, left: 0, top: 0, fitted: true };

  function stageSize() {
    return [stage.clientWidth || 1, stage.clientHeight || 1];
  }

  function fitScale() {
    const [wide, tall] = stageSize();
    return Math.min(wide / camera.width, tall / camera.height);
  }

  function fit() {
    camera.scale = fitScale();
    camera.fitted = true;
    settle();
  }

  /** Change the size of what is looked at; the same picture in another size stays where it is. */
  camera.setView = ({ width, height }) => {
    if (camera.width === width && camera.height === height) return;
    Object.assign(camera, { width, height });
    fit();
  };

  /** Zoom by a factor around a point of the stage. */
  camera.zoom = (factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) => {
    const least = fitScale();
    const scale = segmint.clamp(camera.scale * factor, least, Math.max(MOST, least));
    camera.left = x - ((x - camera.left) * scale) / camera.scale;
    camera.top = y - ((y - camera.top) * scale) / camera.scale;
    camera.scale = scale;
    camera.fitted = scale <= least * 1.0001;
    settle();
  };

  camera.pan = (across, down) => {
    camera.left += across;
    camera.top += down;
    settle();
  };

  /** Move just so far that a point of the view is seen. */
  camera.reveal = (x, y) => {
    const [wide, tall] = stageSize();
    const margin = Math.min(24, wide / 4, tall / 4);
    const [atX, atY] = [camera.left + x * camera.scale, camera.top + y * camera.scale];
    camera.left += segmint.clamp(atX, margin, wide - margin) - atX;
    camera.top += segmint.clamp(atY, margin, tall - margin) - atY;
    settle();
  };

  camera.fit = fit;

  /** The point of the view under a point of the window. */
  camera.toView = (clientX, clientY) => {
    const box = stage.getBoundingClientRect();
    return {
      x: (clientX - box.left - stage.clientLeft - camera.left) / camera.scale,
      y: (clientY - box.top - stage.clientTop - camera.top) / camera.scale,
    };
  };

  /** The part of the stage that the picture covers. */
  camera.seen = () => {
    const [wide, tall] = stageSize();
    return {
      left: Math.max(0, camera.left),
      right: Math.min(wide, camera.left + camera.width * camera.scale),
      top: Math.max(0, camera.top),
      bottom: Math.min(tall, camera.top + camera.height * camera.scale),
    };
  };

  /** Center what is smaller than the stage, and leave no gap beside what is larger. */
  function settle() {
    const [wide, tall] = stageSize();
    camera.left = place(camera.left, wide, camera.width * camera.scale);
    camera.top = place(camera.top, tall, camera.height * camera.scale);
    moved();
  }

  function place(start, room, length) {
    if (length <= room + 0.5) return (room - length) / 2;
    return segmint.clamp(start, room - length, 0);
  }

  new ResizeObserver(() => (camera.fitted ? fit() : camera.zoom(1))).observe(stage);
  return camera;
};
