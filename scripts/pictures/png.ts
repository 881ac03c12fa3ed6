import { crc32, deflateSync, inflateSync } from "node:zlib";

// PNG (Third Edition, W3C 2025): as a browser's screenshot is, and as small as a page's flat colours allow.

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const mostColours = 256;

/** Points from the upper left, three bytes each. */
export type Pixels = { readonly width: number; readonly height: number; readonly rgb: Uint8Array };

/** Bytes of a point by the kind of colour: RGB, a palette, RGBA. */
const channelsOf: Readonly<Record<number, number>> = { 2: 3, 3: 1, 6: 4 };

/** Reads 8 bits a channel without interlacing; what shows through is taken for opaque. Throws on other kinds. */
export function readPng(png: Buffer): Pixels {
  if (!png.subarray(0, 8).equals(signature)) throw new Error("Not a PNG");
  const chunks: { readonly kind: string; readonly data: Buffer }[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({ kind: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  const head = chunks.find(({ kind }) => kind === "IHDR")?.data;
  const channels = channelsOf[head?.[9] ?? -1];
  if (head === undefined || channels === undefined || head[8] !== 8 || head[12] !== 0)
    throw new Error("Not a PNG of 8 bits a channel");
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const raw = inflateSync(Buffer.concat(chunks.flatMap(({ kind, data }) => (kind === "IDAT" ? [data] : []))));
  const points = unfiltered(raw, { width, height, channels });
  const palette = chunks.find(({ kind }) => kind === "PLTE")?.data;
  if (channels === 1)
    return {
      width,
      height,
      rgb: Uint8Array.from([...points].flatMap((n) => [0, 1, 2].map((c) => palette?.[n * 3 + c] ?? 0))),
    };
  return { width, height, rgb: channels === 3 ? points : points.filter((_, at) => at % 4 !== 3) };
}

function unfiltered(
  raw: Uint8Array,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: number },
): Uint8Array {
  const line = width * channels;
  const all = new Uint8Array(height * line);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (line + 1)] ?? 0;
    for (let x = 0; x < line; x++) {
      const at = y * line + x;
      const left = x < channels ? 0 : (all[at - channels] ?? 0);
      const up = y === 0 ? 0 : (all[at - line] ?? 0);
      const corner = y === 0 || x < channels ? 0 : (all[at - line - channels] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      all[at] = (raw[y * (line + 1) + 1 + x] ?? 0) + guess;
    }
  }
  return all;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** With a palette of at most 256 colours; each other one becomes the nearest of them. */
export function writePng({ width, height, rgb }: Pixels): Buffer {
  const counts = new Map<number, number>();
  for (let at = 0; at < rgb.length; at += 3) {
    const colour = colourAt(rgb, at);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = paletteOf(counts);
  const places = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]));
  const lines = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      lines[y * (width + 1) + 1 + x] = places.get(colourAt(rgb, (y * width + x) * 3)) ?? 0;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("PLTE", colours),
    chunk("IDAT", deflateSync(lines, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/**
 * One after the other that which is furthest from what is there already, those of many points first: the thin letters of
 * a rare colour keep it.
 */
function paletteOf(counts: ReadonlyMap<number, number>): readonly number[] {
  const left = [...counts].map(([colour, count]) => ({ colour, weight: Math.sqrt(count), far: Number.MAX_VALUE }));
  left.sort((a, b) => b.weight - a.weight || a.colour - b.colour);
  const palette: number[] = [];
  for (let next = left[0]; next !== undefined && palette.length < mostColours; ) {
    const { colour } = next;
    palette.push(colour);
    next = undefined;
    for (const each of left) {
      each.far = Math.min(each.far, distance(each.colour, colour));
      if (each.far > 0 && (next === undefined || each.far * each.weight > next.far * next.weight)) next = each;
    }
  }
  return palette;
}

function colourAt(rgb: Uint8Array, at: number): number {
  return ((rgb[at] ?? 0) << 16) | ((rgb[at + 1] ?? 0) << 8) | (rgb[at + 2] ?? 0);
}

function nearest(palette: readonly number[], colour: number): number {
  let [found, least] = [0, Number.POSITIVE_INFINITY];
  for (const [at, each] of palette.entries()) {
    const far = distance(each, colour);
    if (far >= least) continue;
    [found, least] = [at, far];
    if (far === 0) break;
  }
  return found;
}

/** The square of how far two colours are apart. */
function distance(a: number, b: number): number {
  return square((a >> 16) - (b >> 16)) + square(part(a, 8) - part(b, 8)) + square(part(a, 0) - part(b, 0));
}

function part(colour: number, shift: number): number {
  return (colour >> shift) & 255;
}

function square(n: number): number {
  return n * n;
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
