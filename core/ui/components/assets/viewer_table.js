// Table: one row for each outline. A row is reached with Tab once, then with the up and down keys.

class Table {
  constructor(root, model) {
    Object.assign(this, { root, model });
    this.scroller = root.querySelector(".scroller");
    this.table = root.querySelector("table");
    this.body = root.querySelector("tbody");
    this.rows = new Map();
    model.listen((change) => this.on(change));
    if (model.data) this.build();
  }

  on(change) {
    if (change === "objects") this.build();
    if (change === "some objects") this.replaceRows();
    if (change === "hover") this.mark("hovered", this.model.hovered);
    if (change === "selection") this.showSelection();
  }

  build() {
    const { columns, umPerPx, ifEmpty, explained } = this.model.data;
    const objects = [...this.model.objects.values()];
    this.rows = new Map(objects.map((item) => [item.number, tableRow(item)]));
    this.body.replaceChildren(...this.rows.values());
    this.root.querySelector("thead tr").replaceChildren(...headers(columns));
    this.root.querySelector(".found").textContent = counted(objects.length);
    this.root.querySelector(".uncalibrated").hidden = Boolean(umPerPx);
    this.root.querySelector(".none").hidden = objects.length > 0;
    this.root.querySelector(".none").textContent = ifEmpty;
    this.root.querySelector(".explained").textContent = explained;
    this.root.querySelector(".explained").hidden = !explained || objects.length === 0;
    this.table.hidden = objects.length === 0;
    this.scroller.scrollTop = 0;
    this.showSelection();
  }

  replaceRows() {
    for (const number of this.model.replaced) {
      const item = this.model.objects.get(number);
      const [row, old] = [item && tableRow(item), this.rows.get(number)];
      if (row && old) old.replaceWith(row);
      else if (row) this.body.insertBefore(row, this.rowAfter(number));
      else old?.remove();
      if (row) this.rows.set(number, row);
      else this.rows.delete(number);
    }
    this.root.querySelector(".found").textContent = counted(this.rows.size);
    this.root.querySelector(".none").hidden = this.rows.size > 0;
    this.table.hidden = this.rows.size === 0;
    this.showSelection();
  }

  rowAfter(number) {
    return [...this.body.children].find((row) => Number(row.dataset.number) > number) ?? null;
  }

  showSelection() {
    const row = this.rows.get(this.model.selected);
    this.mark("selected", this.model.selected);
    this.rows.forEach((other) => other.setAttribute("aria-selected", String(other === row)));
    this.makeReachable(row ?? this.body.firstElementChild);
    if (row) this.scrollTo(row);
  }

  mark(name, number) {
    this.body.querySelector(`.${name}`)?.classList.remove(name);
    this.rows.get(number)?.classList.add(name);
  }

  // Only one row is a stop of the Tab key; with 500 stops nobody would get past the table.
  makeReachable(row) {
    const before = this.body.querySelector("[tabindex='0']");
    if (before) before.tabIndex = -1;
    if (row) row.tabIndex = 0;
  }

  // Scrolls the table alone; scrollIntoView would move the whole page too.
  scrollTo(row) {
    const head = this.table.tHead.offsetHeight;
    const { scrollTop, clientHeight } = this.scroller;
    if (row.offsetTop - head < scrollTop) this.scroller.scrollTop = row.offsetTop - head;
    const bottom = row.offsetTop + row.offsetHeight;
    if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight;
  }

  // The row above or below takes the focus.
  step(row, down) {
    const next = down ? row.nextElementSibling : row.previousElementSibling;
    if (!next) return;
    this.makeReachable(next);
    next.focus({ preventScroll: true });
    this.scrollTo(next);
  }
}

function counted(number) {
  if (number === 0) return "";
  return number === 1 ? "1 spheroid" : `${number} spheroids`;
}

function headers(columns) {
  const first = element("th", "#", "Number on the picture");
  const middle = columns.map(({ label, unit, title }) => {
    const header = element("th", label, title);
    if (unit) header.append(" ", element("span", unit));
    return header;
  });
  const all = [first, ...middle, element("th", "Flag", "What to look at")];
  all.forEach((header) => header.setAttribute("scope", "col"));
  all.at(-1).className = "flags";
  return all;
}

function tableRow(item) {
  const row = document.createElement("tr");
  row.tabIndex = -1;
  row.dataset.number = item.number;
  const flags = element("td");
  flags.className = "flags";
  flags.append(...item.flags.map(chip));
  if (item.changed) row.classList.add("changed");
  row.append(element("td", item.name ?? item.number), ...item.cells.map(tableCell), flags);
  return row;
}

function tableCell({ text, title, kind }) {
  const cell = element("td", text, title);
  if (kind) cell.className = kind;
  return cell;
}

function chip({ text, title, kind }) {
  const flag = element("span", text, title);
  flag.className = `chip ${kind}`;
  return flag;
}

function element(name, text = "", title = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (title) made.title = title;
  return made;
}
