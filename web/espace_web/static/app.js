// What pages gain with JavaScript. Everything here has a way without it.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const post = (url, body, keepalive = false) =>
  fetch(url, { method: "POST", body, keepalive, headers: { Accept: "application/json", "X-Jeton": document.body.dataset.token }, redirect: "error" });

// Fields that depend on a choice
function conditional() {
  const inputs = $$("input[data-aria-controls]");
  const show = () => inputs.forEach((input) => {
    const part = document.getElementById(input.dataset.ariaControls);
    part.classList.toggle("govuk-radios__conditional--hidden", !input.checked);
  });
  for (const input of inputs) {
    input.setAttribute("aria-controls", input.dataset.ariaControls);
    $$(`input[name="${CSS.escape(input.name)}"]`).forEach((one) => one.addEventListener("change", show));
  }
  show();
}

// Errors: the summary takes the focus, its links lead to the fields
function errorSummary() {
  const summary = $(".govuk-error-summary");
  if (!summary) return;
  summary.focus();
  summary.addEventListener("click", (event) => {
    const id = event.target.closest("a")?.hash.slice(1);
    const field = id && document.getElementById(id);
    if (!field) return;
    event.preventDefault();
    (field.closest("fieldset")?.querySelector("legend") ?? $(`label[for="${CSS.escape(id)}"]`) ?? field).scrollIntoView();
    field.focus({ preventScroll: true });
  });
}

// Menus of the header close on Escape and on a click elsewhere
function menus() {
  const all = $$("details[data-menu]");
  document.addEventListener("click", (event) => all.forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && all.find((menu) => menu.open);
    if (open) { open.open = false; $("summary", open).focus(); }
  });
}

// A form that must count once does not go twice
function once() {
  for (const form of $$("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
      setTimeout(() => delete form.dataset.sent, 30000);
    });
  }
}

// The draft saves itself and says so
function autosave() {
  const form = $("form[data-autosave]");
  if (!form) return;
  const state = $("[data-saved-state]", form);
  const say = (text, tone) => { state.textContent = text; state.className = `me-saved ${tone}`; };
  let timer = 0, running = false, again = false, sending = false;
  const snapshot = () => new URLSearchParams(new FormData(form));
  async function save() {
    timer = 0;
    if (sending) return;
    if (running) { again = true; return; }
    running = true;
    say(form.dataset.saving, "");
    try {
      const answer = await post(form.getAttribute("action"), snapshot());
      const data = await answer.json();
      if (sending) return;
      if (answer.ok) {
        form.elements.version.value = data.version;
        const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
        say(form.dataset.saved.replace("{time}", time), "is-good");
      } else {
        say(answer.status === 401 ? form.dataset.over : data.error, "is-bad");
      }
    } catch {
      say(form.dataset.failed, "is-bad");
      timer = setTimeout(save, 10000);
    } finally {
      running = false;
      if (again) { again = false; save(); }
    }
  }
  const soon = (delay) => { clearTimeout(timer); timer = setTimeout(save, delay); };
  form.addEventListener("input", () => soon(1200));
  form.addEventListener("change", () => soon(300));
  form.addEventListener("submit", async (event) => {
    clearTimeout(timer);
    if (!running || sending) { sending = true; return; }
    event.preventDefault(); // the version sent has to be the newest
    const button = event.submitter;
    while (running) await new Promise((done) => setTimeout(done, 50));
    clearTimeout(timer);
    form.requestSubmit(button);
  });
  addEventListener("pageshow", () => { sending = false; });
  // left before a save was due
  addEventListener("pagehide", () => { if (timer && !sending) post(form.getAttribute("action"), snapshot(), true).catch(() => {}); });
}

