// What pages do beyond HTML; every form works without it.
"use strict";
(() => {
  // The code of the first start comes behind the #, which a browser sends to nobody.
  const code = document.querySelector("input[data-from-fragment]");
  const takeCode = () => {
    if (!code || location.hash.length < 2 || code.value) return;
    code.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  };
  takeCode();
  addEventListener("hashchange", takeCode);
  // Errors are read out first, and by keyboard they come first.
  const errors = document.querySelector(".errors");
  if (errors) errors.focus();
  // A second press of a button is not sent; the server would not do it twice either.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 5000);
  });
  // A page that comes back from the browser's memory may be sent again.
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
  // The screen locks itself where nobody touches it, as the server does for the session.
  const lock = document.getElementById("lock");
  if (lock) {
    let last = Date.now();
    for (const kind of ["keydown", "pointerdown", "wheel", "touchstart"]) {
      addEventListener(kind, () => (last = Date.now()), { passive: true });
    }
    setInterval(() => {
      if (Date.now() - last > 15 * 60 * 1000) lock.submit();
    }, 10000);
  }
  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
})();
