// Keys of a table: one Tab leads to its first row and one leaves it; the up and down keys find it from anywhere on the
// page but fields. Given to the table by grid_scripts.py: every statement ends in a semicolon.
class Keys {
  constructor(api) {
    this.api = api;
    const end = new AbortController();
    const listen = (target, name, act) => target.addEventListener(name, act, {signal: end.signal});
    listen(window, 'pagehide', () => end.abort());
    listen(parent.document, 'keydown', event => {
      if (isArrow(event) && !this.takesKeys(parent.document.activeElement)) { this.enter(event); }
    });
    listen(document, 'keydown', event => {
      if (isArrow(event) && document.activeElement === document.body) { this.enter(event); }
      if (event.key === '?' && !event.target.closest('input, textarea')) {
        parent.dispatchEvent(new parent.CustomEvent('spheroscope:keys'));
      }
    });
    document.addEventListener('keydown', event => { if (event.key === 'Tab') { this.step(event); } }, {capture: true});
    api.addEventListener('firstDataRendered', () => this.begin());

    function isArrow(event) {
      return ['ArrowUp', 'ArrowDown'].includes(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    }
  }

  // The table is where a page of a list begins, unless somebody has gone elsewhere meanwhile.
  begin() {
    const focused = parent.document.activeElement;
    const free = !focused || focused === parent.document.body || focused.closest('[data-testid=stSidebarNav]');
    if (free) { window.focus(); }
  }

  // One Tab leaves the rows, for what is below or above them, and one leads back.
  step(event) {
    const place = part => event.target.closest(part);
    const below = document.querySelector('.tools summary');
    const above = document.querySelector('input.all');
    if (place('.ag-body') && below) { this.move(event, event.shiftKey ? above || below : below); }
    else if (event.target === below && event.shiftKey) { this.move(event, null); }
    else if (event.target === above && !event.shiftKey) { this.move(event, null); }
  }

  // To an element, or without one to a row.
  move(event, element) {
    if (!element && !this.focusRow()) { return; }
    if (element) { element.focus(); }
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  takesKeys(element) {
    const fields = 'input, textarea, select, iframe, [contenteditable=true], [role=dialog], [role=listbox], [role=radiogroup], [role=slider], [role=menu], [role=tablist]';
    return Boolean(element && element.closest(fields));
  }

  enter(event) {
    event.preventDefault();
    this.focusRow();
  }

  // The row that had the focus last, or the first in sight; its name, or whatever its row begins with.
  focusRow() {
    const last = this.api.getFocusedCell();
    const columns = this.api.getAllDisplayedColumns();
    const column = columns.find(item => (item.getColDef().context || {}).opens && item.getColDef().flex) || columns[0];
    const row = last ? last.rowIndex : Math.max(this.api.getFirstDisplayedRowIndex(), 0);
    if (!column || !this.api.getDisplayedRowAtIndex(row)) { return false; }
    window.focus();
    this.api.setFocusedCell(row, last ? last.column : column);
    return true;
  }
}