// Files: chosen or dropped, hashed here, sent to the store by a signed form
function uploads() {
  const form = $("form[data-upload]");
  if (!form || !globalThis.crypto?.subtle) return;
  const drop = $("[data-drop]", form), input = $("input[type=file]", form), list = $("[data-progress]", form);
  const words = form.dataset, live = $("[data-live]", form);
  $$("[data-js-only]", form).forEach((part) => { part.hidden = false; });
  $("[data-plain]", form).hidden = true;
  drop.classList.add("is-js");
  input.multiple = true;
  $("[data-pick]", form).addEventListener("click", () => input.click());
  input.addEventListener("change", () => { take([...input.files]); input.value = ""; });
  let depth = 0;
  const over = (by) => { depth = by ? Math.max(0, depth + by) : 0; drop.classList.toggle("is-over", depth > 0); };
  drop.addEventListener("dragenter", (event) => { event.preventDefault(); over(1); });
  drop.addEventListener("dragleave", () => over(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => { over(0); take([...event.dataTransfer.files]); });
  form.addEventListener("submit", (event) => event.preventDefault());

  let queue = Promise.resolve(), failed = 0, waiting = 0;
  function take(files) {
    if (!waiting) failed = 0; // what failed before was said
    waiting += files.length;
    for (const file of files) queue = queue.then(() => bring(file)).then(() => {
      waiting -= 1; // leave when nothing is on its way
      if (!waiting && !failed) location.assign(`${location.pathname}?ajoute=1`);
    });
  }

  async function bring(file) {
    const row = document.createElement("li"), name = document.createElement("strong");
    const bar = document.createElement("progress"), status = document.createElement("span");
    name.textContent = file.name;
    bar.max = 1; bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    row.append(name, bar, status);
    list.append(row);
    const say = (text) => { status.textContent = text; live.textContent = `${file.name} : ${text}`; };
    try {
      if (!file.size) throw new Told(words.textEmpty);
      if (file.size > Number(words.max)) throw new Told(words.textLarge);
      say(words.textHash);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const cle = crypto.randomUUID();
      const prepared = await ask(`${form.action}/preparation`, { nom: file.name, taille: file.size, type: file.type, sha256, cle });
      say(words.textSending);
      await send(prepared.form, file, (part) => { bar.value = part; });
      say(words.textChecking);
      await ask(`${form.action}/fin`, { document: prepared.document_id, cle });
      bar.value = 1;
      say(words.textDone);
    } catch (error) {
      failed += 1;
      bar.remove();
      status.className = "is-bad";
      status.setAttribute("role", "alert");
      say(error instanceof Told ? error.message : words.textFailed);
      const retry = document.createElement("button");
      retry.type = "button";
      retry.className = "me-linkbutton";
      retry.textContent = words.textRetry;
      retry.addEventListener("click", () => { row.remove(); take([file]); });
      row.append(retry);
    }
  }

  async function ask(url, values) {
    const answer = await post(url, new URLSearchParams(values));
    const data = await answer.json().catch(() => ({}));
    if (answer.status === 401) throw new Told(words.textOver);
    if (!answer.ok) throw new Told(data.error ?? words.textFailed);
    return data;
  }

  function send(signed, file, progress) {
    return new Promise((done, fail) => {
      const data = new FormData(), request = new XMLHttpRequest();
      for (const [key, value] of Object.entries(signed.fields)) data.append(key, value);
      data.append("file", file);
      request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) progress(event.loaded / event.total); });
      request.addEventListener("load", () => (request.status < 300 ? done() : fail(new Error(String(request.status)))));
      request.addEventListener("error", () => fail(new Error("network")));
      request.open("POST", signed.url);
      request.send(data);
    });
  }
}
class Told extends Error {}

// Five minutes before the session ends the page says so
function expiry() {
  const seconds = Number(document.body.dataset.sessionSeconds), box = $("[data-expiry]");
  if (!seconds || !box) return;
  const text = $("#expiry-text"), stay = $("[data-stay]"), again = $("[data-again]"), first = text.textContent;
  let timers = [];
  const start = () => {
    timers.forEach(clearTimeout);
    box.hidden = true;
    stay.hidden = false;
    again.hidden = true;
    text.textContent = first;
    timers = [setTimeout(() => { box.hidden = false; stay.focus(); }, (seconds - 300) * 1000), setTimeout(over, seconds * 1000)];
  };
  const over = () => { box.hidden = false; text.textContent = text.dataset.over; stay.hidden = true; again.hidden = false; };
  const real = globalThis.fetch;
  globalThis.fetch = async (...given) => { const answer = await real(...given); if (answer.ok) start(); return answer; };
  stay.addEventListener("click", async () => {
    const answer = await post("/session/prolonger").catch(() => null);
    if (answer && !answer.ok) over();
  });
  start();
}

for (const part of [conditional, errorSummary, menus, once, autosave, uploads, expiry]) part();
