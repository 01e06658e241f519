// Draws the rows of a page before they are scrolled to, while the browser is idle. AG Grid creates the rows that come
// into sight during a scroll, and a frame has no time for that. Given to the table by grid_scripts.py as text without
// line ends: every statement ends in a semicolon.
class RowsAhead {
  constructor(api) {
    this.api = api;
    this.usual = this.buffer = api.getGridOption('rowBuffer');
    this.paused = false;
    this.enabled = api.getGridOption('pagination') && !api.getGridOption('suppressRowVirtualisation');
    if (!this.enabled) { return; }
    ['modelUpdated', 'paginationChanged', 'bodyScroll'].forEach(name => api.addEventListener(name, () => this.schedule()));
    // What may show another page or order: it begins with the rows in sight alone, as the first page did.
    ['pointerdown', 'click', 'keydown'].forEach(name => document.addEventListener(name, event => {
      if (event.target.closest('.ag-paging-panel, .ag-header, .ag-popup')) { this.reset(); }
    }, true));
    this.schedule();
  }

  // While images are segmented, rows change every second, and each that is drawn costs time.
  pause(paused) {
    if (paused === this.paused) { return; }
    this.paused = paused;
    this.reset();
  }

  // Back to the rows in sight; called before another page is shown.
  reset() {
    if (!this.enabled) { return; }
    this.extend(this.usual);
    this.schedule();
  }

  // Goes on when nothing has been scrolled or loaded for a moment.
  schedule() {
    clearTimeout(this.timer);
    if (this.paused || this.buffer >= this.api.paginationGetPageSize()) { return; }
    this.timer = setTimeout(() => (window.requestIdleCallback || setTimeout)(() => this.grow()), 150);
  }

  grow() {
    if (this.api.isDestroyed() || this.paused || this.buffer >= this.api.paginationGetPageSize()) { return; }
    this.extend(this.buffer + 4);
    (window.requestIdleCallback || setTimeout)(() => this.grow());
  }

  extend(buffer) {
    if (buffer === this.buffer) { return; }
    this.buffer = buffer;
    this.api.setGridOption('rowBuffer', buffer);
  }
}
