"use strict";
// The table of all utterances: sorted, searched, and made a hundred rows at a time. Texts are put in as text, never as HTML.
(() => {
  const BATCH = 100;
  const id = (name) => document.getElementById(name);
  const collator = new Intl.Collator("en", { numeric: true });
  const number = (value, places) =>
    value === null ? "" : Number.isFinite(value) ? value.toFixed(places) : "∞";

  const lines = JSON.parse(id("data").textContent).map(
    ([name, speaker, seconds, substitutions, insertions, deletions, words, loss, said, heard, letters, clip]) => {
      const errors = substitutions + insertions + deletions;
      const wer = errors ? (100 * errors) / words : 0;
      return { name, speaker, seconds, words, errors, wer, loss: loss ?? Infinity, said, heard, letters, clip };
    },
  );
  const COLUMNS = [
    { key: "name", label: "Id", show: (line) => line.name },
    { key: "speaker", label: "Speaker", show: (line) => line.speaker, isolated: true },
    { key: "seconds", label: "Seconds", show: (line) => number(line.seconds, 2), numeric: true },
    { key: "words", label: "Words", show: (line) => String(line.words), numeric: true },
    { key: "errors", label: "Errors", show: (line) => String(line.errors), numeric: true },
    { key: "wer", label: "WER %", show: (line) => number(line.wer, 1), numeric: true },
    { key: "loss", label: "Loss", show: (line) => number(line.loss, 2), numeric: true },
    { key: "said", label: "Said, heard" },
  ];

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Each place of an alignment: its letter, what was said and what was heard.
  function* places(line) {
    const said = line.said.split(" ");
    const heard = line.heard.split(" ");
    let there = 0;
    let here = 0;
    for (const letter of line.letters) {
      yield [letter, letter === "i" ? "" : said[there++], letter === "d" ? "" : heard[here++]];
    }
  }

  const KINDS = { "=": "", s: " substitution", d: " deletion", i: " insertion" };
  function place([letter, said, heard]) {
    const above = letter === "=" ? element("span", "", said) : letter === "i" ? element("span", "", "+") : element("del", "", said);
    const below = letter === "=" ? element("span", "", heard) : letter === "d" ? element("span", "", "–") : element("ins", "", heard);
    if (letter === "i") above.setAttribute("aria-hidden", "true");
    if (letter === "=" || letter === "d") below.setAttribute("aria-hidden", "true");
    const made = element("span", `place${KINDS[letter]}`);
    made.append(above, below);
    return made;
  }

  function alignment(line) {
    const made = element("div", "alignment");
    made.dir = "auto";
    made.translate = false;
    for (const each of places(line)) made.append(place(each), " ");
    if (!line.letters) made.append(element("span", "nothing", "nothing said, nothing heard"));
    return made;
  }

  // A line's sound: its own, or that of the example which is in the page already.
  function soundOf(line) {
    return line.clip ? `data:audio/mpeg;base64,${line.clip}` : id(`clip-${line.name}`)?.src;
  }

  function player(line) {
    const source = soundOf(line);
    if (!source) return [];
    const button = element("button", "play", "▶");
    button.type = "button";
    button.setAttribute("aria-label", `Play ${line.name}`);
    button.addEventListener("click", () => {
      const audio = element("audio");
      audio.controls = true;
      audio.src = source;
      audio.setAttribute("aria-label", line.name);
      button.replaceWith(audio);
      audio.focus();
      void audio.play().catch(() => {});
    });
    return [button];
  }

  function spoken(line) {
    const made = element("div", "spoken");
    made.append(alignment(line), ...player(line));
    return made;
  }

  function cell(column, line) {
    const made = element("td", column.numeric ? "number" : column.key);
    made.setAttribute("role", "cell");
    made.dataset.label = column.label;
    if (column.key === "said") made.append(spoken(line));
    else if (column.isolated) made.append(element("bdi", "", column.show(line)));
    else made.textContent = column.show(line);
    return made;
  }

  function row(line) {
    const made = element("tr");
    made.setAttribute("role", "row");
    made.append(...COLUMNS.map((column) => cell(column, line)));
    return made;
  }

  // What a search looks through: texts by any piece of them, errors as "five→nine" by the whole of them.
  function hay(line) {
    line.texts ??= [line.name, line.speaker, line.said, line.heard].join("\n").toLowerCase();
    return line.texts;
  }
  function errorsOf(line) {
    if (line.changes === undefined) {
      const wrong = [...places(line)].filter(([letter]) => letter !== "=");
      line.changes = new Set(wrong.map(([, said, heard]) => `${said}→${heard}`.toLowerCase()));
    }
    return line.changes;
  }
  function matches(line, sought) {
    return hay(line).includes(sought) || (sought.includes("→") && errorsOf(line).has(sought.replace(/\s*→\s*/, "→")));
  }

  // Unknown values come last, whichever way; of equal ones, by id.
  function compare(key, falling) {
    const numeric = COLUMNS.find((column) => column.key === key).numeric;
    return (a, b) => {
      const [one, other] = [a[key], b[key]];
      if (one === other) return collator.compare(a.name, b.name);
      if (one === null || other === null) return one === null ? 1 : -1;
      const order = numeric ? (one < other ? -1 : 1) : collator.compare(one, other);
      return falling ? -order : order;
    };
  }

  if (!lines.length) return;
  const [table, more, search, wrong, found] = ["utterances", "more", "search", "wrong", "found"].map(id);
  const body = table.tBodies[0];
  let sorted = { key: "name", falling: false };
  let chosen = [];
  let shown = 0;

  function grow() {
    const next = chosen.slice(shown, shown + BATCH);
    body.append(...next.map(row));
    shown += next.length;
    more.hidden = shown === chosen.length;
    more.textContent = `Show ${Math.min(BATCH, chosen.length - shown)} more of ${chosen.length - shown}`;
  }

  function update() {
    const sought = search.value.trim().toLowerCase();
    chosen = lines.filter((line) => (!wrong.checked || line.errors) && (!sought || matches(line, sought)));
    found.textContent = `${chosen.length.toLocaleString("en")} of ${lines.length.toLocaleString("en")} utterances`;
    body.replaceChildren();
    shown = 0;
    grow();
  }

  const heads = COLUMNS.map((column) => {
    const head = element("th", column.numeric ? "number" : column.key);
    head.scope = "col";
    head.setAttribute("role", "columnheader");
    const button = element("button", "sort", column.label);
    button.type = "button";
    button.addEventListener("click", () => {
      const again = sorted.key === column.key;
      sorted = { key: column.key, falling: again ? !sorted.falling : Boolean(column.numeric) };
      sort();
      update();
    });
    head.append(button);
    return head;
  });
  function sort() {
    lines.sort(compare(sorted.key, sorted.falling));
    COLUMNS.forEach((column, index) => {
      if (column.key === sorted.key) heads[index].setAttribute("aria-sort", sorted.falling ? "descending" : "ascending");
      else heads[index].removeAttribute("aria-sort");
    });
  }

  search.addEventListener("input", update);
  wrong.addEventListener("change", update);
  more.addEventListener("click", grow);
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && !more.hidden && grow(), {
    rootMargin: "800px",
  }).observe(more);
  for (const button of document.querySelectorAll("button.find")) {
    button.addEventListener("click", () => {
      search.value = button.dataset.search;
      update();
      id("all").scrollIntoView();
      search.focus({ preventScroll: true });
    });
  }
  // One sound at a time.
  document.addEventListener(
    "play",
    (event) => document.querySelectorAll("audio").forEach((audio) => audio !== event.target && audio.pause()),
    true,
  );

  table.tHead.rows[0].append(...heads);
  sort();
  update();
  table.hidden = false;
  id("tools").hidden = false;
})();
