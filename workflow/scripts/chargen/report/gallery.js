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
    showReview();
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
    approve: () => judge("approved"),
    reject: () => judge("rejected"),
    pick: () => judge("picked"),
    note: () => { if (!noteField.hidden) note.focus(); },
  };
  const keys = {
    ArrowLeft: "back", ArrowRight: "on", "+": "in", "=": "in", "-": "out", "0": "fit",
    a: "approve", r: "reject", p: "pick", n: "note",
  };
  for (const button of view.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());
  document.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const other = event.ctrlKey || event.metaKey || event.altKey || event.target === note || !Object.hasOwn(keys, key);
    if (!view.open || other) return;
    event.preventDefault();
    if (!event.repeat || !(key in judging)) acts[keys[key]](); // a key held down does not undo what it did
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

  // Reviews. What is chosen stays in this browser until it is copied, downloaded or cleared, and is gone from here
  // once it is recorded, or once another picture is in its place.
  const judging = { a: 1, r: 1, p: 1, n: 1 };
  const verbs = { approved: "approve", rejected: "reject", picked: "pick", generated: "take back" };
  const done = { approved: "Approved", rejected: "Rejected", picked: "Picked", generated: "Taken back" };
  const noteField = byId("v-note");
  const note = noteField.querySelector("textarea");
  const bar = byId("choices");
  const verdicts = [...view.querySelectorAll("[data-verdict]")];
  const key = `chargen-reviews:${document.body.dataset.library}`;
  const reviewable = new Map();
  for (const [id, { review }] of Object.entries(details)) if (review) reviewable.set(id, review);
  let choices = new Map(); // by the id of the card: {status, note}
  let cleared = null;

  const nameOf = (review) => `${review.target}:${review.variation}`;
  const isNews = (review, choice) =>
    choice.status !== (review.status || "generated") || (choice.status === "rejected" && choice.note !== review.note);
  const read = () => {
    let kept = [];
    try { kept = JSON.parse(localStorage.getItem(key)) ?? []; } catch { /* no storage here: choices last as long as the page */ }
    const known = new Map([...reviewable].map(([id, review]) => [`${nameOf(review)} ${review.sha256}`, id]));
    choices = new Map();
    for (const item of Array.isArray(kept) ? kept : []) {
      const id = known.get(`${item?.target}:${item?.variation} ${item?.sha256}`);
      const choice = { status: item?.status, note: String(item?.note ?? "") };
      if (id && Object.hasOwn(verbs, choice.status) && isNews(reviewable.get(id), choice)) choices.set(id, choice);
    }
  };
  const items = () => [...choices].map(([id, choice]) => {
    const { target, variation, sha256 } = reviewable.get(id);
    const said = choice.note.trim();
    return { target, variation, status: choice.status, ...(said && { note: said }), sha256 };
  });
  const keep = () => {
    try {
      if (choices.size) localStorage.setItem(key, JSON.stringify(items()));
      else localStorage.removeItem(key);
    } catch { /* no storage here */ }
  };
  const counted = (number) => `${number.toLocaleString("en")} ${number === 1 ? "choice" : "choices"}`;
  const tally = () => Object.keys(verbs)
    .map((status) => [[...choices.values()].filter((choice) => choice.status === status).length, verbs[status]])
    .filter(([number]) => number)
    .map(([number, verb]) => `${number.toLocaleString("en")} ${verb}`)
    .join(", ");

  // On a command line there is one note for all that is rejected, and signs that shell or YAML read otherwise are out.
  const FILE = "snakemake review --config reviews=reviews.json";
  const isPlain = (text) => /^(?!(?:true|false|null)$)(?:\p{L}[\p{L}\p{M}\p{N} .,;!?()_-]*)?$/iu.test(text);
  const command = () => {
    const all = [...choices].map(([id, choice]) => [reviewable.get(id), choice]);
    const names = (status) => all.filter(([, choice]) => choice.status === status).map(([review]) => nameOf(review));
    const notes = new Set(all.filter(([, { status }]) => status === "rejected").map(([, choice]) => choice.note.trim()));
    const [said = ""] = notes;
    const simple = all.every(([review, { status }]) => review.simple && status !== "generated");
    if (!simple || notes.size > 1 || !isPlain(said)) return FILE;
    const parts = [["approve", names("approved")], ["reject", names("rejected")], ["pick", names("picked")]]
      .filter(([, list]) => list.length)
      .map(([verb, list]) => (list.length === 1 ? `${verb}=${list[0]}` : `${verb}='${list.join(" ")}'`));
    const line = ["snakemake review --config", ...parts, ...(said ? [`note='${said}'`] : [])].join(" ");
    return line.length > 2000 ? FILE : line;
  };

  const showBar = () => {
    bar.hidden = !choices.size && !cleared;
    byId("c-count").textContent = choices.size ? `${counted(choices.size)}: ${tally()}` : "No choices any more";
    byId("c-command").value = choices.size ? command() : "";
    for (const id of ["c-line", "c-copy", "c-save"]) byId(id).hidden = !choices.size;
    byId("c-clear").textContent = choices.size ? "Clear" : "Bring them back";
  };
  const mark = (id) => {
    const pills = byId(id).querySelector(".pills");
    const choice = choices.get(id);
    pills.querySelector(".choice")?.remove();
    if (choice) pills.append(element("span", { className: `pill choice ${choice.status}`, textContent: `to ${verbs[choice.status]}` }));
  };
  const changed = () => {
    keep();
    for (const id of reviewable.keys()) mark(id);
    showBar();
    if (view.open) showReview();
  };
  const showReview = () => {
    const review = reviewable.get(at);
    byId("v-review").hidden = !review;
    if (!review) return;
    const choice = choices.get(at);
    const status = choice ? choice.status : review.status;
    for (const button of verdicts) {
      button.setAttribute("aria-pressed", String(button.dataset.verdict === status));
      button.hidden = button.dataset.verdict === "picked" && !review.pick;
    }
    noteField.hidden = status !== "rejected";
    const text = choice ? choice.note : review.note;
    if (note.value !== text) note.value = text;
    const now = choice ? `${done[choice.status]}.` : review.status && `${done[review.status]} before.`;
    const open = choices.size ? `${counted(choices.size)} so far; close this view to hand them in.` : "";
    byId("v-said").textContent = [now, open].filter(Boolean).join(" ");
  };
  const choose = (id, choice) => {
    cleared = null;
    if (isNews(reviewable.get(id), choice)) choices.set(id, choice);
    else choices.delete(id);
  };
  const judge = (wanted) => {
    const review = reviewable.get(at);
    if (!review || (wanted === "picked" && !review.pick)) return;
    const choice = choices.get(at);
    const status = choice ? choice.status : review.status;
    const next = status === wanted ? "generated" : wanted; // pressed once more it is let go
    const text = choice?.note || (review.status === "rejected" ? review.note : "");
    choose(at, { status: next, note: next === "rejected" ? text : "" });
    if (next === "picked") {
      for (const [id, { target }] of reviewable) {
        if (id !== at && target === review.target && choices.get(id)?.status === "picked") choices.delete(id);
      }
    }
    changed();
  };
  for (const button of verdicts) button.addEventListener("click", () => judge(button.dataset.verdict));
  note.addEventListener("input", () => {
    choose(at, { status: "rejected", note: note.value });
    keep();
    mark(at);
    showBar();
  });
  note.addEventListener("keydown", (event) => {
    const ends = event.key === "Escape" || (event.key === "Enter" && !event.shiftKey);
    if (!ends || event.isComposing) return;
    event.preventDefault(); // Escape leaves the field, not the view
    stage.focus({ preventScroll: true });
  });
  byId("c-copy").addEventListener("click", async () => {
    const field = byId("c-command");
    let copied = false;
    try {
      await navigator.clipboard.writeText(field.value);
      copied = true;
    } catch {
      field.select();
      copied = document.execCommand("copy");
    }
    const after = field.value === FILE ? "; it reads reviews.json: download that into the folder of your run" : "";
    byId("c-count").textContent = (copied ? "Copied" : "Copy it from the field") + after;
  });
  byId("c-save").addEventListener("click", () => {
    const text = `${JSON.stringify({ schema_version: 1, reviews: items() }, null, 2)}\n`;
    const link = element("a", { download: "reviews.json", href: URL.createObjectURL(new Blob([text], { type: "application/json" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    byId("c-count").textContent = "Then: snakemake review --config reviews=<where it was saved>";
  });
  byId("c-clear").addEventListener("click", () => {
    [choices, cleared] = choices.size ? [new Map(), choices] : [cleared, null];
    changed();
  });
  addEventListener("storage", (event) => {
    if (event.key !== key) return;
    read();
    for (const id of reviewable.keys()) mark(id);
    showBar();
    if (view.open) showReview();
  });
  read();
  changed();

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
