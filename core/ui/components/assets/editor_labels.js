// Labels: the label image at native resolution, 0 is background. It is kept in tiles that exist only where there
// are outlines, so an image of 80 megapixels takes no more memory than what is drawn in it.

const TILE = 256;

class Labels {
  constructor(width, height) {
    Object.assign(this, { width, height });
    this.across = Math.ceil(width / TILE);
    this.tiles = new Map();
  }

  // The number at a pixel; 0 outside of the image.
  at(x, y) {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return 0;
    const tile = this.tiles.get(Math.floor(y / TILE) * this.across + Math.floor(x / TILE));
    return tile ? tile[(y % TILE) * TILE + (x % TILE)] : 0;
  }

  // The numbers in a box within the image, row by row.
  read(box) {
    const numbers = new Int32Array(box.width * box.height);
    this.spans(box, (key, from, to, length) => {
      const tile = this.tiles.get(key);
      if (tile) numbers.set(tile.subarray(from, from + length), to);
    });
    return numbers;
  }

  // Give the pixels of a region a number.
  paint(region, number) {
    this.change(region, () => number);
  }

  // Make those pixels of a region background that have this number.
  clear(region, number) {
    this.change(region, (there) => (there === number ? 0 : there));
  }

  change(region, value) {
    const mask = maskOf(region);
    this.spans(region, (key, from, to, length) => {
      if (!this.tiles.has(key)) this.tiles.set(key, new Int32Array(TILE * TILE));
      const tile = this.tiles.get(key);
      for (let step = 0; step < length; step++) {
        if (mask[to + step]) tile[from + step] = value(tile[from + step]);
      }
    });
  }

  // Call `use` for each stretch of a row of the box that lies in one tile: the tile's key, where the stretch
  // begins in the tile and in the box, and its length.
  spans({ x, y, width, height }, use) {
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; ) {
        const length = Math.min(TILE - (column % TILE), x + width - column);
        const key = Math.floor(row / TILE) * this.across + Math.floor(column / TILE);
        use(key, (row % TILE) * TILE + (column % TILE), (row - y) * width + column - x, length);
        column += length;
      }
    }
  }
}
