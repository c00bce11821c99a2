"use strict";
// The page works without this. With it, what would happen is shown as soon as a value is chosen.
document.documentElement.classList.add("js");

(() => {
  const form = document.getElementById("levels");
  if (!form) return;
  const server = form.elements["server-level"];
  const certificate = form.elements["client-certificate"];
  const place = document.getElementById("consequences");
  let asked = 0;

  const explain = (list) => {
    const meaning = document.getElementById(list.id + "-meaning");
    meaning.textContent = list.disabled ? meaning.dataset.unavailable : list.selectedOptions[0].dataset.meaning;
  };

  const ask = async () => {
    const mine = ++asked;
    let response;
    try {
      response = await fetch("/encryption/consequences", { method: "POST", body: new URLSearchParams(new FormData(form)) });
    } catch {
      if (mine === asked) place.textContent = form.dataset.unreachable;
      return;
    }
    if (response.status === 401) return location.assign("/login");
    const text = await response.text();
    if (mine !== asked) return;
    if (response.ok) place.innerHTML = text;
    else place.textContent = form.dataset.refused;
  };

  form.addEventListener("change", () => {
    certificate.disabled = server.value === "none";
    if (certificate.disabled) certificate.value = "none";
    for (const list of form.querySelectorAll("select")) explain(list);
    ask();
  });
})();

// Sessions: what is new, every second, while somebody looks.
(() => {
  const place = document.getElementById("sessions");
  if (!place) return;
  const look = async () => {
    try {
      const response = document.hidden ? null : await fetch("/sessions/table");
      if (response && response.status === 401) return location.assign("/login");
      const text = response && response.ok ? await response.text() : "";
      if (text && text !== look.last) place.innerHTML = look.last = text;
    } catch {
      // The gateway may be starting again: the next look will tell.
    }
    setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
})();
