// Lights up each step as the hub tells of it, without loading the page again. Without this script a link does the same.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-progress]");
  if (place === null || !("EventSource" in window)) return;
  const MOST_STREAMS = 120;
  const live = document.querySelector(".live");
  const list = place.querySelector("ol");
  const source = new EventSource(place.dataset.progress);
  let streams = 0;
  if (live !== null) live.hidden = false;
  const end = () => {
    source.close();
    if (live !== null) live.hidden = true;
  };
  const made = (tag, name, text) => {
    const one = document.createElement(tag);
    if (name !== "") one.className = name;
    one.textContent = text;
    return one;
  };
  const step = (stage) => {
    const one = made("li", "how-" + stage.how, "");
    one.append(made("strong", "", stage.text), " ", made("span", "how", stage.word));
    if (stage.about !== "") one.append(made("p", "help", stage.about));
    return one;
  };
  source.addEventListener("way", (event) => {
    // Only what changed is put anew: a screen reader reads out the step that lit up, not all of them.
    JSON.parse(event.data).forEach((stage, at) => {
      const fresh = step(stage);
      const stands = list.children[at];
      if (stands === undefined) list.append(fresh);
      else if (stands.className !== fresh.className || stands.textContent !== fresh.textContent) stands.replaceWith(fresh);
    });
  });
  source.addEventListener("over", (event) => {
    end();
    for (const one of document.querySelectorAll(".again")) one.hidden = true;
    if (JSON.parse(event.data).arrived) document.querySelector(".arrived").hidden = false;
  });
  source.addEventListener("open", () => {
    streams += 1;
    if (streams > MOST_STREAMS) end();
  });
});
