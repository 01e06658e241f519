// Outlines: closed lines around the pixels of a region, through the middles of the edges that they pass, as the
// server's are (core/segmentation/outlines/contours.py). Pixels of a region also connect at corners.

const WAYS = [[1, 0], [0, 1], [-1, 0], [0, -1]]; // right, down, left, up; the region is on the right hand

// Flat rings x, y, x, y, …; the outer one first, then those of holes.
function ringsOf(region) {
  const { x, y, width, height } = region;
  const edges = edgesOf(maskOf(region), width, height);
  const rings = [];
  for (let corner = 0; corner < edges.length; corner++) {
    while (edges[corner]) rings.push(ringFrom(edges, corner, width + 1, x, y));
  }
  return rings;
}

// For each corner of the pixels the ways in which an edge leaves it, as bits.
function edgesOf(mask, width, height) {
  const wide = width + 1;
  const edges = new Uint8Array(wide * (height + 1));
  const inside = (column, row) => column >= 0 && row >= 0 && column < width && row < height && mask[row * width + column];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (!mask[row * width + column]) continue;
      const corner = row * wide + column;
      if (!inside(column, row - 1)) edges[corner] |= 1;
      if (!inside(column + 1, row)) edges[corner + 1] |= 2;
      if (!inside(column, row + 1)) edges[corner + wide + 1] |= 4;
      if (!inside(column - 1, row)) edges[corner + wide] |= 8;
    }
  }
  return edges;
}

function ringFrom(edges, first, wide, left, top) {
  const middles = [];
  let corner = first;
  let way = WAYS.findIndex((_, bit) => edges[corner] & (1 << bit));
  do {
    edges[corner] &= ~(1 << way);
    const [dx, dy] = WAYS[way];
    middles.push([left + (corner % wide) + dx / 2, top + Math.floor(corner / wide) + dy / 2]);
    corner += dy * wide + dx;
    // Where pixels meet at a corner alone the line turns left, so that they stay together.
    way = [way + 3, way, way + 1].map((turn) => turn % 4).find((turn) => edges[corner] & (1 << turn));
  } while (way !== undefined);
  return withoutStraight(middles).flat();
}

// The points between which a line is straight can be left out.
function withoutStraight(points) {
  const count = points.length;
  return points.filter(([x, y], place) => {
    const [before, after] = [points[(place + count - 1) % count], points[(place + 1) % count]];
    return (x - before[0]) * (after[1] - y) !== (y - before[1]) * (after[0] - x);
  });
}
