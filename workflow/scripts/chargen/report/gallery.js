"use strict";

// What the page embeds, as picture_data.py, reviewable.py, page_costs.py and analysis/description.py write it.
/**
 * A picture before anybody looks at it, by the id of its card.
 * @typedef {object} Detail
 * @property {string} title
 * @property {string} alt
 * @property {string} target
 * @property {string} href
 * @property {string} trouble
 * @property {number} width
 * @property {number} height
 * @property {[string, string][]} badges
 * @property {?ReviewData} review
 */
/**
 * What a review of a picture must name.
 * @typedef {object} ReviewData
 * @property {string} target
 * @property {number} variation
 * @property {string} sha256
 * @property {string} status
 * @property {string} note
 * @property {boolean} pick
 * @property {boolean} simple
 */
/**
 * What else the large view shows.
 * @typedef {object} Story
 * @property {[string, string][]} facts
 * @property {string[]} notes
 * @property {string} prompt
 * @property {string} words
 * @property {string} renew
 * @property {?Description} seen
 * @property {Other[]} others
 * @property {ReferenceLink[]} references
 */
/**
 * A picture to compare with.
 * @typedef {object} Other
 * @property {string} name
 * @property {string} when
 * @property {string} thumb
 * @property {string} href
 * @property {string} note
 */
/**
 * A picture that was sent along.
 * @typedef {object} ReferenceLink
 * @property {string} name
 * @property {string} role
 * @property {string} thumb
 * @property {string} href
 * @property {boolean} changed
 */
/**
 * What an analysis says of a picture.
 * @typedef {object} Description
 * @property {string} alt
 * @property {string} text
 * @property {string[]} tags
 * @property {string[]} colours
 * @property {string[]} named
 * @property {[string, string][]} traits
 * @property {boolean} matches
 * @property {string} notes
 * @property {[string, string][]} facts
 * @property {string[]} defects
 */
/**
 * A batch that pictures came with.
 * @typedef {object} Arrival
 * @property {string} id
 * @property {string} name
 */

