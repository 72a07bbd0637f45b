// Before anything is painted: the colours that the person chose, or those of the system.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function wanted() {
    var found = /(?:^|; )theme=(light|dark)/.exec(document.cookie);
    return found ? found[1] : dark.matches ? "dark" : "light";
  }
  function paint() { root.setAttribute("data-bs-theme", wanted()); }
  paint();
  dark.addEventListener("change", paint);
  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("[data-theme]") : null;
    if (!button) return;
    var theme = button.getAttribute("data-theme");
    document.cookie = "theme=" + theme + "; path=/; max-age=31536000; samesite=lax";
    paint();
  });
})();
