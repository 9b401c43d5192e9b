// Draws the plots, of the rows that the table's filters leave; it stands in one script after table.js.

const MOST_VARIANTS = 14; // in one plot: more cannot be told apart
const FIRST_HEIGHT = 200; // of the plots at the beginning, so that what follows is seen
const HEAD_ROOM = 0.09; // share of a plot's height above its points, for what has no figure
const COLOURS = 7;
const SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"];
const WORDS = { c: "counted", o: "outlier", s: "after a switch", w: "warm-up" };

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

/** Text beside the pointer; as text, so that a name can hold no markup. */
function tooltip(text) {
  return (_handler, event, item, pointedAt) => {
    const said = pointedAt ? text(item.datum) : "";
    tip.hidden = !said;
    if (!said) return;
    tip.textContent = said;
    const left = Math.min(event.pageX + 14, scrollX + innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(scrollX + 8, left)}px`;
    tip.style.top = `${event.pageY + 14}px`;
  };
}

/** Everything that the table says of a row, and what its memory consists of. */
function told(i) {
  const cells = [...lines[i].cells].slice(1)
    .map((cell) => (cell.querySelector("summary") ?? cell).textContent);
  const said = cells.map((text, n) => [data.heads[n], text]).filter(([, text]) => text && text !== "–");
  const { layers, operators } = data.rows[i];
  if (layers) said.push(["memory", layers]);
  if (operators) said.push(["time by kind of operator", operators]);
  return [label(data.rows[i]), ...said.map(([head, text]) => `${head}: ${text}`)];
}

async function embed(place, spec, sets, text) {
  const whole = { ...structuredClone(spec), config: structuredClone(data.config) };
  whole.config.legend.labelLimit = Math.max(120, place.clientWidth - 60);
  whole.config.axis.labelLimit = Math.max(120, place.clientWidth / 2);
  whole.config.legend.columns = sets.legendColumns ?? 1;
  whole.datasets = sets.data;
  whole.params = [{ name: "names", value: data.columns.map(([name]) => name) }];
  const made = await vegaEmbed(place, whole, {
    actions: false,
    ast: true, // no eval: the page's policy forbids it
    defaultStyle: false,
    logLevel: 1,
    renderer: "svg",
    tooltip: tooltip(text),
  });
  const drawing = place.querySelector("svg");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("focusable", "false");
  return made;
}

/** The points of a chart, of the rows that the filters leave; for null, whatever is chosen. */
function pointsOf(chart, chosen) {
  const rows = state.shown.map((i) => ({ i, row: data.rows[i] }));
  const here = rows.filter(({ row }) => !chart.by || chosen === null || String(row[chart.by] ?? "") === chosen);
  const variants = [...new Set(here.map(({ row }) => row.column))];
  const drawn = new Set(variants.slice(0, MOST_VARIANTS));
  const points = [];
  const failed = [];
  let nowhere = 0; // a logarithmic axis has no place for it
  for (const { i, row } of here) {
    const [x, y] = [row[chart.x], row[chart.y]];
    if (!drawn.has(row.column) || !(x > 0)) continue;
    const point = { i, x, column: row.column };
    if (y > 0) points.push({ ...point, y, ...intervals(y, row, chart.interval), ...across(x, row, chart.across) });
    else if (row.failure) failed.push(point);
    else if (y <= 0) nowhere += 1;
  }
  points.sort((a, b) => a.column - b.column || a.x - b.x);
  return { points, failed, nowhere, left: variants.length - drawn.size, variants: variants.length };
}

/** The ends of both intervals: that on the device, and that against the others of the run. */
function intervals(y, row, name) {
  const [lo, hi] = interval(y, row[`${name}_low`], row[`${name}_high`]);
  const [near, far] = interval(y, row[`${name}_relative_low`], row[`${name}_relative_high`]);
  const ends = ["low", "high", "relative_low", "relative_high"];
  const hollow = name !== "" && ends.every((end) => row[`${name}_${end}`] === undefined);
  return { lo, hi, near, far, hollow };
}

/** The ends of both intervals along the horizontal axis, where a plot shows them. */
function across(x, row, name) {
  if (!name) return {};
  const [left, right] = interval(x, row[`${name}_low`], row[`${name}_high`]);
  const [nearLeft, nearRight] = interval(x, row[`${name}_relative_low`], row[`${name}_relative_high`]);
  return { left, right, nearLeft, nearRight };
}

/** Corners of the front from edge to edge: what no other point beats in both figures. */
function frontOf(points, kind, [, right], [bottom, top]) {
  if (!kind) return [];
  const sign = kind === "highest" ? 1 : -1;
  const corners = [];
  for (const { x, y } of [...points].sort((a, b) => a.x - b.x || sign * (b.y - a.y))) {
    if (!corners.length || sign * (y - corners.at(-1).y) > 0) corners.push({ x, y });
  }
  const start = { x: corners[0].x, y: sign > 0 ? bottom : top };
  return [start, ...corners, { x: right, y: corners.at(-1).y }];
}

/** The ends of an interval; one that is missing, or not above 0, is beyond the axis. */
function interval(y, low, high) {
  if (low === undefined && high === undefined) return [y, y];
  return [low > 0 ? low : 0, high ?? Infinity];
}

/** The range of a logarithmic axis, with some room; a share of it stays free at the upper end. */
function range(values, room, free = 0) {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const more = Math.max(room, (high / low) ** 0.06);
  const bottom = low / more;
  return [bottom, bottom * ((high * more) / bottom) ** (1 / (1 - free))];
}

/** The range of a linear axis, with some room. */
function linearRange(values) {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const more = 0.06 * (high - low) || 0.01;
  return [low - more, high + more];
}

/** Round values on a logarithmic axis, at most eight of them. */
function roundValues([low, high]) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  let inside = [];
  for (const digits of [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1]]) {
    inside = [];
    for (let decade = first; decade <= last; decade++) {
      for (const digit of digits) inside.push(Number(`${digit}e${decade}`));
    }
    inside = inside.filter((value) => low <= value && value <= high);
    if (inside.length <= 8) break;
  }
  if (inside.length > 8) inside = inside.filter((_, n) => n % Math.ceil(inside.length / 8) === 0);
  return inside.length > 2 ? inside : evenValues(low, high);
}

/** Four or more values an equal and round step apart, where a range is narrow. */
function evenValues(low, high) {
  const decade = 10 ** Math.floor(Math.log10((high - low) / 4));
  const step = [5, 2, 1].map((digit) => digit * decade).find((size) => (high - low) / size >= 4);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, n) => Number(((first + n) * step).toPrecision(6)));
}

async function drawChart(figure) {
  const chart = data.charts[figure.dataset.chart];
  const place = figure.querySelector(".plot");
  const choice = figure.querySelector("select");
  const fixed = choice ? choice.value : String(figure.dataset.chosen ?? "");
  const { points, failed, nowhere, left, variants } = pointsOf(chart, fixed);
  const bound = figure.querySelector(".bound");
  figure.querySelector(".reading").textContent = "";
  figure.view?.finalize();
  figure.view = null;
  if (!points.length) {
    place.replaceChildren();
    bound.textContent = "None of the workloads that the filters leave has a figure to draw here.";
    return;
  }
  bound.textContent = [
    left && `Shown are the first ${MOST_VARIANTS} of ${variants} variants in the order of the table; sort or filter it to see others.`,
    nowhere && `Figures that are not above 0, and have no place on this axis: ${nowhere}.`,
  ].filter(Boolean).join(" ");
  const draw = chart.layers.length ? stack : chart.named ? ranked : plot;
  const made = await draw(chart, place, points, failed);
  figure.view = made.view;
  readable(figure, points, (point) => told(point.i).join("; "));
}

/** Points on logarithmic axes. */
function plot(chart, place, points, failed) {
  const spec = structuredClone(chart.spec);
  if (place.closest(".first")) spec.height = FIRST_HEIGHT;
  const { x, y } = spec.encoding;
  const wide = points.flatMap((p) => (chart.across ? [Math.max(p.left, p.x / 3), Math.min(p.right, p.x * 3)] : []));
  x.scale.domain = range([...[...points, ...failed].map((p) => p.x), ...wide], 1.15);
  // Panels side by side have one scale.
  const seen = place.closest(".first") ? pointsOf(chart, null) : { points, failed };
  // An absurdly wide interval ends at the edge, lest it squeeze the points.
  const ends = seen.points.flatMap((p) => [p.y, Math.max(p.lo, p.y / 3), Math.min(p.hi, p.y * 3)]);
  const linear = y.scale.type === "linear";
  y.scale.domain = linear ? linearRange(ends) : range(ends, 1.15, seen.failed.length ? HEAD_ROOM : 0);
  const [bottom, top] = y.scale.domain;
  for (const p of points) {
    const inside = (end) => Math.min(Math.max(end, bottom), top);
    for (const end of ["lo", "hi", "near", "far"]) p[end] = inside(p[end]);
    for (const end of chart.across ? ["left", "right", "nearLeft", "nearRight"] : []) {
      p[end] = Math.min(Math.max(p[end], x.scale.domain[0]), x.scale.domain[1]);
    }
  }
  const ticks = [...new Set([...points, ...failed].map((p) => p.x))].sort((a, b) => a - b);
  const own = spec.layer.find((layer) => layer.data?.values);
  if (own) widen(own.data.values, x.scale, y.scale);
  x.axis.values = chart.lines && ticks.length <= 12 ? ticks : roundValues(x.scale.domain);
  y.axis.values = linear ? evenValues(...y.scale.domain) : roundValues(y.scale.domain);
  const domain = [...new Set([...points, ...failed].map((p) => p.column))].sort((a, b) => a - b);
  spec.encoding.color.scale = { domain, range: domain.map((c) => `var(--c${c % COLOURS})`) };
  const shape = spec.layer.find((layer) => layer.encoding?.shape).encoding.shape;
  shape.scale = { domain, range: domain.map((c) => SHAPES[c % SHAPES.length]) };
  const longest = Math.max(...domain.map((column) => data.columns[column][0].length));
  const legendColumns = Math.max(1, Math.floor(place.clientWidth / (50 + 7.5 * longest)));
  const diagonal = [x.scale.domain[0], x.scale.domain[1]].map((at) => ({ x: at, y: at }));
  const front = frontOf(points, chart.front, x.scale.domain, y.scale.domain);
  const sets = { points, failed, read: [], diagonal, front };
  return embed(place, spec, { data: sets, legendColumns }, (datum) => told(datum.i).join("\n"));
}

/** A bar of layers for each variant, and a mark at the peak. */
function stack(chart, place, points) {
  const peaks = points.map((point) => Object.assign(point, { x: point.y }));
  const bars = peaks.flatMap(({ i, column }) => chart.layers.map((layer, order) =>
    ({ i, column, layer, order, size: data.rows[i][layer] ?? 0 })));
  const spec = structuredClone(chart.spec);
  spec.height = 30 * points.length;
  const longest = Math.max(...chart.layers.map((layer) => layer.length));
  const fitting = Math.floor((place.clientWidth - 130) / (7 * longest + 24)); // right of the names
  const legendColumns = Math.min(chart.layers.length, Math.max(1, fitting));
  const sets = { data: { points: bars, peaks, read: [] }, legendColumns };
  return embed(place, spec, sets, (datum) => told(datum.i).join("\n"));
}

/** A row for each variant, the fastest first. */
function ranked(chart, place, points) {
  points.sort((a, b) => a.x - b.x);
  const ends = points.flatMap((p) => [p.x, Math.max(p.left, p.x / 3), Math.min(p.right, p.x * 3)]);
  const domain = range(ends, 1.15);
  for (const p of points) {
    for (const end of ["left", "right", "nearLeft", "nearRight"]) {
      p[end] = Math.min(Math.max(p[end], domain[0]), domain[1]);
    }
    p.hollow = p.left === p.right;
  }
  const spec = structuredClone(chart.spec);
  spec.encoding.x.scale.domain = domain;
  spec.encoding.x.axis.values = roundValues(domain);
  spec.encoding.y.sort = points.map((p) => p.column);
  spec.height = Math.max(60, 30 * points.length);
  return embed(place, spec, { data: { points, read: [] } }, (datum) => told(datum.i).join("\n"));
}

/** Make room for the rooflines. */
function widen(rooflines, x, y) {
  const inside = rooflines.map((point) => point.y);
  if (!inside.length) return;
  x.domain = [Math.min(x.domain[0], ...rooflines.map((p) => p.x)), Math.max(x.domain[1], ...rooflines.map((p) => p.x))];
  y.domain = [Math.min(y.domain[0], ...inside), Math.max(y.domain[1], ...inside) * 1.2];
}

/** Arrow keys read the points of a plot one after the other. */
function readable(figure, points, text) {
  const place = figure.querySelector(".plot");
  const reading = figure.querySelector(".reading");
  let at = -1;
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -points.length, End: points.length };
  place.onkeydown = (event) => {
    if (!(event.key in steps) || !figure.view) return;
    event.preventDefault();
    at = Math.max(0, Math.min(points.length - 1, at + steps[event.key]));
    reading.textContent = `${at + 1} of ${points.length}: ${text(points[at])}`;
    figure.view.data("read", [points[at]]).runAsync();
  };
}

async function drawCourse(figure) {
  const chosen = figure.querySelector("select").value;
  const course = data.courses[chosen];
  const state = data.states[data.stateOf[chosen]];
  figure.querySelector(".bound").textContent = course.note;
  figure.querySelector(".reading").textContent = "";
  figure.view?.finalize();
  // On the axis of the run, where its state is shown above; else on that of the workload.
  const later = state ? course.begin - state.begin : 0;
  const points = course.at.map((at, n) =>
    ({ x: at + later, y: course.values[n], kind: WORDS[course.kinds[n]] }));
  const processes = course.processes.map((at) => ({ x: at + later }));
  const spec = structuredClone(state ? data.course.below : data.course.alone);
  const { y } = spec.layer.at(-1).layer[1].encoding;
  y.scale.domain = range(points.map((p) => p.y), 1.05);
  y.axis.values = roundValues(y.scale.domain);
  const strip = state ? state.at.map((x, n) => ({ x, y: state.factor[n] })) : [];
  const times = [...points, ...processes, ...strip].map(({ x }) => x);
  spec.encoding.x.scale.domain = [Math.min(...times), Math.max(...times)];
  if (state) setStrip(spec.layer[0].encoding.y, strip.map((p) => p.y));
  const said = ({ x, y, kind }) => (kind
    ? `${seconds(y)} at ${Number(x.toFixed(4))} s: ${kind}`
    : `machine at ${x} s: ${y.toFixed(2)} times the run's average latency`);
  const place = figure.querySelector(".plot");
  const legendColumns = place.clientWidth < 500 ? 2 : 4;
  const sets = { points, processes, read: [], state: strip };
  const made = await embed(place, spec, { data: sets, legendColumns }, said);
  figure.view = made.view;
  readable(figure, points, said);
  await drawHistogram(byId("histogram"), course);
}

/** The range of a strip around 1, with the ticks that have room. */
function setStrip(y, factors) {
  const [low, high] = range([1 / 1.05, 1.05, ...factors], 1.02);
  const far = (value) => Math.abs(Math.log(value)) > 0.35 * Math.log(high / low);
  y.scale.domain = [low, high];
  y.axis.values = [...[Math.min(...factors), Math.max(...factors)]
    .map((value) => Number(value.toFixed(2))).filter(far), 1];
}

async function drawHistogram(figure, course) {
  figure.view?.finalize();
  figure.view = null;
  const [low, high] = course.edges;
  const edge = (n) => low * (high / low) ** (n / course.bins.length);
  const bins = course.bins.map((count, n) => ({ from: edge(n), to: edge(n + 1), count }));
  figure.querySelector(".bound").textContent = bins.length ? "" : "Too few values that count, or all alike.";
  figure.querySelector(".plot").hidden = !bins.length;
  if (!bins.length) return;
  const spec = structuredClone(data.histogram);
  spec.encoding.x.scale.domain = [low, high];
  spec.encoding.x.axis.values = roundValues([low, high]);
  const made = await embed(figure.querySelector(".plot"), spec, { data: { bins } }, (datum) =>
    `${datum.count} values from ${seconds(datum.from)} to ${seconds(datum.to)}`);
  figure.view = made.view;
}

/** A duration with three digits: only for raw values; every figure is formatted before. */
function seconds(value) {
  const [scale, unit] = value < 1e-3 ? [1e6, "µs"] : value < 1 ? [1e3, "ms"] : [1, "s"];
  return `${Number((value * scale).toPrecision(3))} ${unit}`;
}

let generation = 0;
let last = Promise.resolve();

/** One drawing after the other, so that two never meet in one place; one that fails ends no other. */
function inTurn(draw, figure) {
  last = last.then(() => draw(figure)).catch((error) => {
    figure.querySelector(".bound").textContent = `This plot could not be drawn: ${error.message}`;
    console.error(error);
  });
  return last;
}

/** Draw every plot anew; a newer call puts an end to it. */
async function redraw() {
  const mine = ++generation;
  document.body.dataset.drawn = "no";
  tip.hidden = true;
  for (const figure of document.querySelectorAll("figure.chart")) {
    await new Promise((resolve) => setTimeout(resolve)); // let keys and clicks come through
    if (mine !== generation) return;
    await inTurn(drawChart, figure);
  }
  document.body.dataset.drawn = "yes";
}

async function setUpPlots() {
  if (typeof vegaEmbed === "undefined") return;
  for (const figure of document.querySelectorAll("figure.chart")) {
    figure.querySelector("select")?.addEventListener("input", () => inTurn(drawChart, figure));
  }
  const course = byId("course");
  course?.querySelector("select").addEventListener("input", () => inTurn(drawCourse, course));
  await redraw();
  if (course) await inTurn(drawCourse, course);
  document.body.dataset.ready = "yes";
}

setUpPlots();
