// Link: parts of one viewer that stand apart on the page, such as its table, find it here by its name.

const shared = (globalThis.spheroscopeViewers ??= { open: new Map(), listeners: new Set() });

// Make a viewer known under a name, or with null that there is none any more.
function publish(name, viewer) {
  if (viewer) shared.open.set(name, viewer);
  else shared.open.delete(name);
  shared.listeners.forEach((listener) => listener(name));
}

// Call `use` with the viewer of this name, now or once it is there, and again whenever it is another one.
function follow(name, use) {
  const listener = (changed) => {
    if (changed === name && shared.open.has(name)) use(shared.open.get(name));
  };
  shared.listeners.add(listener);
  listener(name);
  return () => shared.listeners.delete(listener);
}
