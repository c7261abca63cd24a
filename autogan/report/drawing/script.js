// Conveniences only: without this script, only sorting, filtering and highlighting are missing.
"use strict";
const all = (what, where = document) => [...where.querySelectorAll(what)];

// Clicking a trial highlights it in all charts and in the table.
document.addEventListener("click", (event) => {
  const mark = event.target.closest("svg [data-t], tr[data-t]");
  if (!mark) return;
  const lit = mark.classList.contains("lit");
  all(".lit").forEach((each) => each.classList.remove("lit"));
  if (!lit) all(`[data-t="${mark.dataset.t}"]`).forEach((each) => each.classList.add("lit"));
});

// Column headers sort the table of all trials, and words filter it.
const trials = document.getElementById("all-trials");
if (trials) {
  const body = trials.tBodies[0];
  all("th", trials).forEach((head, place) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const way = head.ariaSort === "ascending" ? -1 : 1;
      all("th", trials).forEach((each) => each.removeAttribute("aria-sort"));
      head.ariaSort = way === 1 ? "ascending" : "descending";
      const value = (row) => row.cells[place].textContent;
      const order = (a, b) => {
        const [x, y] = [Number.parseFloat(a), Number.parseFloat(b)];
        if (Number.isNaN(x) || Number.isNaN(y)) {
          return Number.isNaN(x) - Number.isNaN(y) || way * a.localeCompare(b);
        }
        return way * (x - y);
      };
      body.append(...[...body.rows].sort((a, b) => order(value(a), value(b))));
    });
  });
  const filter = document.createElement("input");
  filter.className = "filter";
  filter.type = "search";
  filter.placeholder = "filter rows";
  filter.setAttribute("aria-label", filter.placeholder);
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  trials.parentElement.before(filter);
}

// A page that reloads itself keeps its open sections and the chosen step.
if (document.querySelector('meta[http-equiv="refresh"]')) {
  const kept = "autogan " + location.pathname;
  const state = JSON.parse(sessionStorage.getItem(kept) || "{}");
  all("details[id]").forEach((each) => {
    if (each.id in state) each.open = state[each.id];
  });
  all(".steps input").forEach((each) => {
    if (state.step === each.value) each.checked = true;
  });
  addEventListener("pagehide", () => {
    const step = document.querySelector(".steps input:checked");
    const open = all("details[id]").map((each) => [each.id, each.open]);
    const now = Object.fromEntries([...open, ["step", step && step.value]]);
    sessionStorage.setItem(kept, JSON.stringify(now));
  });
}
