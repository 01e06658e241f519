"""The grid's JavaScript, all of it, as constants.

streamlit-aggrid takes JavaScript as text, so nothing that a user typed may ever be put into one of these:
what varies travels in the grid's ``context`` or as a cell's value, and cells set text by ``textContent``
only. The wrapper strips comments and line ends, so statements end in semicolons and no comment stands inside.
"""

from __future__ import annotations

from st_aggrid import JsCode

# Pages, sorts and filters go to our own API; no script runs. Blocks come by the grid's own caching.
GET_ROWS = JsCode("""
function(p) {
  const query = new URLSearchParams(p.context.filters);
  query.set('offset', p.startRow);
  query.set('limit', p.endRow - p.startRow);
  if (p.sortModel.length) {
    const by = p.sortModel[0];
    query.set('sort', (by.sort === 'desc' ? '-' : '') + by.colId);
  }
  fetch(p.context.url + '?' + query)
    .then(r => r.ok ? r.json() : Promise.reject(r.status))
    .then(page => p.successCallback(page[p.context.rows], page.total))
    .catch(() => p.failCallback());
}
""")

# The rows that are loaded are fetched again, in place, when the data has changed: selection and scroll stay.
KEEP_FRESH = JsCode("""
function(p) {
  let seen = null;
  const look = () => {
    if (p.api.isDestroyed()) { return; }
    fetch('/api/version').then(r => r.json()).then(now => {
      if (seen !== null && seen !== now.version && !document.hidden) { p.api.refreshInfiniteCache(); }
      seen = now.version;
      setTimeout(look, now.active ? 1000 : 4000);
    }).catch(() => setTimeout(look, 8000));
  };
  look();
}
""")

# What Python hears of: which rows are selected, and which row was asked to be opened.
ANSWER = JsCode("""
function({streamlitRerunEventTriggerName, eventData}) {
  const row = streamlitRerunEventTriggerName === 'cellClicked' ? eventData.data : null;
  return {
    selected: eventData.api.getSelectedNodes().map(node => node.id),
    opened: row ? row.image_id || row.id : null,
    at: Date.now()
  };
}
""")

SHOULD_ANSWER = JsCode("""
function({streamlitRerunEventTriggerName, eventData}) {
  if (streamlitRerunEventTriggerName !== 'cellClicked') { return true; }
  const column = eventData.column ? eventData.column.getColId() : '';
  return ['thumbnail', 'name', 'image_name'].includes(column);
}
""")

ROW_ID = JsCode("function(p) { return p.data.id; }")

THUMBNAIL = JsCode("""
class Thumbnail {
  init(p) {
    this.eGui = document.createElement('img');
    const look = 'height:60px;max-width:84px;object-fit:contain;border-radius:4px;cursor:pointer';
    this.eGui.style.cssText = look;
    this.eGui.alt = '';
    this.refresh(p);
  }
  getGui() { return this.eGui; }
  refresh(p) {
    if (p.value && this.eGui.getAttribute('src') !== p.value) { this.eGui.src = p.value; }
    return true;
  }
}
""")

# Colour and shape and word: never colour alone.
STATUS = JsCode("""
class Status {
  init(p) {
    this.eGui = document.createElement('span');
    this.mark = document.createElement('span');
    this.word = document.createElement('span');
    this.mark.style.cssText = 'display:inline-block;width:1.3em;font-weight:700';
    this.eGui.append(this.mark, this.word);
    this.refresh(p);
  }
  getGui() { return this.eGui; }
  refresh(p) {
    const looks = {
      new: ['○', '#7d8b91'], queued: ['◔', '#7d8b91'], running: ['◑', '#2f80c4'],
      done: ['●', '#3a9a63'], failed: ['✕', '#d0493b'], cancelled: ['–', '#7d8b91']
    };
    const look = looks[p.value] || ['', 'inherit'];
    this.mark.textContent = look[0];
    this.mark.style.color = look[1];
    this.word.textContent = p.value === 'new' ? 'not segmented' : (p.value || '');
    return true;
  }
}
""")

# Three significant digits, thin spaces between thousands, a dash for what is not known.
NUMBER = JsCode("""
function(p) {
  if (p.value === null || p.value === undefined) { return p.data ? '–' : ''; }
  if (Math.abs(p.value) < 999.5) { return Number(p.value).toPrecision(3); }
  return Number(p.value.toPrecision(3)).toLocaleString('en-US').replace(/,/g, '\\u202f');
}
""")

DIAMETER = JsCode("""
function(p) {
  if (!p.data) { return null; }
  const um = p.data.largest_diameter_um;
  const value = um === null ? p.data.largest_diameter_px : um;
  if (value === null) { return null; }
  const text = value < 999.5 ? value.toPrecision(3) : Number(value.toPrecision(3)).toLocaleString('en-US');
  return text.replace(/,/g, '\\u202f') + (um === null ? ' px' : ' µm');
}
""")

DASH = JsCode(
    "function(p) { return p.value === null || p.value === undefined ? (p.data ? '–' : '') : p.value; }"
)

TIME = JsCode("""
function(p) {
  if (!p.value) { return p.data ? '–' : ''; }
  const parts = {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false};
  return new Date(p.value).toLocaleString('en-GB', parts);
}
""")

SECONDS = JsCode("""
function(p) {
  if (p.value === null || p.value === undefined) { return p.data ? '–' : ''; }
  return p.value < 10 ? p.value.toFixed(2) + ' s' : Math.round(p.value) + ' s';
}
""")
