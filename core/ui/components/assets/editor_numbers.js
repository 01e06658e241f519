// Numbers: cells of the table from what the server has measured; written as core/ui/format.py writes them.

const GAP = "\u202f";
const UNMEASURED = { text: "…", title: "Being measured", kind: "pending" };

function threeDigits(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const [mantissa, exponent] = Math.abs(value).toExponential(2).split("e");
  const sign = value < 0 ? "\u2212" : "";
  if (Number(exponent) < -3) return `${sign}${mantissa}${GAP}×${GAP}10${superscript(exponent)}`;
  const text = Number(`${mantissa}e${exponent}`).toFixed(Math.max(0, 2 - Number(exponent)));
  const [whole, rest] = text.split(".");
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, GAP) + (rest ? `.${rest}` : "");
}

function superscript(exponent) {
  return [...String(Number(exponent))].map((digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])).join("");
}

// What the viewer shows of a spheroid. `measured` is the server's row of it, or null until it has come; `before`
// the item that was shown before somebody corrected it, if there was one.
function viewItem({ number, region, measured, columns, umPerPx, image, before }) {
  const rings = ringsOf(region);
  const border =
    region.x === 0 || region.y === 0 || region.x + region.width === image.width || region.y + region.height === image.height;
  const cells = columns.map(({ name, power }, place) => {
    if (!measured) return UNMEASURED;
    const value = measured[name];
    const text = threeDigits(typeof value === "number" && umPerPx ? value * umPerPx ** power : value);
    const old = before?.cells[place]?.text;
    return { text, title: old && old !== text ? `Before the correction: ${old}` : "" };
  });
  const unsure = { text: "–", title: "Corrected by hand: only outlines that an engine drew have a confidence" };
  const flags = [];
  if (border) flags.push({ text: "at the edge", title: "Touches the image's edge: it may be cut off", kind: "warn" });
  const holes = rings.length - 1;
  if (holes > 0) flags.push({ text: holes === 1 ? "1 hole" : `${holes} holes`, title: "Taken out of the area", kind: "note" });
  flags.push({ text: before ? "✎" : "new", title: "Changed since the correction began", kind: "note" });
  const name = number >= NEW_FROM ? "new" : number;
  return withBox({ number, name, rings, title: `Spheroid ${name}`, border, cells: [...cells, unsure], flags, changed: true });
}
