/**
 * The page: four forms around one picture.
 *
 * @module
 */

import { events, lookAround, post, ProblemError } from "./api.js";

const $ = (id) => document.getElementById(id);

/** The picture at hand: a file for the API, or nothing yet. */
let picture;

/** What is under way, to be stopped. */
let running;

/** Settles when it has ended. */
let finished = Promise.resolve();

$("draw-form").addEventListener("submit", (event) => {
  event.preventDefault();
  run($("draw-stop"), $("draw-button"), draw);
});
$("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  run($("ask-stop"), $("ask-button"), ask);
});
$("tokenize").addEventListener("click", () => {
  run(undefined, $("tokenize"), tokenize);
});
$("detokenize").addEventListener("click", () => {
  run(undefined, $("detokenize"), detokenize);
});
$("file").addEventListener("change", async () => {
  const [file] = $("file").files;
  if (file === undefined) return;
  clearError();
  $("answer").textContent = "";
  await show(file, file.name).catch(tell);
  $("facts").textContent = "From a file";
});
for (const id of ["draw-stop", "ask-stop"]) {
  $(id).addEventListener("click", () => running?.abort());
}
await settle();

/** Draws, and shows rows as they come. */
async function draw(signal) {
  const prompt = $("prompt").value;
  const body = { prompt, ratio: $("ratio").value, preview: true };
  if ($("seed").value !== "") body.seed = Number($("seed").value);
  if ($("guidance").value !== "") {
    body.guidance_scale = Number($("guidance").value);
  }
  const response = await post("/v1/generate", JSON.stringify(body), {
    accept: "text/event-stream",
    signal,
  });
  let size;
  for await (const { event, data } of events(response)) {
    if (event === "queued" && data.position > 0) {
      $("facts").textContent = `${data.position} before this one…`;
    } else if (event === "started") {
      size = data.grid;
      startFrame(size, prompt);
      $("facts").textContent =
        `Drawing ${size.height} rows, seed ${data.seed}…`;
    } else if (event === "row") {
      $("progress").value = (data.index + 1) / size.height;
      $("picture").src = dataUrl(data.preview);
    } else if (event === "completed") {
      const [image] = data.images;
      await show(fileOf(image), prompt);
      $("facts").textContent =
        `Seed ${data.seed}, ${image.width} × ${image.height} pixels, ` +
        `${data.usage.image_tokens} tokens in ${
          data.timings.decode_s.toFixed(1)
        } s`;
      write(image.grid.codes);
    }
  }
}

/** Asks about the picture, and shows the answer as it comes. */
async function ask(signal) {
  const form = new FormData();
  form.set("image", needPicture());
  form.set("question", $("question").value);
  $("answer").textContent = "…";
  const response = await post("/v1/caption", form, {
    accept: "text/event-stream",
    signal,
  });
  let text = "";
  for await (const { event, data } of events(response)) {
    if (event === "delta") text += data.text;
    $("answer").textContent = text.trim() || "…";
  }
  if (text.trim() === "") $("answer").textContent = "(It said nothing.)";
}

/** The picture's codes. */
async function tokenize(signal) {
  const file = needPicture();
  const response = await post("/v1/tokenize", file, {
    accept: "application/json",
    type: file.type,
    signal,
  });
  const { grid, clip } = await response.json();
  if (grid === undefined) {
    throw new ProblemError(
      `This is a clip of ${clip.frames} code frames: the page shows stills.`,
    );
  }
  write(grid.codes);
}

/** A picture of the codes as they stand there. */
async function detokenize(signal) {
  const codes = $("grid").value.trim().split("\n").map((row) =>
    row.trim().split(/[\s,]+/).map(Number)
  );
  const response = await post(
    "/v1/detokenize",
    JSON.stringify({
      grid: { codes },
    }),
    { accept: "image/png", signal },
  );
  await show(await response.blob(), "A picture made from codes");
  $("facts").textContent = "Made from codes";
}

/** Stops what runs, then runs `task`; says what went wrong, unless stopped. */
async function run(stop, button, task) {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const previous = finished;
  finished = (async () => {
    await previous;
    if (!controller.signal.aborted) {
      await attempt(controller, stop, button, task);
    }
  })();
  await finished;
}

