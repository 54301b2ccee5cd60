// Shows how far a sync is without loading the page again; without this script a link does.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-progress]");
  if (place === null || !("EventSource" in window)) return;
  const bar = place.querySelector("progress");
  const status = place.querySelector("[role=status]");
  const source = new EventSource(place.dataset.progress);
  source.addEventListener("progress", (event) => {
    const now = JSON.parse(event.data);
    if (now.total) {
      bar.max = now.total;
      bar.value = Math.min(now.contacts, now.total);
    }
    if (status.textContent !== now.text) status.textContent = now.text;
  });
  source.addEventListener("over", () => {
    source.close();
    window.location.reload();
  });
});
