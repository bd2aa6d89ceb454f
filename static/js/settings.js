/* The settings: sections with unsaved changes are marked, and leaving the page with some asks.
   A form's own values from the server are the saved ones; what a section was refused with counts as unsaved. */
(function () {
  "use strict";
  const sections = () => Array.from(document.querySelectorAll("[data-section]"));

  function isChanged(field) {
    if (field.disabled || !field.name || ["hidden", "submit", "button", "reset"].includes(field.type)) return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.localName !== "select") return field.value !== field.defaultValue;
    const saved = Array.from(field.options).findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(0, saved);
  }
  function mark(section) {
    const fields = section.querySelectorAll("input, select, textarea");
    const unsaved = section.hasAttribute("data-refused") || Array.from(fields).some(isChanged);
    section.classList.toggle("is-unsaved", unsaved);
    const link = document.querySelector('.subnav a[href="#' + section.dataset.section + '"]');
    if (link) link.classList.toggle("is-unsaved", unsaved);
  }
  const markAll = () => sections().forEach(mark);
  const unsaved = () => sections().filter((section) => section.classList.contains("is-unsaved"));

  function touched(event) {
    const section = event.target.closest("[data-section]");
    if (section) mark(section);
  }
  document.addEventListener("input", touched);
  document.addEventListener("change", touched);
  document.addEventListener("reset", () => setTimeout(markAll));
  window.addEventListener("pageshow", markAll);

  /* Without htmx a form takes the whole page along: it may go if it alone is unsaved. */
  let sent = null;
  document.addEventListener("submit", (event) => { if (!event.defaultPrevented) sent = event.target.closest("[data-section]"); });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved().some((section) => section !== sent)) event.preventDefault();
    sent = null;
  });

  /* What is saved elsewhere on the page changes this card too, unless something was typed into it. */
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.classList.contains("is-unsaved")) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    markAll();
    const wrong = event.target.matches && event.target.matches("[data-refused]") && event.target.querySelector('[aria-invalid="true"]');
    if (wrong) wrong.focus();
  });
  /* No answer, or one that nothing can be stored now: said in the card, which keeps what was typed. */
  function failed(event) {
    const section = event.target.closest("[data-section]");
    if (!section || section.querySelector(".save-failed")) return;
    const note = document.getElementById("save-failed").content.cloneNode(true);
    section.querySelector(".card__head").after(note);
  }
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:beforeRequest", (event) => {
    const section = event.target.closest("[data-section]");
    const note = section && section.querySelector(".save-failed");
    if (note) note.remove();
  });
  document.addEventListener("heatmon:look", () => {
    const theme = document.querySelector('[data-section="language"] [name="theme"]:checked');
    if (theme && theme.value) document.documentElement.dataset.theme = theme.value;
    else delete document.documentElement.dataset.theme;
    if (unsaved().length === 0) location.reload();
  });
})();
