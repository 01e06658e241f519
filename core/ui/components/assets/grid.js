// One table in one frame: what it keeps between the grid's calls. Used by grid_scripts.py, which hands it to
// the grid as text without line ends: every statement ends in a semicolon.
class Table {
  constructor(p, Place, RowsAhead, Keys) {
    this.api = p.api;
    this.context = p.context;
    this.all = false;
    this.deselected = new Set();
    this.lastAnswer = null;
    this.matchPage();
    this.addTools();
    this.place = new Place(p.api, p.context);
    this.ahead = new RowsAhead(p.api);
    this.keys = new Keys(p.api);
    this.watch();
    // When the script runs, the component hands the grid everything anew: only the filter can have changed.
    const update = p.api.updateGridOptions.bind(p.api);
    p.api.updateGridOptions = ({context, theme}) => {
      if (theme) { update({theme}); this.matchPage(); }
      if (context) { this.narrow(context); this.place.show(); }
    };
  }

  // The colours of the page around it, in either theme: the component has greys of its own.
  matchPage() {
    const page = parent.getComputedStyle(parent.document.querySelector('[data-testid=stApp]') || parent.document.body);
    document.documentElement.style.setProperty('--page-background', page.backgroundColor);
    document.documentElement.style.setProperty('--page-text', page.color);
  }

  // Another filter: what is not shown cannot be ticked.
  narrow(context) {
    if (context.query === this.context.query) { return; }
    this.context = this.place.context = context;
    this.choose(false);
    this.ahead.reset();
    this.api.paginationGoToFirstPage();
    this.api.purgeInfiniteCache();
  }

  // Pages, sorts and filters go to our own API; no script runs.
  load(p) {
    const c = this.context;
    const query = new URLSearchParams(c.query);
    query.set('offset', p.startRow);
    query.set('limit', p.endRow - p.startRow);
    const by = p.sortModel[0];
    if (by) { query.set('sort', (by.sort === 'desc' ? '-' : '') + by.colId); }
    fetch(c.url + '?' + query)
      .then(r => r.json().then(answer => r.ok ? answer : Promise.reject(new Error(answer.error.message))))
      .then(page => {
        this.showError('');
        p.successCallback(page[c.rows], page.total);
        if (page.total) { this.api.hideOverlay(); } else { this.api.showNoRowsOverlay(); }
      })
      .catch(error => {
        p.failCallback();
        this.showError('These rows could not be loaded. ' + error.message);
        clearTimeout(this.again);
        this.again = setTimeout(() => this.refresh(), 4000);
      });
  }

  // Loaded rows are fetched again, in place: selection and scroll stay.
  refresh() {
    if (!this.api.isDestroyed()) { this.api.refreshInfiniteCache(); }
  }

  watch() {
    let version = null;
    const poll = () => {
      if (this.api.isDestroyed()) { return; }
      fetch('/api/version').then(r => {
        if (r.status === 401) { window.top.location.reload(); }  // the session has ended: sign in again
        return r.json();
      }).then(now => {
        const changed = version !== null && version !== now.version;
        if (changed && document.hidden) { setTimeout(poll, 1000); return; }
        if (changed) { this.refresh(); parent.dispatchEvent(new parent.CustomEvent('spheroscope:changed')); }
        version = now.version;
        this.ahead.pause(now.active > 0);
        setTimeout(poll, now.active ? 1000 : 4000);
      }).catch(() => setTimeout(poll, 8000));
    };
    poll();
  }

  // Ticked are the rows of a list, or, when all are, every row of the filter but those that were deselected.
  ticked() {
    return this.all ? [...this.deselected] : this.api.getSelectedNodes().map(node => node.id);
  }

  choose(all) {
    this.all = all;
    this.deselected.clear();
    if (all) { this.tick(); } else { this.api.deselectAll(); }
  }

  tick() {
    if (!this.all) { return; }
    const nodes = [];
    this.api.forEachNode(node => {
      if (node.data && !node.isSelected() && !this.deselected.has(node.id)) { nodes.push(node); }
    });
    if (nodes.length) { this.api.setNodesSelected({nodes, newValue: true, source: 'api'}); }
  }

