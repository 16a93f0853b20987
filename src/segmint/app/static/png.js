"use strict";

/**
 * Read a PNG to its numbers, without any canvas: a browser may manage the colors of a canvas, or
 * add noise to what is read from it against fingerprinting, and ids must be exact.
 */
segmint.decodePng = async bytes => {
  const view = new DataView(bytes);
  if (view.byteLength < 33 || view.getUint32(0) !== 0x89504e47) throw new Error("not a PNG");
  const header = readHeader(view);
  const packed = new Blob(compressedParts(view)).stream();
  const raw = packed.pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(raw).arrayBuffer());
  return { ...header, data: unpackBits(header, unfilter(header, lines)) };

  function readHeader(from) {
    const [depth, color, interlaced] = [from.getUint8(24), from.getUint8(25), from.getUint8(28)];
    const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[color];
    if (depth > 8 || interlaced) throw new Error("a PNG of more than 8 bits, or interlaced");
    const width = from.getUint32(16);
    const stride = Math.ceil((width * channels * depth) / 8);
    return { width, height: from.getUint32(20), depth, channels, stride };
  }

  function compressedParts(from) {
    const parts = [];
    for (let at = 8; at + 8 <= from.byteLength; ) {
      const length = from.getUint32(at);
      if (from.getUint32(at + 4) === 0x49444154) parts.push(new Uint8Array(bytes, at + 8, length));
      at += length + 12;
    }
    return parts;
  }

  /** Undo the five filters of PNG (ISO/IEC 15948, 9.2). */
  function unfilter({ height, stride, depth, channels }, filtered) {
    const step = Math.max(1, (depth * channels) >> 3);
    const plain = new Uint8Array(stride * height);
    for (let y = 0; y < height; y++) {
      const line = filtered.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1));
      const above = y ? plain.subarray((y - 1) * stride, y * stride) : new Uint8Array(stride);
      const out = plain.subarray(y * stride, (y + 1) * stride);
      unfilterLine(filtered[y * (stride + 1)], line, above, out, step);
    }
    return plain;
  }

  function unfilterLine(kind, line, above, out, step) {
    if (kind === 0) return out.set(line);
    for (let x = 0; x < out.length; x++) {
      const left = x < step ? 0 : out[x - step];
      if (kind === 1) out[x] = line[x] + left;
      else if (kind === 2) out[x] = line[x] + above[x];
      else if (kind === 3) out[x] = line[x] + ((left + above[x]) >> 1);
      else out[x] = line[x] + paeth(left, above[x], x < step ? 0 : above[x - step]);
    }
  }

  function paeth(left, up, corner) {
    const guess = left + up - corner;
    const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
    return a <= b && a <= c ? left : b <= c ? up : corner;
  }

  function unpackBits({ width, height, depth, stride }, plain) {
    if (depth === 8) return plain;
    const out = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const byte = plain[y * stride + ((x * depth) >> 3)];
        out[y * width + x] = (byte >> (8 - depth - ((x * depth) & 7))) & ((1 << depth) - 1);
      }
    }
    return out;
  }
};

/** The ids of a labels view: the 24 bits of a color, or the number of a palette's entry, are id + 1;
 * 0, here -1, is outside. */
segmint.decodeLabels = async bytes => {
  const { width, height, channels, data } = await segmint.decodePng(bytes);
  const ids = new Int32Array(width * height);
  for (let i = 0, at = 0; i < ids.length; i++, at += channels) {
    const more = channels < 3 ? 0 : 256 * data[at + 1] + 65536 * data[at + 2];
    ids[i] = data[at] + more - 1;
  }
  return { width, height, ids, boxes: findBoxes(ids, width) };

  /** First and last column and row of each id, so that one of them is drawn without the rest. */
  function findBoxes(ids, width) {
    const boxes = new Map();
    let [last, box] = [null, null];
    for (let i = 0, x = 0, y = 0; i < ids.length; i++) {
      if (ids[i] !== last) {
        last = ids[i];
        box = boxes.get(last);
        if (!box) boxes.set(last, (box = { left: x, right: x, top: y, bottom: y }));
      }
      if (x < box.left) box.left = x;
      if (x > box.right) box.right = x;
      box.bottom = y;
      if (++x === width) [x, y] = [0, y + 1];
    }
    return boxes;
  }
};
