"""A screenshot with 256 colours: a third of the size, and nobody sees the difference in text on white.

The browser that took it reads and counts its colours: the 64 that are most of it stay as they are, of the others the
similar ones become one. Only the file is written here.
"""

import base64
import struct
import zlib

from playwright.async_api import Page

COUNT = """async source => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const one of pixels) counts.set(one, (counts.get(one) || 0) + 1);
  const parts = one => [one & 255, one >> 8 & 255, one >> 16 & 255];
  const apart = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
  const common = [...counts].sort((a, b) => b[1] - a[1]).map(([one]) => parts(one));
  let palette = [];
  for (let distance = 0; palette.length === 0 || palette.length > 256; distance += 24) {
    palette = [];
    for (const one of common) {
      if (palette.length > 256) break;
      const kept = palette.length < 64 || palette.every(other => apart(one, other) > distance);
      if (kept) palette.push(one);
    }
  }
  const nearest = new Map();
  for (const one of counts.keys()) {
    const at = parts(one);
    let best = 0;
    palette.forEach((other, index) => { if (apart(at, other) < apart(at, palette[best])) best = index; });
    nearest.set(one, best);
  }
  let text = "";
  for (const one of pixels) text += String.fromCharCode(nearest.get(one));
  return [image.width, image.height, palette, btoa(text)];
}"""


async def smaller(page: Page, png: bytes) -> bytes:
    """The same picture as a PNG with a palette; `page` is any page."""
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    width, height, palette, encoded = await page.evaluate(COUNT, source)
    pixels = base64.b64decode(encoded)
    lines = b"".join(b"\0" + pixels[at : at + width] for at in range(0, width * height, width))
    return b"".join((
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        _chunk(b"PLTE", bytes(part for colour in palette for part in colour)),
        _chunk(b"IDAT", zlib.compress(lines, 9)),
        _chunk(b"IEND", b""),
    ))  # fmt: skip


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
