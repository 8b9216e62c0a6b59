// Keeps the page current. The server renders every fragment; this file only puts it in its place.
"use strict";
(() => {
  const LINES_MAX = 120;
  const body = document.body;
  const story = document.getElementById("story");
  const homes = document.getElementById("homes");

  const parsed = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.firstElementChild;
  };

  const put = (html, list) => {
    const fresh = parsed(html);
    const old = document.getElementById(fresh.id);
    if (old) {
      old.replaceWith(fresh);
    } else if (list) {
      list.querySelectorAll(".nothing").forEach((line) => line.remove());
      list.append(fresh);
    }
    return fresh;
  };

  const tell = (html) => {
    const line = parsed(html);
    if (document.getElementById(line.id)) return;
    story.querySelectorAll(".nothing").forEach((nothing) => nothing.remove());
    line.classList.add("fresh");
    story.prepend(line);
    while (story.children.length > LINES_MAX) story.lastElementChild.remove();
  };

  const source = new EventSource(body.dataset.events);
  const on = (kind, act) => source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  on("fragment", (html) => put(html, null));
  on("home", (html) => put(html, homes));
  on("story", tell);
  source.onopen = () => body.classList.remove("lost");
  source.onerror = () => body.classList.add("lost");
})();
