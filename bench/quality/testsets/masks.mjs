/** Random outlines: unions of turned ellipses round a place, or stars of 5 to 14 corners, with an edge a pixel and a half wide. */

const LEAST_SHARE = 0.03;
const MOST_SHARE = 0.45;

/** @returns 0 to 255, a pixel each, of `size` x `size` */
export function randomMask(size, uniform) {
  const share = LEAST_SHARE * (MOST_SHARE / LEAST_SHARE) ** uniform();
  const inside = uniform() < 0.5 ? ellipses(uniform) : star(uniform);
  const [x0, y0] = [0.3 + 0.4 * uniform(), 0.3 + 0.4 * uniform()];
  // The scale at which it covers the share that was drawn, by halving.
  let [low, high] = [0.02, 3];
  for (let round = 0; round < 24; round++) {
    const scale = (low + high) / 2;
    if (covered(64, inside, x0, y0, scale) < share) low = scale;
    else high = scale;
  }
  return draw(size, inside, x0, y0, (low + high) / 2);
}

/** Below 0 inside; about the distance to the outline in the outline's own units near it. */
function ellipses(uniform) {
  const all = Array.from({ length: 2 + Math.floor(4 * uniform()) }, () => {
    const angle = Math.PI * uniform();
    return {
      cos: Math.cos(angle),
      sin: Math.sin(angle),
      x: 0.8 * (uniform() - 0.5),
      y: 0.8 * (uniform() - 0.5),
      a: 0.25 + 0.5 * uniform(),
      b: 0.2 + 0.4 * uniform(),
    };
  });
  return (x, y) =>
    Math.min(
      ...all.map((one) => {
        const [dx, dy] = [x - one.x, y - one.y];
        const radius = Math.hypot((one.cos * dx + one.sin * dy) / one.a, (one.cos * dy - one.sin * dx) / one.b);
        return (radius - 1) * Math.min(one.a, one.b);
      }),
    );
}

function star(uniform) {
  const corners = Array.from({ length: 5 + Math.floor(10 * uniform()) }, () => 0.4 + 0.6 * uniform());
  const turn = 2 * Math.PI * uniform();
  return (x, y) => {
    const place = ((((Math.atan2(y, x) + turn) / (2 * Math.PI)) % 1) + 1) * corners.length;
    const i = Math.floor(place);
    const t = place - i;
    return Math.hypot(x, y) - (1 - t) * corners[i % corners.length] - t * corners[(i + 1) % corners.length];
  };
}

function covered(grid, inside, x0, y0, scale) {
  let count = 0;
  for (let y = 0; y < grid; y++)
    for (let x = 0; x < grid; x++)
      if (inside(((x + 0.5) / grid - x0) / scale, ((y + 0.5) / grid - y0) / scale) < 0) count++;
  return count / grid ** 2;
}

const EDGE = 1.5;

function draw(size, inside, x0, y0, scale) {
  const mask = new Uint8Array(size * size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const distance = inside(((x + 0.5) / size - x0) / scale, ((y + 0.5) / size - y0) / scale) * scale * size;
      mask[y * size + x] = Math.round(255 * Math.min(1, Math.max(0, 0.5 - distance / EDGE)));
    }
  return mask;
}
