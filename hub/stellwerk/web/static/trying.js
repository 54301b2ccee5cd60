// Looks the progress up again every few seconds until it has ended. Without this script a link does the same.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("progress");
  if (place === null || place.dataset.ended === "yes") return;
  const live = document.querySelector(".live");
  if (live !== null) live.hidden = false;
  const SECONDS = 3;
  const MOST = 400;
  let looked = 0;
  const look = async () => {
    looked += 1;
    try {
      const answer = await fetch("/try", { headers: { accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("progress");
      if (fresh === null) return;
      if (fresh.innerHTML !== place.innerHTML) place.innerHTML = fresh.innerHTML;
      if (fresh.dataset.ended === "yes") {
        if (live !== null) live.hidden = true;
        return;
      }
    } catch {
      // The hub is away for a moment: looked up again.
    }
    if (looked < MOST) setTimeout(look, SECONDS * 1000);
  };
  setTimeout(look, SECONDS * 1000);
});
