/* The remembered theme, set before anything is drawn. Automatic while nothing is remembered. */
(function () {
  "use strict";
  var theme = null;
  try { theme = localStorage.getItem("heatmon-theme"); } catch (error) { if (!(error instanceof DOMException)) throw error; }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