(() => {
  /** @type {Object<string, Detail>} */
  const details = JSON.parse(document.getElementById("details").textContent);
  const byId = (id) => document.getElementById(id);
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // The stories of the pictures are read when somebody looks, so that the page is there at once.
  const STORIES = 50;
  const chunks = [...document.querySelectorAll(".stories")];
  const order = new Map(Object.keys(details).map((id, number) => [id, number]));
  const parsed = new Map();
  /** @type {function(string): Story} */
  const storyOf = (id) => {
    const number = Math.floor(order.get(id) / STORIES);
    if (!parsed.has(number)) parsed.set(number, JSON.parse(chunks[number].textContent));
    return parsed.get(number)[id];
  };
  const byTarget = new Map();
  for (const [id, { target }] of Object.entries(details)) byTarget.set(target, [...(byTarget.get(target) ?? []), id]);

  // Search and filters.
  const cards = [...document.querySelectorAll(".card")];
  const groups = [...document.querySelectorAll(".group")];
  const sections = [...document.querySelectorAll(".entity")];
  const kinds = [...document.querySelectorAll(".kind:not(#arranged)")];
  const entityOf = new Map(sections.flatMap((section) =>
    [...section.querySelectorAll(".card")].map((card) => [card, section])));
  const selects = { of: byId("of"), by: byId("by"), order: byId("order") };
  const search = byId("search");
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const leads = [...document.querySelectorAll("[data-leads]")];
  const chosen = new Set();
  let texts = null;

  const textOf = (card) => {
    const known = details[card.id];
    const { prompt, seen } = known ? storyOf(card.id) : {};
    const shown = seen ? [seen.text, ...seen.tags] : [];
    return [entityOf.get(card).dataset.name, card.id, card.textContent, known?.alt, prompt, ...shown].join(" ").toLowerCase();
  };
  const hasShown = (holder) => holder.querySelector(".card:not([hidden])") !== null;
  const narrow = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) texts = new Map(cards.map((card) => [card, textOf(card)]));
    const of = selects.of.value;
    const by = selects.by?.value ?? "";
    let shown = 0;
    const entities = new Set();
    for (const card of cards) {
      const badges = card.dataset.badges.split(" ");
      const fits = card.id.startsWith(of) && (!by || card.dataset.model === by)
        && [...chosen].every((badge) => badges.includes(badge))
        && words.every((word) => texts.get(card).includes(word));
      card.hidden = !fits;
      shown += fits;
      if (fits) entities.add(entityOf.get(card).id);
    }
    const arranged = byId("arranged");
    for (const holders of [groups, sections, arranged.children, kinds]) for (const holder of holders) holder.hidden = !hasShown(holder);
    arranged.hidden = !hasShown(arranged);
    const all = !words.length && !chosen.size && !of && !by;
    byId("found").textContent = all ? "" : `${shown.toLocaleString("en")} of ${cards.length.toLocaleString("en")}`;
    byId("none").hidden = shown > 0 || all;
    for (const link of leads) link.parentNode.hidden = !entities.has(link.dataset.leads);
    for (const list of document.querySelectorAll(".index ul")) {
      list.hidden = list.previousElementSibling.hidden = !list.querySelector("li:not([hidden])");
    }
  };
  // What was asked for is shown from its beginning, wherever the reader was.
  const narrowAnew = () => {
    narrow();
    const start = byId("pictures");
    if (start.getBoundingClientRect().top < 0) start.scrollIntoView();
  };
  let pause = 0;
  search.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(narrowAnew, 120); });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const badge = button.dataset.filter;
      if (!chosen.delete(badge)) chosen.add(badge);
      button.setAttribute("aria-pressed", String(chosen.has(badge)));
      narrowAnew();
    });
  }
  selects.of.addEventListener("change", narrowAnew);
  selects.by?.addEventListener("change", narrowAnew);
  byId("clear").addEventListener("click", () => {
    search.value = "";
    selects.of.value = "";
    if (selects.by) selects.by.value = "";
    chosen.clear();
    for (const button of buttons) button.setAttribute("aria-pressed", "false");
    narrow();
    search.focus();
  });

  // By batch: the same cards in other sections; back again, each in its old place.
  const units = [...document.querySelectorAll(".wall > *")].map((unit) => [unit, unit.parentNode]);
  const arrange = () => {
    const arranged = byId("arranged");
    if (selects.order.value === "batch") {
      /** @type {Arrival[]} */
      const known = JSON.parse(byId("arrived").textContent);
      const walls = new Map([...known, { id: "", name: "Without a batch" }].map(({ id, name }) => {
        const wall = element("div", { className: "wall" });
        const code = element("span", { className: "file", textContent: id });
        const section = element("section", { className: "entity" }, element("h3", {}, `${name} `, element("small"), code), wall);
        return [id, { section, wall }];
      }));
      for (const [unit] of units) {
        const batch = (unit.matches(".card") ? unit : unit.querySelector(".card")).dataset.batch;
        (walls.get(batch) ?? walls.get("")).wall.append(unit);
      }
      const filled = [...walls.values()].filter(({ wall }) => wall.firstChild);
      for (const { section, wall } of filled) {
        const number = wall.querySelectorAll(".card").length;
        section.querySelector("small").textContent = number.toLocaleString("en");
        section.style.containIntrinsicSize = `auto ${90 + 330 * Math.ceil(number / 5)}px`;
      }
      arranged.replaceChildren(...filled.map(({ section }) => section));
    } else {
      for (const [unit, wall] of units) wall.append(unit);
      arranged.replaceChildren();
    }
    narrow();
  };
  selects.order?.addEventListener("change", arrange);
  document.querySelector(".index").addEventListener("click", () => { // its links lead to entities
    if (!selects.order?.value) return;
    selects.order.value = "";
    arrange();
  });
  if (selects.order?.value) arrange(); // the browser brought back what was chosen
  else if (search.value || selects.of.value || selects.by?.value) narrow();

  // Texts to take along.
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const field = element("textarea", { value: text });
      (view.open ? view : document.body).append(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      return copied;
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = button.closest(".copied").querySelector("pre, code, [data-text]").textContent;
    button.textContent = await copy(text) ? "Copied" : "Select it by hand";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  // The large view.
  const view = byId("view");
  const stage = byId("v-stage");
  const image = byId("v-image");
  const frame = byId("v-frame");
  const before = byId("v-before");
  const split = byId("v-split");
  const side = byId("v-side");
  let at = "";
  let compared = -1; // which of the others lies beside the picture, -1 none
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
    const known = details[at];
    frame.style.width = known.width ? `${known.width * (zoom || fit)}px` : "";
    frame.style.height = known.width ? `${known.height * (zoom || fit)}px` : "";
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

  // Where the library did not move along with the page, there are still the thumbnails.
  const thumbOf = (id) => byId(id).querySelector("img")?.src;
  const orSmall = (picture, thumb, then = () => {}) => {
    picture.onerror = () => {
      picture.onerror = null;
      if (!thumb) return;
      picture.src = thumb;
      then();
    };
  };

  const setSplit = (value) => {
    split.value = value;
    before.style.clipPath = `inset(0 ${100 - value}% 0 0)`;
    split.setAttribute("aria-valuetext", `${value} % ${byId("v-old").textContent}`);
    byId("v-old").hidden = compared < 0 || value < 12;
    byId("v-young").hidden = compared < 0 || value > 88;
  };
  const compare = (number) => {
    const others = storyOf(at).others;
    compared = others[number] ? number : -1;
    const other = others[compared];
    for (const part of [before, split]) part.hidden = !other;
    if (other) {
      before.src = other.href;
      const name = [other.name, other.when].filter(Boolean).join(", ");
      before.alt = name;
      byId("v-old").textContent = name;
      orSmall(before, other.thumb);
      before.onload = () => {
        const [mine, its] = [details[at].width / details[at].height, before.naturalWidth / before.naturalHeight];
        before.classList.toggle("apart", Math.abs(Math.log(mine / its)) >= 0.1);
      };
    } else before.removeAttribute("src");
    setSplit(50);
    [...byId("v-others").children].forEach((button, place) => button.setAttribute("aria-pressed", String(place === compared)));
  };
  const besides = (wanted) => {
    const ids = byTarget.get(details[at].target);
    const shown = wanted && ids.length > 1;
    side.hidden = !shown;
    frame.hidden = shown || !details[at].href;
    byId("v-beside").setAttribute("aria-pressed", String(Boolean(shown)));
    side.replaceChildren(...(shown ? ids : []).map((id, number) => {
      const known = details[id];
      const picture = element("img", { alt: known.alt });
      orSmall(picture, thumbOf(id));
      picture.src = known.href;
      const button = element("button", { type: "button" }, picture,
        element("span", { textContent: `${number + 1}  ${known.badges.map(([, label]) => label).join(", ")}` }));
      button.addEventListener("click", () => { show(id); });
      return button;
    }));
  };
  split.addEventListener("input", () => setSplit(Number(split.value)));

  const show = (id) => {
    if (!details[id]) return;
    const known = { ...details[id], ...storyOf(id) };
    at = id;
    if (!view.open) view.showModal(); // before anything is measured
    setZoom(0);
    besides(false);
    frame.hidden = !known.href;
    image.hidden = !known.href;
    image.removeAttribute("src");
    byId("v-small").hidden = true;
    orSmall(image, thumbOf(id), () => { byId("v-small").hidden = false; });
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
    byId("v-compare").hidden = !known.others.length;
    byId("v-others").replaceChildren(...known.others.map((other, number) => {
      const button = element("button", { type: "button", title: other.note }, small(other.thumb, ""), element("b", { textContent: other.name }), " ", other.when);
      button.addEventListener("click", () => compare(compared === number ? -1 : number));
      return button;
    }));
    compare(known.others[0]?.name === "Original" ? 0 : -1);
    showSeen(known.seen);
    const siblings = byTarget.get(known.target);
    byId("v-variations").hidden = siblings.length < 2;
    byId("v-siblings").replaceChildren(...(siblings.length < 2 ? [] : siblings.map((other, number) => {
      const thumb = byId(other).querySelector("img");
      const button = element("button", { type: "button" }, small(thumb && thumb.src, `Variation ${number + 1}`));
      button.setAttribute("aria-current", String(other === id));
      button.addEventListener("click", () => show(other));
      return button;
    })));
    byId("v-renew").hidden = !known.renew;
    byId("v-renew").querySelector("code").textContent = known.renew;
    byId("v-own").hidden = !known.words;
    byId("v-words").textContent = known.words;
    byId("v-prompt").textContent = known.prompt || "Unknown: the picture is older than its record.";
    byId("v-file").hidden = !known.href;
    byId("v-file").href = known.href || "#";
    const all = pictures();
    byId("v-place").textContent = all.includes(id) ? `${all.indexOf(id) + 1} of ${all.length}` : "";
    showReview();
    view.querySelector("aside").scrollTop = 0;
    stage.focus({ preventScroll: true });
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  };
  const showSeen = (seen) => {
    byId("v-seen").hidden = !seen;
    if (!seen) return;
    byId("v-text").textContent = seen.text || seen.alt;
    byId("v-colours").replaceChildren(
      ...seen.colours.map((colour) => {
        const swatch = element("li", { textContent: colour });
        swatch.style.setProperty("--colour", CSS.supports("color", colour) ? colour : "transparent");
        return swatch;
      }),
      ...seen.named.map((name) => element("li", { className: "named", textContent: name })),
    );
    const meaning = { seen: "is shown", absent: "is not shown", contradicted: "is shown otherwise" };
    byId("v-traits").replaceChildren(...seen.traits.map(([trait, verdict]) =>
      element("li", { className: verdict, title: meaning[verdict] ?? verdict }, trait, element("span", { className: "hidden", textContent: ` ${meaning[verdict] ?? verdict}` }))));
    const facts = [...seen.facts];
    if (!seen.matches) facts.unshift(["Description", seen.notes || "the picture contradicts it"]);
    if (seen.defects.length) facts.push(["Defects", seen.defects.join("; ")]);
    if (seen.tags.length) facts.push(["Tags", seen.tags.join(", ")]);
    byId("v-look").replaceChildren(...facts.flatMap(([name, value]) => [
      element("dt", { textContent: name }), element("dd", { textContent: value }),
    ]));
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
    compare: () => compare(compared < 0 ? 0 : -1),
    flip: () => {
      if (compared < 0) compare(0);
      if (compared >= 0) setSplit(Number(split.value) < 100 ? 100 : 0);
    },
    side: () => besides(side.hidden),
    approve: () => judge("approved"),
    reject: () => judge("rejected"),
    pick: () => judge("picked"),
    note: () => { if (!noteField.hidden) note.focus(); },
    help: () => help.showModal(),
  };
  const keys = {
    ArrowLeft: "back", ArrowRight: "on", "+": "in", "=": "in", "-": "out", "0": "fit",
    c: "compare", b: "flip", v: "side", a: "approve", r: "reject", p: "pick", n: "note",
  };
  const help = byId("help");
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());
  document.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const other = event.ctrlKey || event.metaKey || event.altKey || event.target === note
      || (event.target === split && key.startsWith("Arrow")) || !Object.hasOwn(keys, key);
    if (!view.open || help.open || other) return;
    event.preventDefault();
    if (!event.repeat || !(key in judging)) acts[keys[key]](); // a key held down does not undo what it did
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, select, input:not([type=range])");
    if (typing || help.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const card = view.open ? null : event.target.closest("a.shot")?.dataset.open;
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "?") acts.help();
    else if (event.key === "/" && !view.open) search.focus();
    else if (card && along) {
      const all = pictures();
      byId(all[all.indexOf(card) + along] ?? card).querySelector("a.shot").focus();
    } else return;
    event.preventDefault();
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
    if (event.pointerType !== "mouse" || event.button || ![image, before].includes(event.target)) return;
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
  // A finger drawn across turns to the next picture.
  let finger = null;
  stage.addEventListener("touchstart", (event) => {
    const one = event.touches.length === 1 && !zoom && (visualViewport?.scale ?? 1) < 1.05 && event.target !== split;
    finger = one ? event.touches[0] : null;
  }, { passive: true });
  stage.addEventListener("touchend", (event) => {
    if (!finger) return;
    const [x, y] = [event.changedTouches[0].clientX - finger.clientX, event.changedTouches[0].clientY - finger.clientY];
    finger = null;
    if (Math.abs(x) > 48 && Math.abs(x) > 2 * Math.abs(y)) step(x < 0 ? 1 : -1);
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
  const { review: program, reviewsFile, reviewsWord } = document.body.dataset;
  const FILE = () => [
    `cat > ${reviewsFile} <<'END'`, JSON.stringify({ schema_version: 1, reviews: items() }, null, 1), "END",
    `${program} ${reviewsWord}`,
  ].join("\n");
  const isPlain = (text) => /^(?!(?:true|false|null)$)(?:\p{L}[\p{L}\p{M}\p{N} .,;!?()_-]*)?$/iu.test(text);
  const command = () => {
    const all = [...choices].map(([id, choice]) => [reviewable.get(id), choice]);
    const names = (status) => all.filter(([, choice]) => choice.status === status).map(([review]) => nameOf(review));
    const notes = new Set(all.filter(([, { status }]) => status === "rejected").map(([, choice]) => choice.note.trim()));
    const [said = ""] = notes;
    const simple = all.every(([review, { status }]) => review.simple && status !== "generated");
    if (!simple || notes.size > 1 || !isPlain(said)) return FILE();
    const parts = [["approve", names("approved")], ["reject", names("rejected")], ["pick", names("picked")]]
      .filter(([, list]) => list.length)
      .map(([verb, list]) => (list.length === 1 ? `${verb}=${list[0]}` : `${verb}='${list.join(" ")}'`));
    const line = [program, ...parts, ...(said ? [`note='${said}'`] : [])].join(" ");
    return line.length > 2000 ? FILE() : line;
  };

  const showBar = () => {
    bar.hidden = !choices.size && !cleared;
    byId("c-count").textContent = choices.size ? `${counted(choices.size)}: ${tally()}` : "No choices";
    const field = byId("c-command");
    field.value = choices.size ? command() : "";
    field.rows = Math.min(4, field.value.split("\n").length);
    for (const id of ["c-line", "c-copy", "c-save"]) byId(id).hidden = !choices.size;
    byId("c-clear").textContent = choices.size ? "Clear" : "Restore";
  };
  const mark = (id) => {
    const pills = byId(id).querySelector(".pills");
    const choice = choices.get(id);
    pills.querySelector(".choice")?.remove();
    marked[choice ? "add" : "delete"](id);
    if (choice) pills.append(element("span", { className: `pill choice ${choice.status}`, textContent: `to ${verbs[choice.status]}` }));
  };
  const marked = new Set();
  const markAll = () => {
    for (const id of new Set([...marked, ...choices.keys()])) mark(id);
  };
  const changed = () => {
    keep();
    markAll();
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
    const open = choices.size ? `${counted(choices.size)} so far; close this view to use them.` : "";
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
    const copied = await copy(byId("c-command").value);
    byId("c-count").textContent = copied ? "Copied: paste it into a terminal in the folder of your run" : "Copy it from the text field";
  });
  byId("c-save").addEventListener("click", () => {
    const text = `${JSON.stringify({ schema_version: 1, reviews: items() }, null, 2)}\n`;
    const link = element("a", { download: "reviews.json", href: URL.createObjectURL(new Blob([text], { type: "application/json" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    byId("c-count").textContent = `Then: ${program} reviews=<path of the saved file>`;
  });
  byId("c-clear").addEventListener("click", () => {
    [choices, cleared] = choices.size ? [new Map(), choices] : [cleared, null];
    changed();
  });
  addEventListener("storage", (event) => {
    if (event.key !== key) return;
    read();
    markAll();
    showBar();
    if (view.open) showReview();
  });
  read();
  changed();

  // Addresses with a part: of a picture, or of a failure.
  const follow = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* cut off somewhere: it leads nowhere */ }
    if (id in details) show(id);
    const target = id && byId(id);
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", follow);
  follow();
})();
