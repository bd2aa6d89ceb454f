/* Draws what the server worked out. Every canvas names its data (data-spec: the id of a JSON script) and, in
   a stack, its plot (data-plot); data-drawn counts how often it was drawn. Nothing is computed here but pixels;
   colours come from the style sheet. */
(function () {
  "use strict";
  const Chart = window.Chart, root = document.documentElement, lang = root.lang || "en";
  const charts = [], specs = new Map(), incoming = new Map();
  const COMPACT = 768;
  let C = {};

  /* ---------- colours and words ---------- */
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colours = new Map();
  function token(name) {
    if (!colours.has(name)) { probe.style.color = "var(--" + name + ")"; colours.set(name, getComputedStyle(probe).color); }
    return colours.get(name);
  }
  const soft = (color, alpha) => color.replace("rgb(", "rgba(").replace(")", ", " + alpha + ")");
  const formats = new Map();
  function text(value, decimals, unit) {
    if (!formats.has(decimals)) formats.set(decimals, new Intl.NumberFormat(lang, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
    const number = formats.get(decimals).format(value).replace("-", "\u2212");
    return unit ? number + "\u00a0" + unit : number;
  }
  const compact = () => window.innerWidth < COMPACT;

  function readColours() {
    colours.clear();
    hatches.clear();
    C = { text: token("text"), text2: token("text-2"), surface: token("surface"), grid: token("grid"), strong: token("border-strong"), accent: token("accent"),
      font: getComputedStyle(document.body).fontFamily };
    Object.assign(Chart.defaults, { color: C.text2, borderColor: C.grid, animation: false, maintainAspectRatio: false, responsive: true });
    Chart.defaults.font.family = C.font;
    Chart.defaults.font.size = 12;
    Chart.defaults.plugins.legend.display = false;
    Object.assign(Chart.defaults.plugins.tooltip, { backgroundColor: C.surface, titleColor: C.text, bodyColor: C.text, borderColor: C.strong, borderWidth: 1, padding: 10, cornerRadius: 8, boxPadding: 4, boxWidth: 22, usePointStyle: true });
    Chart.defaults.plugins.tooltip.callbacks.labelPointStyle = ({ dataset, chart }) => ((dataset.type || chart.config.type) === "line" ? { pointStyle: sample(dataset) } : { pointStyle: "circle" });
  }
  /* A piece of the line for the tooltip, which itself knows no dashes. */
  function sample(line) {
    const piece = document.createElement("canvas"), g = piece.getContext("2d");
    piece.width = 22;
    piece.height = 6;
    g.strokeStyle = line.borderColor;
    g.lineWidth = 2;
    g.lineCap = line.borderCapStyle || "butt";
    g.setLineDash(line.borderDash || []);
    g.beginPath();
    g.moveTo(1, 3); g.lineTo(21, 3);
    g.stroke();
    return piece;
  }
  const hatches = new Map();
  function hatch(color, back) {
    const name = color + "|" + (back || "");
    if (!hatches.has(name)) hatches.set(name, hatched(color, back));
    return hatches.get(name);
  }
  function hatched(color, back) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const g = tile.getContext("2d");
    if (back) { g.fillStyle = back; g.fillRect(0, 0, 8, 8); }
    g.strokeStyle = color;
    g.lineWidth = 1.6;
    g.beginPath();
    [[-2, 2, 2, -2], [0, 8, 8, 0], [6, 10, 10, 6]].forEach(([x, y, toX, toY]) => { g.moveTo(x, y); g.lineTo(toX, toY); });
    g.stroke();
    return g.createPattern(tile, "repeat");
  }

  /* ---------- plugins ---------- */
  const gaps = {
    id: "gaps",
    beforeDatasetsDraw(chart) {
      (chart.options.plugins.gaps.bands || []).forEach((mark) => {
        const { ctx, chartArea: a, scales: { x } } = chart, left = Math.max(a.left, x.getPixelForValue(mark.at * 1000));
        ctx.save();
        ctx.fillStyle = soft(C.accent, 0.16);
        ctx.fillRect(left, a.top, Math.max(0, Math.min(a.right, x.getPixelForValue(mark.until * 1000)) - left), a.bottom - a.top);
        ctx.restore();
      });
      (chart.options.plugins.gaps.list || []).forEach((gap) => {
        const { ctx, chartArea: a, scales: { x } } = chart;
        const left = Math.max(a.left, x.getPixelForValue(gap.start * 1000));
        const width = Math.min(a.right, x.getPixelForValue(gap.end * 1000)) - left;
        if (width <= 0) return;
        ctx.save();
        ctx.fillStyle = hatch(C.strong);
        ctx.globalAlpha = 0.45;
        ctx.fillRect(left, a.top, width, a.bottom - a.top);
        ctx.restore();
        if (gap.letter) cause(chart, gap, left, width);
      });
    }
  };
  const wrapped = (ctx, words, room) => words.split(" ").reduce((lines, word) => {
    const last = lines.length - 1, longer = lines[last] + " " + word;
    return last >= 0 && ctx.measureText(longer).width <= room ? lines.slice(0, last).concat(longer) : lines.concat(word);
  }, []);
  /* The cause stands inside its gap, or its letter where there is no room. */
  function cause(chart, gap, left, width) {
    const { ctx, chartArea: a } = chart;
    ctx.save();
    ctx.font = "500 11px " + C.font;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    let lines = wrapped(ctx, gap.letter + " \u00b7 " + gap.cause, width - 12);
    if (lines.length > 4 || lines.some((line) => ctx.measureText(line).width > width - 12)) lines = [gap.letter];
    const wide = Math.max(...lines.map((line) => ctx.measureText(line).width)) + 8, middle = Math.min(Math.max(left + width / 2, a.left + wide / 2), a.right - wide / 2);
    ctx.fillStyle = C.surface;
    ctx.fillRect(middle - wide / 2, a.top + 6, wide, lines.length * 14 + 4);
    ctx.fillStyle = C.text2;
    lines.forEach((line, index) => ctx.fillText(line, middle, a.top + 15 + index * 14));
    ctx.restore();
  }
  /* Bars, dots and cells of columns: from edge to edge on the axis of time, so that all plots line up. */
  const columns = {
    id: "columns",
    beforeDatasetsDraw(chart) {
      const plot = chart.options.plugins.columns.plot;
      if (!plot) return;
      if (plot.cells) drawCells(chart, plot);
      if (plot.bars) drawStacks(chart, plot);
    },
    afterDatasetsDraw(chart) {
      const plot = chart.options.plugins.columns.plot;
      if (plot) plot.dots.forEach((dots) => drawDots(chart, plot, dots));
    }
  };
  function columnBox(chart, plot, index) {
    const { x } = chart.scales, left = x.getPixelForValue(plot.edges[index] * 1000), right = x.getPixelForValue(plot.edges[index + 1] * 1000);
    const gap = right - left > 9 ? Math.min(8, (right - left) * 0.14) : right - left > 3 ? 1 : 0;
    return { left: left + gap / 2, width: right - left - gap };
  }
  function drawStacks(chart, plot) {
    const { ctx, scales: { y } } = chart;
    ctx.save();
    plot.bars.totals.forEach((total, index) => {
      if (total == null) return;
      const { left, width } = columnBox(chart, plot, index);
      let below = 0;
      plot.bars.parts.forEach((part) => {
        const value = part.values[index];
        if (!value) return;
        const color = token(part.colour), partial = plot.bars.partial[index], top = y.getPixelForValue(below + value), height = y.getPixelForValue(below) - top;
        ctx.fillStyle = (partial || part.hatched) && width > 3 ? hatch(color, C.surface) : color;
        ctx.fillRect(left, top, width, height);
        if (partial && width > 3) { ctx.strokeStyle = color; ctx.lineWidth = 1.25; ctx.strokeRect(left + 0.6, top + 0.6, width - 1.2, Math.max(0, height - 1.2)); }
        below += value;
      });
    });
    ctx.restore();
  }
  function drawDots(chart, plot, dots) {
    const { ctx, scales: { x, y } } = chart, color = token(dots.colour), small = compact() ? 0.65 : 1, second = dots.key === "cop-b";
    ctx.save();
    dots.values.forEach((value, index) => {
      if (value == null) return;
      const middle = x.getPixelForValue((plot.edges[index] + plot.edges[index + 1]) * 500);
      ctx.beginPath();
      ctx.arc(middle, y.getPixelForValue(value), Math.max(2, dots.sizes[index] * small), 0, 7);
      ctx.fillStyle = dots.hollow[index] || second ? C.surface : soft(color, 0.55);
      ctx.strokeStyle = color;
      ctx.lineWidth = dots.hollow[index] ? 1.75 : 1;
      ctx.setLineDash(second ? [2, 2] : []);
      ctx.fill(); ctx.stroke();
    });
    ctx.restore();
  }
  /* Thousands of cells are drawn once; the crosshair moves over their picture. */
  function drawCells(chart, plot) {
    const { ctx, chartArea: a, scales: { x, y } } = chart, size = chart.width + "x" + chart.height + "@" + chart.currentDevicePixelRatio;
    if (chart.$cells?.size !== size) chart.$cells = { size, picture: cellsPicture(chart, plot) };
    ctx.drawImage(chart.$cells.picture, 0, 0, chart.width, chart.height);
    if (chart.$cell) {
      const [day, hour] = chart.$cell, left = x.getPixelForValue(plot.edges[day] * 1000), top = y.getPixelForValue(hour);
      ctx.save();
      ctx.strokeStyle = C.text;
      ctx.lineWidth = 2;
      ctx.strokeRect(Math.max(a.left, left) - 1, top - 1, Math.max(3, x.getPixelForValue(plot.edges[day + 1] * 1000) - left) + 1, y.getPixelForValue(hour + 1) - top + 1);
      ctx.restore();
    }
  }
  function cellsPicture(chart, plot) {
    const picture = document.createElement("canvas"), g = picture.getContext("2d"), { scales: { x, y } } = chart, ratio = chart.currentDevicePixelRatio;
    picture.width = chart.width * ratio;
    picture.height = chart.height * ratio;
    g.scale(ratio, ratio);
    const shades = [1, 2, 3, 4, 5, 6].map((n) => token("h-" + n)), none = hatch(C.strong);
    plot.cells.values.forEach((day, index) => {
      const left = x.getPixelForValue(plot.edges[index] * 1000), right = x.getPixelForValue(plot.edges[index + 1] * 1000), gap = right - left > 8 ? 1 : 0;
      day.forEach((value, hour) => {
        if (value === -1) return;
        const top = y.getPixelForValue(hour), height = y.getPixelForValue(hour + 1) - top;
        g.globalAlpha = value == null ? 0.45 : 1;
        g.fillStyle = value == null ? none : shades[Math.min(5, Math.floor(value / plot.cells.step + 1e-9))];
        g.fillRect(left, top, right - left - gap, height - (height > 8 ? 1 : 0));
      });
    });
    return picture;
  }
  const crosshair = {
    id: "crosshair",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea: a, scales: { x } } = chart;
      if (chart.$drag) {
        ctx.save();
        ctx.fillStyle = soft(C.accent, 0.18);
        ctx.fillRect(Math.min(chart.$drag.from, chart.$drag.to), a.top, Math.abs(chart.$drag.to - chart.$drag.from), a.bottom - a.top);
        ctx.restore();
      }
      if (chart.$at == null || !x) return;
      const pixel = chart.$at();
      if (pixel < a.left || pixel > a.right) return;
      ctx.save();
      ctx.strokeStyle = C.text2;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(pixel, a.top);
      ctx.lineTo(pixel, a.bottom);
      ctx.stroke();
      chart.$points.forEach((point) => {
        ctx.fillStyle = token(point.colour);
        ctx.strokeStyle = C.surface;
        ctx.lineWidth = 2;
        ctx.beginPath(); ctx.arc(pixel, chart.scales.y.getPixelForValue(point.value), 4.5, 0, 7); ctx.fill(); ctx.stroke();
      });
      ctx.restore();
    }
  };
  const LANE = { space: ["b-space", 18], dhw: ["b-dhw", 18], rod: ["s-rod", 18], defrost: ["s-return", 18], unclassified: ["b-standby", 18], off: ["s-off", 4] };
  const band = {
    id: "band",
    afterDatasetsDraw(chart) {
      const runs = chart.options.plugins.band.runs;
      if (!runs) return;
      const { ctx, chartArea: a, scales: { x } } = chart, middle = (a.top + a.bottom) / 2;
      runs.forEach((run) => {
        const left = Math.max(a.left, x.getPixelForValue(run.start * 1000));
        const width = Math.min(a.right, x.getPixelForValue(run.end * 1000)) - left;
        if (width <= 0) return;
        const [color, height] = LANE[run.state] || [null, 18];
        ctx.fillStyle = color ? token(color) : hatch(C.strong);
        ctx.fillRect(left, middle - height / 2, Math.max(width, 1), height);
      });
    }
  };
  const brackets = {
    id: "brackets",
    afterDatasetsDraw(chart) {
      (chart.options.plugins.brackets.list || []).forEach((bracket) => {
        const { ctx, chartArea: a, scales: { x } } = chart, half = (x.getPixelForValue(1) - x.getPixelForValue(0)) / 2 || 12;
        const left = Math.max(a.left, x.getPixelForValue(bracket.first) - half * 0.8), right = Math.min(a.right, x.getPixelForValue(bracket.last) + half * 0.8), top = a.top + 18;
        ctx.save();
        ctx.strokeStyle = ctx.fillStyle = C.text2;
        ctx.lineWidth = 1.5;
        ctx.beginPath();
        ctx.moveTo(left, top + 7); ctx.lineTo(left, top); ctx.lineTo(right, top); ctx.lineTo(right, top + 7);
        ctx.stroke();
        ctx.font = "500 11px " + C.font;
        ctx.textAlign = "center";
        ctx.fillText(bracket.text, Math.min(Math.max((left + right) / 2, a.left + 40), a.right - 40), top - 5);
        ctx.restore();
      });
    }
  };
  const whiskers = {
    id: "whiskers",
    afterDatasetsDraw(chart) {
      (chart.options.plugins.whiskers.rows || []).forEach((row, index) => {
        const { ctx, scales: { x, y } } = chart, p = y.getPixelForValue(index), color = token(row.colour);
        ctx.save();
        ctx.strokeStyle = ctx.fillStyle = color;
        if (row.low != null && row.high != null && row.high > row.low) {
          ctx.lineWidth = 8; ctx.lineCap = "round"; ctx.globalAlpha = 0.28;
          ctx.beginPath(); ctx.moveTo(x.getPixelForValue(row.low), p); ctx.lineTo(x.getPixelForValue(row.high), p); ctx.stroke();
          ctx.globalAlpha = 1;
        }
        if (row.middle != null) {
          ctx.beginPath(); ctx.arc(x.getPixelForValue(row.middle), p, 6, 0, 7); ctx.fill();
          ctx.lineWidth = 2; ctx.strokeStyle = C.surface; ctx.stroke();
        }
        ctx.restore();
      });
    }
  };
  /* The numbers of lines at the left end of each, pushed apart where they would cover one another. */
  const ends = {
    id: "ends",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea: a, scales: { x, y } } = chart;
      const named = chart.data.datasets.filter((set) => set.$name && set.data.length).map((set) => ({ name: set.$name, at: x.getPixelForValue(set.data[0].x), y: y.getPixelForValue(set.data[0].y) })).sort((one, other) => one.y - other.y);
      named.forEach((end, i) => { end.y = Math.max(end.y, i ? named[i - 1].y + 17 : a.top); });
      ctx.save();
      ctx.font = "700 11px " + C.font;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      named.forEach((end) => {
        ctx.fillStyle = C.text;
        ctx.beginPath(); ctx.roundRect(Math.max(end.at, a.left) + 3, end.y - 8, 16, 16, 8); ctx.fill();
        ctx.fillStyle = C.surface;
        ctx.fillText(end.name, Math.max(end.at, a.left) + 11, end.y + 0.5);
      });
      ctx.restore();
    }
  };
  Chart.register(gaps, columns, crosshair, band, brackets, whiskers, ends);

  /* ---------- shared pieces ---------- */
  const LAYOUT = { autoPadding: false, padding: { right: 20, top: 8 } };     // equal margins: stacked plots share one time axis
  const LINES = { solid: {}, dashed: { borderDash: [6, 4] }, dotted: { borderDash: [1.5, 3.5], borderCapStyle: "round", borderWidth: 2.25 }, thin: { borderWidth: 1.25 } };
  /* As many decimals as the ticks of the axis need to differ as they do. */
  const places = (ticks) => [0, 1, 2, 3, 4].find((d) => ticks.every(({ value }) => Math.abs(value * 10 ** d - Math.round(value * 10 ** d)) < 1e-4)) ?? 5;
  const tickText = (value, ticks = [{ value }], unit) => text(value, places(ticks), unit);
  const yAxis = (more) => Object.assign({ border: { display: false }, grid: { color: C.grid, drawTicks: false },
    ticks: { maxTicksLimit: 5, padding: 6, callback: (v, _i, ticks) => tickText(v, ticks) },
    afterFit: (scale) => { scale.width = compact() ? 38 : 48; } }, more);
  /* The server says where ticks stand and how many decimals they have. */
  const steps = (axis) => Array.from({ length: Math.round((axis.maximum - axis.minimum) / axis.step) + 1 }, (_, i) => axis.minimum + i * axis.step);
  const evenTicks = (axis) => ({ min: axis.minimum, max: axis.maximum, afterBuildTicks: (scale) => { scale.ticks = steps(axis).map((value) => ({ value })); } });
  const evenAxis = (axis, more) => yAxis({ ...evenTicks(axis), ticks: { padding: 6, autoSkip: false, callback: (v) => text(v, axis.decimals) }, ...more });
  const hours = (v) => (compact() ? String(v).padStart(2, "0") : String(v).padStart(2, "0") + ":00");
  const pointsOf = (time, values) => time.map((t, i) => ({ x: t * 1000, y: values[i] }));

  /* ---------- a stack over time ---------- */
  function timeAxis(spec, withLabels, grid) {
    const ticks = () => spec.ticks.filter((_, i) => !compact() || spec.ticks.length < 6 || i % 2 === 0);
    const labels = new Map(spec.ticks.map((tick) => [tick.at * 1000, tick.label]));
    return { type: "time", min: spec.start * 1000, max: spec.end * 1000, adapters: { date: { zone: spec.zone, locale: lang } }, border: { color: C.strong },
      grid: { color: C.grid, drawTicks: false, display: grid },
      afterBuildTicks: (scale) => { scale.ticks = ticks().map((tick) => ({ value: tick.at * 1000 })); },
      afterFit: (scale) => { scale.paddingLeft = scale.paddingRight = 0; },    // a label at the edge must not narrow its plot alone
      ticks: { display: withLabels, maxRotation: 0, autoSkip: false, padding: 6, callback: (value) => labels.get(value) } };
  }
  const loneRadius = (values, radius) => values.map((v, i) => (v != null && (i === 0 || values[i - 1] == null) && (i === values.length - 1 || values[i + 1] == null) ? radius : 0));
  function lineSets(line, plot) {
    const color = token(line.colour), base = { borderColor: color, backgroundColor: color, borderWidth: 1.75, pointRadius: 0, spanGaps: false, clip: 3 };
    const times = plot.edges.length ? line.time.map((_, i) => (plot.edges[i] + plot.edges[i + 1]) / 2) : line.time;
    const main = Object.assign(base, LINES[line.style], { label: line.label, data: pointsOf(times, line.values), pointRadius: loneRadius(line.values, 2) },
      line.stepped ? { stepped: "before" } : {}, line.filled ? { fill: "origin", backgroundColor: soft(color, 0.12) } : {});
    if (!line.low.length || !line.banded) return [main];
    const edge = { borderWidth: 0, pointRadius: 0, spanGaps: false, backgroundColor: soft(color, 0.14) };
    return [main, Object.assign({ data: pointsOf(times, line.high), fill: "+1" }, edge), Object.assign({ data: pointsOf(times, line.low), fill: false }, edge)];
  }
  /* Numbers that would cover one another share a label over their middle: "2–3". */
  function labels(chart, spec) {
    const words = ({ marks: own }) => (own.length > 1 ? own[0].number + "\u2013" : "") + own[own.length - 1].number;
    const middle = (group) => (group.from + group.to) / 2, half = (group) => 7 + words(group).length * 3.5, found = [];
    spec.markers.forEach((mark) => {
      const at = chart.scales.x.getPixelForValue(Math.max(mark.at, spec.start) * 1000);
      let group = { from: at, to: at, marks: [mark] };
      while (found.length && middle(group) - middle(found[found.length - 1]) < half(group) + half(found[found.length - 1])) {
        const before = found.pop();
        group = { from: before.from, to: Math.max(before.to, group.to), marks: before.marks.concat(group.marks) };
      }
      found.push(group);
    });
    return new Map(found.map((group) => [group.marks[0], { words: words(group), shift: middle(group) - group.from }]));
  }
  /* A dashed line through the plot with a number at its top. */
  function numbered(value, label) {
    return { type: "line", scaleID: "x", value, borderColor: C.text, borderWidth: 1, borderDash: [3, 3], label: { display: (context) => Boolean(label(context)), content: (context) => (label(context) || {}).words || "", position: "start", xAdjust: (context) => (label(context) || {}).shift || 0, yAdjust: -4,
      backgroundColor: C.text, color: C.surface, font: { size: 11, weight: "bold" }, padding: { x: 6, y: 3 }, borderRadius: 10 } };
  }
  function marker(mark, spec, withLabel) {
    return numbered(Math.max(mark.at, spec.start) * 1000, ({ chart }) => (withLabel && chart.scales.x ? labels(chart, spec).get(mark) : null));
  }
  const marks = (spec, withLabel) => Object.fromEntries(spec.markers.map((mark) => ["m" + mark.number, marker(mark, spec, withLabel)]));
  const isDrawn = (plot) => plot.edges.length > 0 || plot.lines.some((line) => line.time.length);
  function drawPlot(canvas, spec, plot) {
    const drawn = spec.plots.filter(isDrawn), last = !spec.runs.length && drawn[drawn.length - 1] === plot;
    const y = plot.cells ? evenAxis(plot.axis, { reverse: true, grid: { display: false }, ticks: { padding: 6, autoSkip: false, callback: hours } }) : evenAxis(plot.axis);
    return new Chart(canvas, { type: "line", data: { datasets: plot.lines.flatMap((line) => lineSets(line, plot)) },
      options: { parsing: false, normalized: true, events: [], layout: LAYOUT,
        scales: { x: timeAxis(spec, last, !plot.edges.length), y },
        plugins: { tooltip: { enabled: false }, gaps: { list: plot.gaps, bands: spec.markers.filter((mark) => mark.until != null) }, columns: { plot: plot.edges.length ? plot : null }, annotation: { annotations: marks(spec, drawn[0] === plot) } } } });
  }
  function drawBand(canvas, spec) {
    return new Chart(canvas, { type: "line", data: { datasets: [{ data: [{ x: spec.start * 1000, y: null }] }] },
      options: { parsing: false, events: [], layout: LAYOUT,
        scales: { x: timeAxis(spec, true, false), y: yAxis({ grid: { display: false }, ticks: { display: false }, min: 0, max: 1 }) },
        plugins: { tooltip: { enabled: false }, band: { runs: spec.runs } } } });
  }

  /* ---------- bars, sums, scatter, intervals ---------- */
  function drawBars(canvas, spec) {
    const bar = (set) => {
      const color = token(set.colour), plain = set.hatched ? hatch(color, C.surface) : color;
      return { type: "bar", label: set.label, data: set.values, stack: "all", barPercentage: 0.9, categoryPercentage: 0.86, maxBarThickness: 96, borderColor: color,
        borderWidth: spec.partial.map((is) => (is ? 1.5 : 0)), backgroundColor: spec.partial.map((is) => (is ? hatch(color, C.surface) : plain)) };
    };
    const sets = spec.sets.map(bar);
    if (spec.compare) sets.push({ type: "line", label: spec.compare.label, data: spec.compare.values, borderColor: C.text2, backgroundColor: C.text2, borderWidth: 1.25, borderDash: [4, 3], pointRadius: loneRadius(spec.compare.values, 3), stepped: "middle", order: -1, stack: "compare" });
    return new Chart(canvas, { data: { labels: spec.labels, datasets: sets },
      options: { events: [], layout: LAYOUT,
        scales: { x: { stacked: true, grid: { display: false }, border: { color: C.strong }, ticks: { maxRotation: 0, autoSkipPadding: 8 } }, y: evenAxis(spec.axis, { stacked: true }) },
        plugins: { brackets: { list: spec.brackets }, tooltip: { enabled: false }, annotation: { annotations: Object.fromEntries((spec.marks || []).map((mark) => ["m" + mark.index, numbered(mark.index, () => ({ words: mark.text }))])) } } } });
  }
  function drawSums(canvas, spec) {
    const sets = spec.sets.map((set) => {
      const color = set.colour ? token(set.colour) : C.text2;
      return Object.assign({ label: set.label, data: set.values, borderColor: color, borderWidth: set.filled ? 2 : 1.25, clip: 6, backgroundColor: soft(color, 0.12), pointBackgroundColor: color, spanGaps: false,
        pointRadius: set.values.map((_, i) => (i === set.mark ? 4 : 0)) }, LINES[set.style] && set.style !== "solid" ? { borderDash: [4, 3] } : {}, set.filled ? { fill: "origin" } : {});
    });
    return new Chart(canvas, { type: "line", data: { labels: spec.labels, datasets: sets },
      options: { interaction: { mode: "index", intersect: false }, layout: LAYOUT,
        scales: { x: { grid: { display: false }, border: { color: C.strong }, ticks: { maxRotation: 0, autoSkipPadding: 14 } }, y: evenAxis(spec.axis) },
        plugins: { tooltip: { callbacks: { label: (item) => (item.parsed.y == null ? null : " " + item.dataset.label + "  " + text(item.parsed.y, spec.decimals, spec.unit)) } } } } });
  }
  const keeping = (look, color) => Object.assign(look, { hoverBackgroundColor: look.backgroundColor, hoverBorderColor: color });   // a point keeps its colour
  function drawScatter(canvas, spec) {
    const looks = { filled: (c) => ({ borderWidth: 0.75, backgroundColor: soft(c, 0.42) }), hollow: () => ({ borderWidth: 1.5, backgroundColor: C.surface }), dot: (c) => ({ borderWidth: 0, backgroundColor: soft(c, 0.5) }), diamond: (c) => ({ borderWidth: 1, backgroundColor: c, pointStyle: "rectRot" }) };
    const sets = spec.sets.map((set) => {
      const color = token(set.colour);
      return Object.assign({ label: set.label, data: set.points.map(([x, y]) => ({ x, y })), radius: set.points.map((point) => point[2]), hitRadius: 4, clip: 8, borderColor: color, $texts: set.texts, $links: set.links }, keeping(looks[set.style](color), color));
    });
    const lines = spec.lines.map((line) => ({ type: "line", label: line.label, data: line.points.map(([x, y]) => ({ x, y })), $name: line.name, borderColor: line.colour ? token(line.colour) : C.text, borderWidth: 1.5, borderDash: { solid: [], dotted: [2, 3] }[line.style] || [6, 3], pointRadius: 0, pointHitRadius: 0 }));
    const axis = (a) => (a.step == null ? Object.assign({}, a.minimum == null ? {} : { min: a.minimum }, a.maximum == null ? {} : { max: a.maximum }) : evenTicks(a));
    return new Chart(canvas, { type: "scatter", data: { datasets: sets.concat(lines) },
      options: { layout: LAYOUT,
        onClick: (_event, items) => { const link = items.map((item) => (sets[item.datasetIndex] || {}).$links?.[item.index]).find(Boolean); if (link) location.assign(link); },
        onHover: (event, items) => { event.native.target.style.cursor = items.some((item) => (sets[item.datasetIndex] || {}).$links?.length) ? "pointer" : ""; },
        scales: { x: Object.assign({ type: "linear", border: { color: C.strong }, grid: { color: C.grid, drawTicks: false }, ticks: { padding: 6, includeBounds: false, maxRotation: 0, autoSkipPadding: 16, callback: (v, _i, ticks) => tickText(v, ticks, spec.x.unit) } }, axis(spec.x)),
          y: yAxis(axis(spec.y)) },
        plugins: { tooltip: { callbacks: { label: (item) => (item.dataset.$texts ? " " + item.dataset.$texts[item.dataIndex] : " " + item.dataset.label) } } } } });
  }
  function drawIntervals(canvas, spec) {
    const sign = (v) => (spec.signed && v > 0 ? "+" : "");
    /* As many ticks as have room for their label, counted from zero: its line is never without one. */
    const roomy = (scale) => {
      const all = steps(spec), zero = Math.max(0, all.findIndex((v) => Math.abs(v) < 1e-9)), every = Math.ceil(all.length * 56 / scale.width);
      scale.ticks = all.filter((_, i) => (i - zero) % every === 0).map((value) => ({ value }));
    };
    return new Chart(canvas, { type: "bar", data: { labels: spec.rows.map((row) => row.label), datasets: [{ data: spec.rows.map(() => null) }] },
      options: { indexAxis: "y", events: [], layout: { padding: { right: 16, left: spec.rows.length > 1 ? 0 : 12 } },
        scales: { x: { ...evenTicks(spec), afterBuildTicks: roomy, border: { color: C.strong }, grid: { color: (c) => (spec.signed && c.tick && c.tick.value === 0 ? C.text : C.grid), drawTicks: false },
            ticks: { padding: 6, includeBounds: false, maxRotation: 0, autoSkip: false, callback: (v, _i, ticks) => sign(v) + tickText(v, ticks, spec.unit === "%" ? "%" : "") } },
          y: { border: { display: false }, grid: { display: false }, ticks: { display: spec.rows.length > 1, color: C.text, padding: 8 } } },
        plugins: { whiskers: { rows: spec.rows } } } });
  }

  /* ---------- all canvases of the page ---------- */
  function specOf(id) {
    if (incoming.has(id)) { specs.set(id, JSON.parse(incoming.get(id))); incoming.delete(id); }
    if (!specs.has(id)) { const script = document.getElementById(id); if (script) specs.set(id, JSON.parse(script.textContent)); }
    return specs.get(id);
  }
  function draw(canvas) {
    const spec = specOf(canvas.dataset.spec);
    if (!spec) return null;
    if (spec.kind === "time") return canvas.dataset.plot === "band" ? drawBand(canvas, spec) : drawPlot(canvas, spec, spec.plots.find((plot) => plot.name === canvas.dataset.plot));
    return { bars: drawBars, sums: drawSums, scatter: drawScatter, intervals: drawIntervals }[spec.kind](canvas, spec);
  }
  function render() {
    readColours();
    charts.splice(0).forEach((chart) => chart.destroy());
    document.querySelectorAll("canvas[data-spec]").forEach((canvas) => {
      const chart = draw(canvas);
      if (!chart) return;
      charts.push(chart);
      canvas.dataset.drawn = String(Number(canvas.dataset.drawn || 0) + 1);
    });
    document.dispatchEvent(new CustomEvent("heatmon:drawn"));
  }

  /* A swapped piece brings its data as a JSON script, which htmx drops with all scripts: it is read before. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answer = event.detail.serverResponse || "";
    if (!answer.includes("application/json")) return;
    new DOMParser().parseFromString(answer, "text/html").querySelectorAll('script[type="application/json"]').forEach((script) => incoming.set(script.id, script.textContent));
  });
  document.addEventListener("htmx:afterSettle", () => { if (incoming.size || charts.some((chart) => !chart.canvas || !chart.canvas.isConnected)) render(); });
  document.addEventListener("heatmon:theme", render);
  let printed = null;
  window.addEventListener("beforeprint", () => { printed = root.dataset.theme || ""; root.dataset.theme = "light"; root.dataset.paper = ""; render(); });
  window.addEventListener("afterprint", () => { if (printed) root.dataset.theme = printed; else delete root.dataset.theme; printed = null; delete root.dataset.paper; render(); });

  window.heatmonCharts = { charts, specOf, text, compact, lang };
  render();
})();
