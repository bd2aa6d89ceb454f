/* The page without a connection: says since when, tries again by itself, and then goes on where one was. */
(function () {
  "use strict";
  const root = document.documentElement;
  const theme = document.cookie.match(/(?:^|; )heatmon_theme=(light|dark)/);
  if (theme) root.dataset.theme = theme[1];
  const EVERY_MS = 5000;
  const NOBODY = [502, 504];  // what a proxy says when nobody answers behind it

  function stored(name, value) {
    try {
      if (value !== undefined) localStorage.setItem(name, value);
      return Number(localStorage.getItem(name)) || 0;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      return value || 0;
    }
  }
  function show(name, at) {
    const line = document.querySelector('[data-show="' + name + '"]');
    const time = line.querySelector("time");
    const when = new Date(at);
    const style = { hour: "2-digit", minute: "2-digit" };
    if (when.toDateString() !== new Date().toDateString()) Object.assign(style, { day: "numeric", month: "short" });
    time.dateTime = when.toISOString();
    time.textContent = new Intl.DateTimeFormat(root.lang === "en" ? "en-GB" : root.lang, style).format(when);
    line.hidden = false;
  }
  const seen = stored("heatmon-seen");
  show("since", stored("heatmon-lost") || stored("heatmon-lost", Date.now()));
  if (seen) show("seen", seen);

  let trying = false;
  function tryAgain() {
    if (trying || document.hidden) return;
    trying = true;
    fetch(root.dataset.root + "healthz", { cache: "no-store" })
      .then((answer) => {
        if (NOBODY.includes(answer.status)) return;
        if (location.pathname === root.dataset.here) location.replace(root.dataset.root);
        else location.reload();
      })
      .catch((error) => { if (!(error instanceof TypeError)) throw error; })  // nobody answers yet
      .finally(() => { trying = false; });
  }
  setInterval(tryAgain, EVERY_MS);
  addEventListener("online", tryAgain);
  document.addEventListener("visibilitychange", tryAgain);
  document.querySelector("button").addEventListener("click", tryAgain);
})();
