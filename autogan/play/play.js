"use strict";

const form = document.getElementById("asked");
const way = document.getElementById("way");
const picture = document.getElementById("picture");
const problem = document.getElementById("problem");
const save = document.getElementById("save");
const ROWS = 8; // most rows of interpolations in a picture
const PAUSE = 60; // milliseconds without a change before the next request
let shown = 0; // the number of the last request
let timer = 0;

function asked() {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const all = form.elements.truncation.max;
    if (name === "truncation" ? value !== all : !name.startsWith("class") || value > 0) {
      fields.set(name, value);
    }
  }
  if (way.checked) {
    fields.set("interpolate", Math.min(8, picture.dataset.steps));
    fields.set("count", Math.min(ROWS, fields.get("count")));
  }
  return "images.png?" + fields;
}

async function show() {
  const number = ++shown;
  const place = asked();
  try {
    const answer = await fetch(place);
    if (number !== shown) return; // a later request is running
    if (!answer.ok) throw new Error(await answer.text());
    const made = URL.createObjectURL(await answer.blob());
    URL.revokeObjectURL(picture.src);
    picture.src = made;
    save.href = place;
    problem.textContent = "";
  } catch (error) {
    problem.textContent = error.message;
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(show, PAUSE);
}

form.addEventListener("input", soon);
form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
document.getElementById("another").addEventListener("click", () => {
  form.elements.seed.value = Math.floor(Math.random() * 2 ** 31);
  show();
});
document.getElementById("none").addEventListener("click", () => {
  for (const each of form.querySelectorAll("#classes input")) each.value = 0;
  show();
});
show();
