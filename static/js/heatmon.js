/* What all pages share: theme, polling that rests while hidden, the reader's place, keys, dialogs.
   All listeners sit on the document, so that pieces which htmx swaps in need no wiring of their own. */
(function () {
  "use strict";
  const root = document.documentElement;

  /* ---------- theme ---------- */
  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function themeChanged() { document.dispatchEvent(new CustomEvent("heatmon:theme")); }
  function switchTheme() {
    const theme = isDark() ? "light" : "dark";
    root.dataset.theme = theme;
    document.querySelectorAll('meta[name="theme-color"]').forEach((meta) => { meta.media = meta.dataset.for === theme ? "all" : "not all"; });
    document.cookie = "heatmon_theme=" + theme + "; path=/; max-age=31536000; samesite=lax";
    themeChanged();
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);

  /* ---------- forms that ask anew with each choice: data-at-once ---------- */
  document.addEventListener("change", (event) => { const form = event.target.form; if (form && form.hasAttribute("data-at-once")) form.requestSubmit(); });

  /* ---------- buttons: data-do ---------- */
  const actions = {
    theme: switchTheme,
    dismiss(button) { button.closest(".toast").remove(); },
    open(button) { document.getElementById(button.dataset.for).showModal(); },
    close(button) { button.closest("dialog").close(); },
    print() { window.print(); },
    /* Without TLS there is no clipboard: the text is selected then, ready to be copied by hand. */
    copy(button) {
      const shown = document.getElementById(button.dataset.for);
      getSelection().selectAllChildren(shown);
      if (!navigator.clipboard) return;
      navigator.clipboard.writeText(shown.textContent).then(() => { button.textContent = button.dataset.done; });
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && actions[button.dataset.do]) actions[button.dataset.do](button);
  });

  /* ---------- keys: arrows move the period, Escape leaves an edit ---------- */
  function typing(target) { return Boolean(target.closest("input, textarea, select, [contenteditable], .table-wrap, .plots, [role=slider]")); }
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === "Escape") {
      const edit = event.target.closest("[data-cancel-scope]") || event.target.closest("form");
      const cancel = edit && edit.querySelector("[data-cancel]");
      if (cancel) { event.preventDefault(); cancel.click(); }
      return;
    }
    const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    if (!rel || typing(event.target) || document.querySelector("dialog[open]")) return;
    const link = document.querySelector('.range__nav a[rel="' + rel + '"][href]');
    if (link) { event.preventDefault(); link.click(); }
  });

  /* ---------- as an app: the page without a connection, pull to refresh ---------- */
  function remember(name, value) {
    try {
      if (value) localStorage.setItem(name, value); else localStorage.removeItem(name);
    } catch (error) { if (!(error instanceof DOMException)) throw error; }
  }
  function reached() { remember("heatmon-seen", Date.now()); remember("heatmon-lost"); }
  reached();
  document.addEventListener("htmx:afterOnLoad", reached);
  const app = document.querySelector("link[data-worker]");
  if (app && navigator.serviceWorker) {  // over TLS, and on this computer
    addEventListener("load", () => {
      navigator.serviceWorker.register(app.dataset.worker).catch((error) => {
        /* Not reached just now, or a certificate that the browser does not trust: the pages work without. */
        if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      });
    });
  }
  /* Browsers on Android refresh by pulling, as an app too; on an iPhone's home screen nothing does. */
  if (navigator.standalone) pullToRefresh(document.querySelector(".pull"));
  function pullToRefresh(sign) {
    const ENOUGH_PX = 90;
    let from = null;
    const pulled = (touch) => touch.clientY - from.y > Math.abs(touch.clientX - from.x) ? touch.clientY - from.y : 0;
    const rest = () => { from = null; sign.hidden = true; };
    document.addEventListener("touchstart", (event) => {
      const free = window.scrollY <= 0 && event.touches.length === 1 && !event.target.closest(".plots, .plot, .heat, .table-wrap, dialog, input, textarea, select, .nav");
      from = free ? { x: event.touches[0].clientX, y: event.touches[0].clientY } : null;
    }, { passive: true });
    document.addEventListener("touchmove", (event) => {
      if (!from) return;
      if (window.scrollY > 0 || event.touches.length > 1) { rest(); return; }
      const way = pulled(event.touches[0]);
      sign.hidden = way < 20;
      sign.classList.toggle("is-enough", way >= ENOUGH_PX);
    }, { passive: true });
    document.addEventListener("touchend", (event) => {
      const refresh = from && pulled(event.changedTouches[0]) >= ENOUGH_PX;
      if (refresh) { from = null; location.reload(); } else rest();
    });
    document.addEventListener("touchcancel", rest);
  }

  /* ---------- leaving the demo: go on as soon as the real start asks strangers for a login ---------- */
  const next = document.querySelector("[data-go-when-ready]");
  if (next) {
    const asked = next.dataset.goWhenReady;
    setInterval(() => {
      fetch(asked, { cache: "no-store", credentials: "omit" })
        .then((answer) => { if (answer.status === 401) location.assign(next.href); })
        .catch((error) => { if (!(error instanceof TypeError)) throw error; });  // nobody listens yet
    }, 1500);
  }

  /* ---------- htmx ---------- */
  /* A hidden page does not poll; it catches up when it is looked at again. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt.hasAttribute("data-poll")) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !window.htmx) return;
    document.querySelectorAll("[data-poll]").forEach((element) => window.htmx.trigger(element, "heatmon:wake"));
  });

  /* The cards say which five minutes were worked out last; when these are others, the charts ask anew. */
  const newest = () => { const cards = document.querySelector("[data-interval]"); return cards && cards.dataset.interval; };
  let drawn = newest();
  document.addEventListener("htmx:afterSwap", () => {
    const now = newest();
    if (!now || now === drawn) return;
    drawn = now;
    window.htmx.trigger("#day", "heatmon:interval");
  });

  /* The reader's place survives a swap: opened disclosures, scrolled tables, the focused element. */
  let place = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (!target || !target.querySelectorAll) return;
    const focused = document.activeElement;
    place = {
      open: Array.from(target.querySelectorAll("details[open][id]"), (details) => details.id),
      scrolled: Array.from(target.querySelectorAll(".table-wrap[id]"), (box) => [box.id, box.scrollLeft, box.scrollTop]),
      focus: focused && target.contains(focused) ? pathTo(focused) : null
    };
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (!place) return;
    place.open.forEach((id) => { const details = document.getElementById(id); if (details) details.open = true; });
    place.scrolled.forEach(([id, left, top]) => { const box = document.getElementById(id); if (box) box.scrollTo(left, top); });
    const focus = place.focus && document.querySelector(place.focus);
    if (focus && document.activeElement !== focus) focus.focus({ preventScroll: true });
    place = null;
  });
  function pathTo(element) {
    const steps = [];
    for (let node = element; node && node !== document.body; node = node.parentElement) {
      if (node.id) { steps.unshift("#" + CSS.escape(node.id)); break; }
      const index = Array.prototype.indexOf.call(node.parentElement.children, node) + 1;
      steps.unshift(node.localName + ":nth-child(" + index + ")");
    }
    return steps.join(" > ");
  }

  /* A line that is read out is only touched when it says something new. */
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (target && fragment && fragment.textContent.trim() === target.textContent.trim()) event.detail.shouldSwap = false;
  });

  /* No answer: say so once, and take it back with the next good one. */
  function lost(is) { root.toggleAttribute("data-lost", is); }
  document.addEventListener("htmx:sendError", () => lost(true));
  document.addEventListener("htmx:responseError", (event) => lost(event.detail.xhr.status >= 500));
  document.addEventListener("htmx:afterOnLoad", () => lost(false));
})();
