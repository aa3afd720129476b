"use strict";
(() => {
  const details = JSON.parse(document.getElementById("details").textContent);
  const byId = (id) => document.getElementById(id);
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // Search and filters.
  const cards = [...document.querySelectorAll(".card")];
  const groups = [...document.querySelectorAll(".group")];
  const sections = [...document.querySelectorAll(".entity")];
  const kinds = [...document.querySelectorAll(".kind")];
  const search = byId("search");
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const chosen = new Set();
  let texts = null;

  const textOf = (card) => {
    const known = details[card.id];
    const entity = card.closest(".entity").dataset.name;
    return [entity, card.id, card.textContent, known ? known.prompt : ""].join(" ").toLowerCase();
  };
  const hasShown = (holder) => holder.querySelector(".card:not([hidden])") !== null;
  const narrow = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) texts = new Map(cards.map((card) => [card, textOf(card)]));
    let shown = 0;
    for (const card of cards) {
      const badges = card.dataset.badges.split(" ");
      const fits = [...chosen].every((badge) => badges.includes(badge))
        && words.every((word) => texts.get(card).includes(word));
      card.hidden = !fits;
      shown += fits;
    }
    for (const holders of [groups, sections, kinds]) for (const holder of holders) holder.hidden = !hasShown(holder);
    const all = !words.length && !chosen.size;
    byId("found").textContent = all ? "" : `${shown.toLocaleString("en")} of ${cards.length.toLocaleString("en")}`;
    byId("none").hidden = shown > 0 || all;
  };
  let pause = 0;
  search.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(narrow, 120); });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const badge = button.dataset.filter;
      if (!chosen.delete(badge)) chosen.add(badge);
      button.setAttribute("aria-pressed", String(chosen.has(badge)));
      narrow();
    });
  }
  byId("clear").addEventListener("click", () => {
    search.value = "";
    chosen.clear();
    for (const button of buttons) button.setAttribute("aria-pressed", "false");
    narrow();
    search.focus();
  });

  // The large view.
  const view = byId("view");
  const stage = byId("v-stage");
  const image = byId("v-image");
  let at = "";
  let zoom = 0; // 0 fits the window; otherwise screen pixels per pixel of the picture

  const pictures = () => cards.filter((card) => !card.hidden && details[card.id]).map((card) => card.id);
  const setZoom = (wanted) => {
    const fit = fitting();
    const next = wanted && Math.min(8, Math.max(wanted, fit));
    const middle = [
      (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth,
      (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight,
    ];
    zoom = next <= fit ? 0 : next;
    stage.classList.toggle("zoomed", zoom > 0);
    image.style.width = zoom ? `${details[at].width * zoom}px` : "";
    byId("v-zoom").textContent = zoom ? `${Math.round(zoom * 100)} %` : "fit";
    if (zoom) {
      stage.scrollLeft = middle[0] * stage.scrollWidth - stage.clientWidth / 2;
      stage.scrollTop = middle[1] * stage.scrollHeight - stage.clientHeight / 2;
    }
  };
  const fitting = () => {
    const known = details[at];
    return known.width ? Math.min(1, stage.clientWidth / known.width, stage.clientHeight / known.height) : 1;
  };
  const pill = ([badge, label]) => element("span", { className: `pill ${badge}`, textContent: label });
  const small = (source, name) => source
    ? element("img", { src: source, alt: name, loading: "lazy" })
    : element("span", { className: "gone" });

  const show = (id) => {
    const known = details[id];
    if (!known) return;
    at = id;
    setZoom(0);
    image.hidden = !known.href;
    image.removeAttribute("src");
    if (known.href) image.src = known.href;
    image.alt = known.alt;
    byId("v-trouble").hidden = Boolean(known.href);
    byId("v-trouble").textContent = known.trouble;
    byId("v-title").textContent = known.title;
    byId("v-owner").textContent = known.target;
    byId("v-pills").replaceChildren(...known.badges.map(pill));
    byId("v-facts").replaceChildren(...known.facts.flatMap(([name, value]) => [
      element("dt", { textContent: name }), element("dd", { textContent: value }),
    ]));
    byId("v-notes").hidden = !known.notes.length;
    byId("v-notes").replaceChildren(...known.notes.map((note) => element("li", { textContent: note })));
    byId("v-references").hidden = !known.references.length;
    byId("v-references").querySelector(".strip").replaceChildren(...known.references.map((reference) => {
      const name = reference.name + (reference.changed ? " (changed since)" : "");
      const box = element("a", { title: reference.role }, small(reference.thumb, ""), name);
      if (reference.href) Object.assign(box, { href: reference.href, target: "_blank", rel: "noopener" });
      return box;
    }));
    const siblings = Object.keys(details).filter((other) => details[other].target === known.target);
    byId("v-siblings").hidden = siblings.length < 2;
    byId("v-siblings").replaceChildren(...(siblings.length < 2 ? [] : siblings.map((other, number) => {
      const thumb = byId(other).querySelector("img");
      const button = element("button", { type: "button" }, small(thumb && thumb.src, `Variation ${number + 1}`));
      button.setAttribute("aria-current", String(other === id));
      button.addEventListener("click", () => show(other));
      return button;
    })));
    byId("v-prompt").textContent = known.prompt || "Unknown: the picture is older than its record.";
    byId("v-file").hidden = !known.href;
    byId("v-file").href = known.href || "#";
    const all = pictures();
    byId("v-place").textContent = all.includes(id) ? `${all.indexOf(id) + 1} of ${all.length}` : "";
    view.querySelector("aside").scrollTop = 0;
    if (!view.open) view.showModal();
    stage.focus({ preventScroll: true });
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  };
  const step = (by) => {
    const all = pictures();
    if (all.length) show(all[(Math.max(0, all.indexOf(at)) + by + all.length) % all.length]);
  };
  const acts = {
    back: () => step(-1),
    on: () => step(1),
    in: () => setZoom((zoom || fitting()) * 1.5),
    out: () => setZoom((zoom || fitting()) / 1.5),
    fit: () => setZoom(zoom ? 0 : 1),
    close: () => view.close(),
  };
  const keys = {
    ArrowLeft: "back", ArrowRight: "on", "+": "in", "=": "in", "-": "out", "0": "fit",
  };
  for (const button of view.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());
  document.addEventListener("keydown", (event) => {
    if (!view.open || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    acts[keys[event.key]]();
  });
  view.addEventListener("close", () => {
    history.replaceState(null, "", location.pathname + location.search);
    const card = byId(at);
    if (card) {
      card.scrollIntoView({ block: "nearest" });
      card.querySelector("a.shot")?.focus({ preventScroll: true });
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-open]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    show(link.dataset.open);
  });

  // A click fits or shows every pixel; a drag moves the zoomed picture.
  let held = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button || event.target !== image) return;
    event.preventDefault();
    held = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop, moved: false };
    stage.classList.add("held");
  });
  addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    held.moved ||= Math.abs(x) + Math.abs(y) > 4;
    stage.scrollTo(held.left - x, held.top - y);
  });
  addEventListener("pointerup", () => {
    if (held && !held.moved) acts.fit();
    held = null;
    stage.classList.remove("held");
  });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    acts[event.deltaY < 0 ? "in" : "out"]();
  }, { passive: false });
  addEventListener("resize", () => { if (view.open) setZoom(zoom); });

  // Addresses with a part: of a picture, or of a failure.
  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (id in details) show(id);
    const target = id && byId(id);
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", follow);
  follow();
})();
