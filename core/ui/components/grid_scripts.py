"""The grid's JavaScript, all of it, as constants.

streamlit-aggrid takes JavaScript as text, so nothing that a user typed may ever be put into one of these:
what varies travels in the grid's ``context`` or as a cell's value, and cells set text by ``textContent``
only. The wrapper strips comments and line ends, so statements end in semicolons and no comment stands inside.
"""

from __future__ import annotations

from st_aggrid import JsCode

from core.ui.components.asset_files import asset

_TABLE, _PLACE, _AHEAD, _KEYS = (
    asset(name) for name in ("grid.js", "grid_place.js", "grid_ahead.js", "grid_keys.js")
)

READY = JsCode(f"function(p) {{ window.table = new ({_TABLE})(p, {_PLACE}, {_AHEAD}, {_KEYS}); }}")

# Tab leads from outside to a row, and from a row to outside: the browser takes it on.
FOCUS_ROW = JsCode("function(p) { return window.table ? window.table.keys.focusRow() : false; }")
LEAVE = JsCode("function(p) { return false; }")

# The grid may ask for its first rows before it says that it is ready.
GET_ROWS = JsCode("""
function load(p) {
  if (window.table) { window.table.load(p); } else { setTimeout(() => load(p), 5); }
}
""")

ANSWER = JsCode("""
function({streamlitRerunEventTriggerName}) {
  const byHeader = streamlitRerunEventTriggerName === 'filterChanged';
  return window.table.answer(byHeader ? window.table.headerFilter() : null);
}
""")

# Of ticks, only those that change the answer.
SHOULD_ANSWER = JsCode("""
function({streamlitRerunEventTriggerName}) {
  if (streamlitRerunEventTriggerName === 'filterChanged') { return window.table.clearHeaderFilter(); }
  return window.table.isNewAnswer();
}
""")

# Ticks every row of the filter, on all pages: those that are loaded at once, others as they come.
SELECT_ALL = JsCode("""
class SelectAll {
  init(p) {
    this.api = p.api;
    this.eGui = document.createElement('input');
    this.eGui.type = 'checkbox';
    this.eGui.className = 'all';
    this.eGui.title = 'Select all rows of this filter, on every page';
    this.eGui.setAttribute('aria-label', this.eGui.title);
    this.eGui.addEventListener('change', () => window.table.choose(this.eGui.checked));
    this.on = {
      modelUpdated: () => { if (window.table) { window.table.tick(); } },
      rowSelected: event => { if (event.source !== 'api') { window.table.spare(event.node); } },
      selectionChanged: () => this.draw()
    };
    Object.entries(this.on).forEach(([name, act]) => p.api.addEventListener(name, act));
  }
  getGui() { return this.eGui; }
  refresh() { return true; }
  destroy() {
    Object.entries(this.on).forEach(([name, act]) => this.api.removeEventListener(name, act));
  }
  draw() {
    const t = window.table;
    this.eGui.checked = t.all && t.deselected.size === 0;
    this.eGui.indeterminate = !this.eGui.checked && this.api.getSelectedNodes().length > 0;
  }
}
""")

# A link to what the row is about, so that it can be opened in another tab as well; a click is the table's.
LINK = JsCode("""
class Link {
  init(p) {
    this.eGui = document.createElement('a');
    this.eGui.tabIndex = -1;
    this.eGui.target = '_blank';
    ['pointerenter', 'focus'].forEach(name => this.eGui.addEventListener(name, () => this.lead()));
    this.eGui.addEventListener('click', event => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); }
    });
    this.refresh(p);
  }
  getGui() { return this.eGui; }
  refresh(p) {
    const known = p.value !== null && p.value !== undefined;
    this.eGui.textContent = known ? p.value : '';
    this.row = p.data;
    this.lead();
    return true;
  }
  lead() {
    if (this.row && window.table) { this.eGui.href = window.table.place.rowAddress(this.row); }
  }
}
""")

ROW_ID = JsCode("function(p) { return p.data.id; }")

