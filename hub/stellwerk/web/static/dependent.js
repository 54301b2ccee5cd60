// Shows a setting while the condition of integration.yaml holds. The server decides the same again; without this script
// all settings are shown. In the head, so that nothing is seen first and hidden then.
"use strict";
document.documentElement.classList.add("scripted");
document.addEventListener("DOMContentLoaded", () => {
  const settings = new Map();
  for (const place of document.querySelectorAll("[data-setting]")) {
    settings.set(place.dataset.setting, {
      place,
      condition: place.dataset.onlyIf ? JSON.parse(place.dataset.onlyIf) : null,
    });
  }
  const text = (value) => (value === true ? "yes" : value === false ? "no" : String(value));
  const typed = (place) => {
    const input = place.querySelector("input:not([type=hidden]), select");
    return input.type === "checkbox" ? text(input.checked) : input.value;
  };
  const value = (name) => {
    const setting = settings.get(name);
    if (setting === undefined) return "";
    return shown(setting) ? typed(setting.place) : setting.place.dataset.off;
  };
  const shown = (setting) => setting.condition === null || holds(setting.condition);
  const holds = (one) => {
    if (one.all !== undefined) return one.all.every(holds);
    if (one.any !== undefined) return one.any.some(holds);
    if (one.not !== undefined) return !holds(one.not);
    const now = value(one.setting);
    if (one.is !== undefined) return now === text(one.is);
    if (one.is_not !== undefined) return now !== text(one.is_not);
    if (one.in !== undefined) return one.in.map(text).includes(now);
    if (one.set !== undefined) return (now !== "") === one.set;
    if (one.matches !== undefined) return new RegExp("^(?:" + one.matches + ")$", "u").test(now);
    return false;
  };
  const update = () => {
    for (const setting of settings.values()) setting.place.dataset.shown = text(shown(setting));
    for (const further of document.querySelectorAll("[data-further]")) {
      further.dataset.shown = text(document.getElementById(further.dataset.further).checked);
    }
  };
  document.addEventListener("input", update);
  update();
  for (const copied of document.querySelectorAll(".copied")) copied.addEventListener("focus", () => copied.select());
});
