/* Reads charts: one crosshair and one box through all plots of a stack (.plots), by mouse, touch and keys.
   What is read was worked out by the server; here it is only looked up. The box is never over its point: beside
   it where there is room, on a narrow screen above the plots. Key moves alone are spoken. */
(function () {
  "use strict";
  const { charts, specOf, text, compact, lang } = window.heatmonCharts;
  const GAP_STEPS = 2.5, MINUTE = 60, DAY = 86400, FAR = 10, CLICK = 8;
  const at = new Map();                                        // id of a stack -> index read there, heat-map row, chart

  const chartsOf = (stack) => charts.filter((chart) => stack.contains(chart.canvas));
  const plotOf = (spec, chart) => (spec.plots || []).find((plot) => plot.name === chart.canvas.dataset.plot);
  const row = (name, value, key, shape, kind) => ({ name, value, key, shape, kind });

  /* ---------- a stack over time ---------- */
  const clocks = new Map();
  function clock({ zone, step_s }) {
    const name = zone + step_s;
    if (!clocks.has(name)) clocks.set(name, new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { timeZone: zone, weekday: "short", day: "numeric", month: "short", ...(step_s < DAY ? { hour: "2-digit", minute: "2-digit" } : {}), ...(step_s < MINUTE ? { second: "2-digit" } : {}) }));
    return clocks.get(name);
  }
  function last(times, instant) {                              // index of the last time at or before the instant
    let low = 0, high = times.length;
    while (low < high) { const middle = (low + high) >> 1; if (times[middle] <= instant) low = middle + 1; else high = middle; }
    return low - 1;
  }
  function lineIndex(spec, plot, line, instant) {
    if (plot.edges.length) { const index = last(plot.edges, instant); return index < line.values.length ? index : -1; }
    let index = last(line.time, instant);                      // a line runs through its points, a step holds until the next
    if (!line.stepped && index + 1 < line.time.length && line.time[index + 1] - instant < instant - (line.time[index] ?? -Infinity)) index += 1;
    return index >= 0 && Math.abs(instant - line.time[index]) < GAP_STEPS * (line.step_s || spec.step_s) ? index : -1;
  }
  function overTime(spec) {
    const stops = spec.stops, edges = stops && stops.edges;
    const count = stops ? edges.length - 1 : Math.floor((spec.end - spec.start) / spec.step_s);
    const first = spec.plots.flatMap(({ lines }) => lines).find(({ time }) => time.length), step = spec.step_s;
    const origin = first && !stops ? spec.start + ((((first.time[0] - spec.start) % step) + step) % step) : spec.start;
    const instant = (i) => (stops ? (edges[i] + edges[i + 1]) / 2 : origin + i * step);
    const number = (value, plot) => text(value, plot.decimals, plot.unit);
    function lineRow(plot, line, index) {
      const value = line.values[index];
      if (value == null) return null;
      const range = line.low.length && line.low[index] != null ? " (" + text(line.low[index], plot.decimals) + " " + (spec.words.to || "\u2013") + " " + text(line.high[index], plot.decimals) + ")" : "";
      return row(line.label, number(value, plot) + range, line.key, "line");
    }
    function plotRows(plot, when) {
      const index = plot.edges.length ? last(plot.edges, when) : -1, rows = [];
      if (plot.bars) {
        const total = plot.bars.totals[index];
        if (total != null) rows.push(row(plot.bars.label, number(total, plot), "", "", "sum"));
        plot.bars.parts.slice().reverse().forEach((part) => { if (part.values[index] != null) rows.push(row(part.label, number(part.values[index], plot), part.key, "area", "part")); });
      }
      plot.lines.forEach((line) => { const found = lineRow(plot, line, lineIndex(spec, plot, line, when)); if (found) rows.push(found); });
      plot.dots.forEach((dots) => { if (dots.values[index] != null) rows.push(row(dots.label, number(dots.values[index], plot), dots.key, "dot")); });
      return rows;
    }
    function cellRow(hour, when) {
      const plot = spec.plots.find(({ cells }) => cells), day = plot ? last(plot.edges, when) : -1;
      if (hour == null || day < 0 || day >= plot.cells.values.length) return null;
      const value = plot.cells.values[day][hour], from = String(hour).padStart(2, "0") + ":00";
      return row(plot.cells.titles[day] + ", " + from, value == null || value === -1 ? spec.words.empty : number(value, plot), "", "");
    }
    function stateRow(when) {
      const run = spec.runs.find((each) => each.start <= when && when < each.end);
      return run ? row(spec.words.state, spec.words[run.state] + (run.state === "none" ? "" : ", " + text(Math.floor((when - run.start) / MINUTE), 0, "min")), run.state === "none" ? "gap" : run.state, "area") : null;
    }
    function notes(when) {
      const causes = spec.plots.flatMap((plot) => plot.gaps.filter((gap) => gap.cause && gap.start <= when && when < gap.end).map((gap) => gap.cause));
      const under = spec.markers.filter((mark) => mark.until != null && mark.at <= when && when < mark.until).map((mark) => mark.number + "  " + mark.text);
      return [...new Set(causes)].concat(under);
    }
    return {
      count,
      pixel: (chart, i) => chart.scales.x.getPixelForValue(instant(i) * 1000),
      nearest(chart, pixel) {
        const when = chart.scales.x.getValueForPixel(pixel) / 1000;
        return Math.max(0, Math.min(count - 1, stops ? last(edges, when) : Math.round((when - origin) / step)));
      },
      newest() { const when = Math.min(spec.end, spec.now); return Math.max(0, Math.min(count - 1, stops ? last(edges, when) : Math.floor((when - origin) / step))); },
      points(chart, i) {
        const plot = plotOf(spec, chart), when = instant(i);
        return plot ? plot.lines.map((line) => ({ value: line.values[lineIndex(spec, plot, line, when)], colour: line.colour })).filter(({ value }) => value != null) : [];
      },
      cell(chart, i, hour) { const plot = plotOf(spec, chart); return plot && plot.cells && hour != null ? [last(plot.edges, instant(i)), hour] : null; },
      hasCells: spec.plots.some(({ cells }) => cells),
      read(i, hour) {
        const when = instant(i), rows = [stateRow(when), ...spec.plots.flatMap((plot) => plotRows(plot, when)), cellRow(hour, when)].filter(Boolean);
        const note = stops ? [stops.notes[i], ...notes(when)] : [...notes(when), spec.words.note];
        return { title: stops ? stops.titles[i] : clock(spec).format(when * 1000), rows: rows.length ? rows : [row(spec.words.empty || "\u2013", "")], note: note.filter(Boolean).join(" \u00b7 "), link: stops ? stops.links[i] : "" };
      },
      zoom(from, to) { return spec.zoom ? addressOf(spec, from, to) : ""; },
      around(i) {                                              // a quarter of the range around the point, at least five minutes
        const half = Math.max(150, (spec.end - spec.start) / 8), middle = Math.min(Math.max(instant(i), spec.start + half), spec.end - half);
        return spec.zoom ? addressOf(spec, middle - half, middle + half) : "";
      }
    };
  }
  /* The edges of a zoom are whole minutes. */
  function addressOf(spec, from, to) {
    const minute = (instant) => new Date(Math.round(instant / MINUTE) * MINUTE * 1000).toISOString().replace(".000", "");
    const address = new URL(spec.zoom, location.href);
    address.searchParams.set("from", minute(from));
    address.searchParams.set("to", minute(Math.max(to, from + 5 * MINUTE)));
    return address.href;
  }

  /* ---------- bars ---------- */
  function overBars(spec) {
    const count = spec.labels.length, number = (value) => text(value, spec.decimals, spec.unit);
    return {
      count,
      pixel: (chart, i) => chart.scales.x.getPixelForValue(i),
      nearest: (chart, pixel) => Math.max(0, Math.min(count - 1, Math.round(chart.scales.x.getValueForPixel(pixel)))),
      newest: () => count - 1,
      points: () => [],
      cell: () => null,
      hasCells: false,
      read(i) {
        const rows = spec.totals.length && spec.totals[i] != null ? [row(spec.words.total, number(spec.totals[i]), "", "", "sum")] : [];
        spec.sets.slice().reverse().forEach((set) => { if (set.values[i] != null) rows.push(row(set.label, number(set.values[i]), set.key, "area", spec.totals.length ? "part" : "")); });
        if (!rows.length) rows.push(row(spec.words.empty, ""));
        if (spec.compare && spec.compare.values[i] != null) rows.push(row(spec.compare.label, number(spec.compare.values[i]), "k-prev", "line"));
        (spec.facts[i] || []).forEach(([name, value]) => rows.push(row(name, value)));
        return { title: spec.titles[i], rows, note: spec.notes[i], link: spec.links[i] };
      }
    };
  }

  /* ---------- points: keys walk them from left to right, the mouse has Chart.js' own box ---------- */
  function overPoints(spec) {
    const points = spec.sets.flatMap((set) => set.points.map(([x, y], i) => ({ x, y, set, words: set.texts[i].split(" \u00b7 "), link: (set.links || [])[i] || "" }))).sort((one, other) => one.x - other.x);
    return {
      count: points.length,
      byKeys: true,
      pixel: (chart, i) => chart.scales.x.getPixelForValue(points[i].x),
      newest: () => points.length - 1,
      points: (_chart, i) => [{ value: points[i].y, colour: points[i].set.colour }],
      cell: () => null,
      hasCells: false,
      read(i) {
        const { words, set, link } = points[i];
        return { title: words[0], rows: [row(set.label, words.slice(1).join(" \u00b7 "))], note: "", link };
      }
    };
  }

  const READERS = { time: overTime, bars: overBars, scatter: overPoints };
  const readers = new WeakMap();
  function readerOf(stack) {
    const spec = specOf(stack.dataset.stack);
    if (!spec || !READERS[spec.kind]) return null;
    if (!readers.has(spec)) readers.set(spec, READERS[spec.kind](spec));
    return readers.get(spec);
  }

  /* ---------- the box ---------- */
  function element(name, className, content) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (content != null) made.textContent = content;
    return made;
  }
  const SVG = "http://www.w3.org/2000/svg";
  function sample({ key, shape }) {
    if (shape === "area") return element("span", "sw sw--" + key);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "key");
    svg.setAttribute("viewBox", "0 0 26 12");
    svg.setAttribute("aria-hidden", "true");
    if (!shape) return svg;
    const drawn = document.createElementNS(SVG, shape === "dot" ? "circle" : "line");
    Object.entries(shape === "dot" ? { class: "dot dot--" + key, cx: 13, cy: 6, r: 4.5 } : { class: key, x1: 0, y1: 6, x2: 26, y2: 6 }).forEach(([name, value]) => drawn.setAttribute(name, value));
    svg.append(drawn);
    return svg;
  }
  function fill(box, content, words) {
    const list = element("dl");
    content.rows.forEach((each) => {
      const line = element("div", each.kind ? "is-" + each.kind : ""), name = element("dt");
      name.append(sample(each), each.name);
      line.append(name, element("dd", "", each.value));
      list.append(line);
    });
    box.replaceChildren(element("p", "readbox__title", content.title), list);
    if (content.note) box.append(element("p", "readbox__note", content.note));
    if (content.link && words && words.open) { const link = element("a", "readbox__open", words.open); link.href = content.link; box.append(link); }
  }
  const spoken = (content) => content.title + ": " + content.rows.map((each) => each.name + " " + each.value).join(", ") + (content.note ? ". " + content.note : "");

  function place(stack, box, chart, pixel) {
    if (compact()) { box.style.transform = ""; return; }
    const outer = stack.getBoundingClientRect(), canvas = chart.canvas.getBoundingClientRect(), width = box.offsetWidth;
    const x = canvas.left - outer.left + pixel, left = x + 18 + width <= outer.width ? x + 18 : x - 18 - width;
    const top = Math.min(canvas.top - outer.top + chart.chartArea.top + 8, outer.height - box.offsetHeight);
    box.style.transform = "translate(" + Math.round(Math.max(0, left)) + "px, " + Math.round(Math.max(0, top)) + "px)";
  }
  function show(stack, index, { hour = null, over = null, speak = false } = {}) {
    const reader = readerOf(stack), own = chartsOf(stack), box = stack.querySelector(".readbox");
    if (!reader || !own.length) return;
    const here = at.get(stack.dataset.stack);
    if (here && here.index === index && here.hour === hour && here.over === over && !speak && !drag) return;
    if (index == null) at.delete(stack.dataset.stack); else at.set(stack.dataset.stack, { index, hour, over });
    own.forEach((chart) => {
      chart.$at = index == null ? null : () => reader.pixel(chart, index);
      chart.$points = index == null ? [] : reader.points(chart, index);
      chart.$cell = index == null ? null : reader.cell(chart, index, hour);
      chart.draw();
    });
    box.hidden = index == null;
    if (index == null) return;
    const content = reader.read(index, hour), chart = over || own[0];
    fill(box, content, specOf(stack.dataset.stack).words || {});
    place(stack, box, chart, reader.pixel(chart, index));
    if (speak) stack.querySelector("[role=status]").textContent = spoken(content);
  }

  /* ---------- mouse and touch ---------- */
  let drag = null;
  const stackOf = (target) => (target instanceof Element && target.matches("canvas[data-spec]") ? target.closest(".plots") : null);
  const chartOf = (canvas) => charts.find((chart) => chart.canvas === canvas);
  function point(event) {
    const stack = stackOf(event.target), chart = stack && chartOf(event.target), reader = chart && readerOf(stack);
    if (!reader || reader.byKeys) return null;
    const hour = reader.hasCells && chart.canvas.dataset.plot === "hours" ? Math.max(0, Math.min(23, Math.floor(chart.scales.y.getValueForPixel(event.offsetY)))) : null;
    return { stack, chart, reader, hour, index: reader.nearest(chart, event.offsetX) };
  }
  document.addEventListener("pointerdown", (event) => {
    const found = point(event);
    if (!found || event.button !== 0) return;
    show(found.stack, found.index, { hour: found.hour, over: found.chart });
    if (event.pointerType !== "touch") drag = { ...found, from: event.offsetX };
  });
  document.addEventListener("pointermove", (event) => {
    if (drag && event.target === drag.chart.canvas && drag.reader.zoom) drag.chart.$drag = { from: drag.from, to: event.offsetX };
    const found = point(event);
    if (found) show(found.stack, found.index, { hour: found.hour, over: found.chart });
    else if (event.pointerType === "mouse" && !(event.target instanceof Element && event.target.closest(".readbox"))) document.querySelectorAll(".plots").forEach((stack) => { if (at.has(stack.dataset.stack) && stack !== document.activeElement) show(stack, null); });
  });
  document.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { stack, chart, reader, from, index, hour } = drag, to = event.target === chart.canvas ? event.offsetX : from;
    drag = null;
    chart.$drag = null;
    chart.draw();
    if (Math.abs(to - from) >= CLICK) {
      const instant = (pixel) => chart.scales.x.getValueForPixel(pixel) / 1000;
      const address = reader.zoom && reader.zoom(instant(Math.min(from, to)), instant(Math.max(from, to)));
      if (address) location.assign(address);
    } else if (event.target === chart.canvas) follow(reader.read(index, hour).link);
    else show(stack, null);
  });
  const follow = (address) => { if (address) location.assign(address); };

  /* ---------- keys ---------- */
  document.addEventListener("keydown", (event) => {
    const stack = event.target instanceof Element && event.target.matches(".plots") ? event.target : null, reader = stack && readerOf(stack);
    if (!reader || !reader.count || event.altKey || event.ctrlKey || event.metaKey) return;
    const here = at.get(stack.dataset.stack), far = event.shiftKey ? FAR : 1;
    const start = here ? here.index : reader.newest() + (event.key === "ArrowLeft" ? 1 : 0);
    const to = { ArrowLeft: start - far, ArrowRight: here ? start + far : start, Home: 0, End: reader.count - 1 }[event.key];
    let hour = here ? here.hour : null;
    if (reader.hasCells && (event.key === "ArrowUp" || event.key === "ArrowDown")) hour = hour == null ? 0 : Math.max(0, Math.min(23, hour + (event.key === "ArrowDown" ? 1 : -1)));
    else if (event.key === "Escape") { event.preventDefault(); show(stack, null); return; }
    else if (event.key === "Enter") { if (here) { event.preventDefault(); follow(reader.read(here.index, here.hour).link || (reader.around && reader.around(here.index))); } return; }
    else if (event.key === "Backspace") { event.preventDefault(); window.history.back(); return; }
    else if (to == null) return;
    event.preventDefault();
    show(stack, Math.max(0, Math.min(reader.count - 1, to ?? start)), { hour, speak: true });
  });
  document.addEventListener("focusout", (event) => { if (event.target instanceof Element && event.target.matches(".plots") && !event.target.contains(event.relatedTarget) && at.has(event.target.dataset.stack)) show(event.target, null); });

  /* What is drawn anew (theme, new data, print) keeps what is read. */
  document.addEventListener("heatmon:drawn", () => {
    document.querySelectorAll(".plots").forEach((stack) => { const here = at.get(stack.dataset.stack); if (here) { at.delete(stack.dataset.stack); show(stack, here.index, { hour: here.hour }); } });
  });
})();