  spare(node) {
    if (!this.all) { return; }
    if (node.isSelected()) { this.deselected.delete(node.id); } else { this.deselected.add(node.id); }
  }

  // What Python is told; of ticks, only when they changed its last word.
  answer(headerFilter) {
    return {
      query: this.context.query,
      selected: this.all ? [] : this.ticked(),
      everything: this.all,
      deselected: this.all ? this.ticked() : [],
      header_filter: headerFilter,
      at: Date.now()
    };
  }

  // A filter set in a header becomes a parameter of the API, by way of the page, which tells it in words.
  headerFilter() {
    const query = new URLSearchParams();
    Object.entries(this.api.getFilterModel()).forEach(([id, model]) => {
      const name = this.api.getColumn(id).getColDef().context.param;
      if (model.filterType === 'text') { query.set(name, model.filter); return; }
      const least = model.type === 'lessThanOrEqual' ? null : model.filter;
      const most = model.type === 'inRange' ? model.filterTo : model.type === 'lessThanOrEqual' ? model.filter : null;
      if (least !== null) { query.set(name + '_min', least); }
      if (most !== null) { query.set(name + '_max', most); }
    });
    return query.toString();
  }

  clearHeaderFilter() {
    const changed = Object.keys(this.api.getFilterModel()).length > 0;
    if (changed) { this.api.setFilterModel(null); }
    return changed;
  }

  isNewAnswer() {
    const answer = JSON.stringify([this.context.query, this.all, this.ticked()]);
    const changed = answer !== this.lastAnswer;
    this.lastAnswer = answer;
    return changed;
  }

  // Beside the grid's own pager: which columns are shown, a page to jump to, and what went wrong.
  addTools() {
    const tools = make('div');
    tools.className = 'tools';
    tools.append(this.columnMenu(), this.pageJump());
    if (this.context.download) { tools.append(this.downloadLink()); }
    const alert = make('span', tools);
    alert.setAttribute('role', 'alert');
    this.showError = text => { if (alert.textContent !== text) { alert.textContent = text; } };
    const panel = document.querySelector('.ag-paging-panel');
    if (panel) { panel.prepend(tools); }

    function make(name, parent) {
      const made = document.createElement(name);
      if (parent) { parent.append(made); }
      return made;
    }
  }

  columnMenu() {
    const columns = document.createElement('details');
    const title = document.createElement('summary');
    title.textContent = 'Columns';
    const menu = document.createElement('div');
    menu.className = 'menu';
    columns.append(title, menu);
    this.api.getColumns().filter(column => column.getColDef().headerName).forEach(column => {
      const label = document.createElement('label');
      const box = document.createElement('input');
      box.type = 'checkbox';
      box.addEventListener('change', () => this.api.setColumnsVisible([column.getColId()], box.checked));
      columns.addEventListener('toggle', () => { box.checked = column.isVisible(); });
      label.append(box, ' ' + column.getColDef().headerName);
      menu.append(label);
    });
    document.addEventListener('click', e => { if (!columns.contains(e.target)) { columns.open = false; } });
    columns.addEventListener('keydown', e => { if (e.key === 'Escape') { columns.open = false; } });
    return columns;
  }

  // Exactly what is shown: these rows, on all pages, in this order, of these columns.
  downloadLink() {
    const link = document.createElement('a');
    link.textContent = 'Download as CSV';
    link.href = this.context.download;
    link.download = '';
    link.addEventListener('click', () => {
      const query = new URLSearchParams(this.context.query);
      const sort = this.place.now().sort;
      if (sort) { query.set('sort', sort); }
      const fields = this.api.getAllDisplayedColumns().map(column => column.getColDef().field);
      query.set('fields', fields.filter(field => field).join(','));
      link.href = this.context.download + '?' + query;
    });
    return link;
  }

  pageJump() {
    const label = document.createElement('label');
    const number = document.createElement('input');
    number.type = 'number';
    number.min = 1;
    number.addEventListener('change', () => {
      const last = Math.max(this.api.paginationGetTotalPages(), 1);
      const page = Math.min(Math.max(Math.round(Number(number.value)) || 1, 1), last);
      number.value = page;
      this.ahead.reset();
      this.api.paginationGoToPage(page - 1);
    });
    label.append('Go to page ', number);
    return label;
  }
}
