// What makes pages quicker for people; every page works without it.
(function () {
  "use strict";
  // A form is sent once: the server would take a second one for the same, but nobody should wonder.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    window.setTimeout(function () {
      form.querySelectorAll("button").forEach(function (button) { button.disabled = true; });
    }, 0);
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form").forEach(function (form) {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach(function (button) { button.disabled = false; });
    });
  });
  // On a narrow screen the menu begins folded, and filters too unless some are set. On a wide one there is
  // nothing to unfold them by, so a window that is widened has them open.
  var narrow = window.matchMedia("(max-width: 900px)");
  function fold() {
    document.querySelectorAll(".menu > details, .filter-fold").forEach(function (part) {
      part.open = !narrow.matches || part.hasAttribute("data-in-use");
    });
  }
  fold();
  narrow.addEventListener("change", fold);
  // Tick every row of a list.
  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-ticks-all]")) return;
    document.querySelectorAll(event.target.dataset.ticksAll).forEach(function (box) {
      box.checked = event.target.checked;
    });
  });
  // A page that looks again by itself and cannot says so: its time would else pass for now.
  function unread(is) {
    return function (event) {
      var mark = event.target.querySelector && event.target.querySelector(".unread");
      if (mark) mark.hidden = !is;
    };
  }
  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach(function (name) {
    document.addEventListener(name, unread(true));
  });
  // "/" goes to the first filter, as in most consoles.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
    var first = document.querySelector(".filters input:not([type=hidden]), .filters select, .find input");
    if (first) { event.preventDefault(); first.focus(); }
  });
})();