THUMBNAIL = JsCode("""
class Thumbnail {
  init(p) {
    this.eGui = document.createElement('img');
    const style = 'height:50px;max-width:84px;object-fit:contain;border-radius:4px;cursor:pointer';
    this.eGui.style.cssText = style;
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

THUMBNAILS = JsCode("""
class Thumbnails {
  init(p) {
    this.eGui = document.createElement('span');
    this.eGui.style.cssText = 'display:flex;gap:4px;cursor:pointer';
    this.refresh(p);
  }
  getGui() { return this.eGui; }
  refresh(p) {
    const shown = (p.value || []).join(' ');
    if (shown === this.shown) { return true; }
    this.shown = shown;
    this.eGui.replaceChildren(...(p.value || []).map(address => {
      const image = document.createElement('img');
      image.src = address;
      image.alt = '';
      image.style.cssText = 'width:48px;height:48px;object-fit:cover;border-radius:4px';
      return image;
    }));
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
    const marks = {
      new: ['○', '#7d8b91'], queued: ['◔', '#7d8b91'], running: ['◑', '#2f80c4'],
      done: ['●', '#3a9a63'], failed: ['✕', '#d0493b'], cancelled: ['–', '#7d8b91']
    };
    const mark = marks[p.value] || ['', 'inherit'];
    this.mark.textContent = mark[0];
    this.mark.style.color = mark[1];
    this.word.textContent = p.value === 'new' ? 'not segmented' : (p.value || '');
    if (p.colDef.field === 'status' && p.value === 'done' && p.data && p.data.error) {
      this.mark.textContent = '▲';
      this.mark.style.color = '#b7791f';
      this.word.textContent = 'done, last try failed';
    }
    return true;
  }
}
""")

# Why segmenting failed; of an image with an earlier result, that it has one.
STATUS_REASON = JsCode("""
p => {
  const error = p.data && p.data.error;
  return error && p.value === 'done' ? 'Done; the last try failed: ' + error : error;
}
""")

# The number, with a mark and a colour where the image is to be looked at.
CONFIDENCE = JsCode("""
class Confidence {
  init(p) {
    this.eGui = document.createElement('span');
    this.refresh(p);
  }
  getGui() { return this.eGui; }
  refresh(p) {
    const known = p.value !== null && p.value !== undefined;
    const uncertain = known && p.data && p.data.look_at_this;
    this.eGui.textContent = known ? (uncertain ? '▲ ' : '') + p.value.toFixed(2) : (p.data ? '–' : '');
    this.eGui.style.color = uncertain ? 'color-mix(in srgb, #d98200 70%, currentColor)' : '';
    this.eGui.style.fontWeight = uncertain ? '700' : '';
    this.eGui.title = uncertain ? 'Look at this: its outlines are less certain than usual' : '';
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

# A size with its unit: in micrometres where the row has them, else in pixels.
SIZE = JsCode("""
function(p) {
  if (!p.data) { return null; }
  const names = p.colDef.context;
  const um = p.data[names.um];
  const known = um !== null && um !== undefined;
  const value = known ? um : p.data[names.px];
  if (value === null || value === undefined) { return null; }
  const text = value < 999.5 ? value.toPrecision(3) : Number(value.toPrecision(3)).toLocaleString('en-US');
  return text.replace(/,/g, '\\u202f') + ' ' + names.units[known ? 0 : 1];
}
""")

# A size in micrometres; of an image without a pixel size, in pixels with their unit.
SIZE_OR_PIXELS = JsCode("""
function(p) {
  if (!p.data) { return ''; }
  const px = p.data[p.colDef.context.px];
  const known = p.value !== null && p.value !== undefined;
  if (!known && (px === null || px === undefined)) { return '–'; }
  const value = known ? p.value : px;
  const text = value < 999.5 ? value.toPrecision(3) : Number(value.toPrecision(3)).toLocaleString('en-US');
  return text.replace(/,/g, '\\u202f') + (known ? '' : ' ' + p.colDef.context.unit);
}
""")

DASH = JsCode(
    "function(p) { return p.value === null || p.value === undefined ? (p.data ? '–' : '') : p.value; }"
)

YES_NO = JsCode("""
function(p) {
  if (p.value === null || p.value === undefined) { return p.data ? '–' : ''; }
  return p.value ? 'yes' : 'no';
}
""")

TIME = JsCode("""
function(p) {
  if (!p.value) { return p.data ? '–' : ''; }
  const parts = {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false,
    timeZone: p.context.zone};
  return new Date(p.value).toLocaleString('en-GB', parts);
}
""")

SECONDS = JsCode("""
function(p) {
  if (p.value === null || p.value === undefined) { return p.data ? '–' : ''; }
  return p.value < 10 ? p.value.toFixed(2) + ' s' : Math.round(p.value) + ' s';
}
""")