async function attempt({ signal }, stop, button, task) {
  clearError();
  button.disabled = true;
  if (stop) stop.hidden = false;
  try {
    await task(signal);
  } catch (error) {
    if (!signal.aborted) tell(error);
    // A picture that is not whole cannot be asked about, so there is none.
    if (task === draw) $("facts").textContent = "Stopped";
  } finally {
    button.disabled = false;
    if (stop) stop.hidden = true;
    $("progress").hidden = true;
  }
}

function startFrame({ height, width }, prompt) {
  picture = undefined;
  $("file").value = "";
  $("answer").textContent = "";
  $("save").hidden = true;
  $("empty").hidden = true;
  $("progress").value = 0;
  $("progress").hidden = false;
  $("frame").style.aspectRatio = `${width} / ${height}`;
  $("picture").alt = prompt;
  $("picture").removeAttribute("src");
  $("picture").hidden = false;
}

/** Puts a whole picture into the frame. */
async function show(file, alt) {
  picture = file;
  const url = URL.createObjectURL(file);
  const image = $("picture");
  const before = image.src;
  image.src = url;
  image.alt = alt;
  image.hidden = false;
  $("empty").hidden = true;
  $("save").href = url;
  $("save").hidden = false;
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  await image.decode().catch(() => {
    throw new ProblemError("The browser cannot show this file.");
  });
  $("frame").style.aspectRatio =
    `${image.naturalWidth} / ${image.naturalHeight}`;
}

function write(rows) {
  const width = Math.max(...rows.flat().map((code) => `${code}`.length));
  $("grid").value = rows
    .map((row) => row.map((code) => `${code}`.padStart(width)).join(" "))
    .join("\n");
  $("codes-facts").textContent = `${rows.length} rows of ${
    rows[0].length
  } codes`;
}

function needPicture() {
  if (picture !== undefined) return picture;
  throw new ProblemError("There is no picture yet: draw one or choose a file.");
}

function dataUrl({ b64_json: base64, mime_type: type }) {
  return `data:${type};base64,${base64}`;
}

function fileOf({ b64_json: base64, mime_type: type }) {
  const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
  return new Blob([bytes], { type });
}

function tell(error) {
  $("error").textContent = error instanceof ProblemError
    ? error.message
    : "The server cannot be reached.";
  $("error").hidden = false;
}

function clearError() {
  $("error").hidden = true;
}

/** Waits for the models, then shows what they can do. */
async function settle() {
  const around = await lookAround().catch(() => undefined);
  const ready = around?.state === "ready";
  $("state").textContent = around === undefined
    ? "The server cannot be reached."
    : ready
    ? `Ready: ${around.names.join(", ")}`
    : around.state === "loading"
    ? "The model is loading…"
    : "The model failed to load; the server's log says why.";
  const loading = around?.state === "loading";
  $("start").hidden = !loading;
  if (loading) showStart(around.phases);
  if (!ready) {
    setTimeout(settle, loading ? 500 : 2000);
    return;
  }
  const { capabilities } = around;
  $("draw").hidden = !capabilities.has("generate");
  $("ask").hidden = !capabilities.has("caption");
  $("tokenize").hidden = !capabilities.has("tokenize");
  $("detokenize").hidden = !capabilities.has("detokenize");
  $("codes").hidden = $("tokenize").hidden && $("detokenize").hidden;
  $("examples").replaceChildren(...around.examples.map(exampleButton));
}

/** What loads at the moment, and how far bytes are that are on their way. */
function showStart(phases) {
  const running = phases.filter(({ seconds }) => seconds === undefined);
  const transfers = running.flatMap(({ transfer }) => transfer ?? []);
  const sum = (field) =>
    transfers.reduce((total, transfer) => total + (transfer[field] ?? 0), 0);
  const bar = $("start-bar");
  const all = sum("total_bytes");
  if (all > 0) bar.value = sum("bytes") / all;
  else bar.removeAttribute("value");
  const rate = sum("bytes_per_second");
  const doing = running.map(({ model, name }) => `${model}: ${name}`);
  if (all > 0) doing.push(`${gigabytes(sum("bytes"))} of ${gigabytes(all)}`);
  if (rate > 0) {
    const left = Math.ceil((all - sum("bytes")) / rate);
    doing.push(`${gigabytes(rate)}/s`, `${left} s left`);
  }
  $("start-facts").textContent = doing.join(" · ");
}

function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function exampleButton(text) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", () => {
    $("prompt").value = text;
    $("draw-form").requestSubmit();
  });
  return button;
}
