// Where a table is and where its rows lead: page, order and page size in the address of the page around it, as far
// as they are not the usual ones. Given to the table by grid_scripts.py: every statement ends in a semicolon.
// An entry of the browser's history has its place beside its address, so that Back and Forward lead to the same rows.
class Place {
  constructor(api, context) {
    this.api = api;
    this.context = context;
    this.home = parent.location.pathname;
    this.usual = this.now();
    this.recall();
    this.show();
    ['columnVisible', 'columnMoved', 'columnResized'].forEach(name => {
      api.addEventListener(name, () => this.keepColumns());
    });
    api.addEventListener('sortChanged', () => { this.show(); this.showSorted(); });
    ['gridSizeChanged', 'firstDataRendered'].forEach(name => api.addEventListener(name, () => this.showSorted()));
    api.addEventListener('paginationChanged', change => {
      if (change.newPageSize) { this.keepColumns(); }
      this.show();
    });
    api.addEventListener('cellClicked', clicked => {
      if ((clicked.colDef.context || {}).opens) { this.go(clicked); }
    });
    api.addEventListener('cellKeyDown', pressed => {
      if (pressed.event.key === 'Enter') { this.go(pressed); }
    });
  }

  now() {
    const api = this.api;
    const by = api.getColumnState().find(column => column.sort);
    const sort = by ? (by.sort === 'desc' ? '-' : '') + by.colId : '';
    if (!api.getGridOption('pagination')) { return {sort}; }
    return {sort, page: String(api.paginationGetCurrentPage() + 1), rows: String(api.paginationGetPageSize())};
  }

  // As the address says; a page that was come to from another page of this visit, and whose address says nothing,
  // as it was left. Columns and page size are those of this browser.
  recall() {
    const api = this.api;
    const remembered = this.recalled();
    const address = new URLSearchParams(parent.location.search);
    const known = parent.history.state && parent.history.state.table;
    const named = Boolean(known) || Object.keys(this.usual).some(name => address.has(name));
    const last = named ? Object.fromEntries(address) : this.left()[this.context.key] || {};
    if (remembered.columns) { api.applyColumnState({state: remembered.columns, applyOrder: true}); }
    this.order(last.sort);
    if (!api.getGridOption('pagination')) { return; }
    const sizes = api.getGridOption('paginationPageSizeSelector');
    this.lent = Number(named ? last.rows || this.usual.rows : null);
    const size = [this.lent, remembered.size].find(size => sizes.includes(size));
    if (size) { api.setGridOption('paginationPageSize', size); }
    const page = named || last.query === this.context.query ? Math.round(Number(last.page)) : 1;
    if (page > 1) {
      api.setRowCount(page * api.paginationGetPageSize(), false);
      api.paginationGoToPage(page - 1);
    }
  }

  order(sort) {
    const column = sort ? this.api.getColumn(sort.replace('-', '')) : null;
    if (sort !== '' && !column) { return; }
    const state = column ? [{colId: column.getColId(), sort: sort.startsWith('-') ? 'desc' : 'asc'}] : [];
    this.api.applyColumnState({state, defaultState: {sort: null}});
  }

  // Where not every column fits, the one that the rows are in the order of is in sight, and so is the name.
  showSorted() {
    const api = this.api;
    const shown = api.getAllDisplayedColumns();
    const name = shown.findIndex(column => (column.getColDef().context || {}).opens && column.getColDef().flex);
    const width = shown.reduce((sum, column) => sum + (column.getColDef().minWidth || column.getActualWidth()), 0);
    const narrow = width > document.documentElement.clientWidth;
    api.setColumnsPinned(shown.slice(0, name + 1), narrow ? 'left' : null);
    const sorted = shown.find(column => column.getSort());
    if (narrow && sorted) { api.ensureColumnVisible(sorted); }
  }

  // Streamlit writes the address, too, and knows nothing of these: called again after every run of the script.
  show() {
    if (parent.location.pathname !== this.home) { return; }
    const now = this.now();
    const address = new URL(parent.location.href);
    Object.keys(now).forEach(name => {
      if (now[name] === this.usual[name]) { address.searchParams.delete(name); }
      else { address.searchParams.set(name, now[name]); }
    });
    const state = parent.history.state || {};
    if (address.href !== parent.location.href || !state.table) {
      parent.history.replaceState({...state, table: true}, '', address.href);
    }
    const project = address.searchParams.get('project');
    if (project) {
      document.cookie = `spheroscope_project=${encodeURIComponent(project)};path=/;max-age=31536000;samesite=lax`;
    }
    this.left()[this.context.key] = {query: this.context.query, ...now};
  }

  // Columns and page size stay with the browser, but for a size that only this address wants.
  keepColumns() {
    const size = this.api.paginationGetPageSize();
    const kept = {
      size: size === this.lent ? this.recalled().size : size,
      columns: this.api.getColumnState().map(({colId, hide, width}) => ({colId, hide, width}))
    };
    // The browser may forbid us to keep anything.
    try { window.localStorage.setItem(this.kind(), JSON.stringify(kept)); } catch (error) { return; }
  }

  recalled() {
    try { return JSON.parse(window.localStorage.getItem(this.kind())) || {}; } catch (error) { return {}; }
  }

  kind() { return 'spheroscope table ' + this.context.kind; }

  // How the tables were left since the browser loaded the app: an address that is opened anew decides alone.
  left() { return parent.spheroscopeTables = parent.spheroscopeTables || {}; }

  // What a row is about, as an address; of an image, with the list that it stands in, and a mark for this visit to it.
  rowAddress(row) {
    const path = this.context.rowAddress.replace(/{(\w+)}/g, (_, field) => encodeURIComponent(row[field]));
    const address = new URL(path, parent.location.href);
    const times = new URLSearchParams(parent.location.search).get('times');
    if (times) { address.searchParams.set('times', times); }
    if (this.context.kind === 'images') {
      const among = new URLSearchParams(this.context.query);
      const now = this.now();
      ['sort', 'rows'].forEach(name => { if (now[name] !== this.usual[name]) { among.set(name, now[name]); } });
      if (String(among)) { address.searchParams.set('among', among); }
      address.searchParams.set('list', Math.random().toString(36).slice(2, 12));
    }
    return address.href;
  }

  // As if by Forward in the browser: the script of this page does not run, and Back leads to just here.
  // The grid tells of a click when it is over, so the link itself has cancelled it; the second click of a double
  // click finds another page.
  go(happened) {
    if (!happened.data || !isPlain(happened.event) || parent.location.pathname !== this.home) { return; }
    parent.history.pushState({}, '', this.rowAddress(happened.data));
    parent.dispatchEvent(new parent.PopStateEvent('popstate'));

    function isPlain(event) { return !event.ctrlKey && !event.metaKey && !event.shiftKey; }
  }
}
