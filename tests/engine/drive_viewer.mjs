// Uses the built viewer as a person would, in Chromium, at a real bridge, and writes down what happened.
// usage: node drive_viewer.mjs REQUEST.json OUT_FOLDER        (the request and told.json are those of test_viewer.py)
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [requestFile, out] = process.argv.slice(2);
const asked = JSON.parse(readFileSync(requestFile, "utf8"));
const flags = ["--no-sandbox", "--use-angle=gl-egl", "--ignore-gpu-blocklist", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--no-first-run", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
const told = {};
const log = join(out, "log.jsonl");

// A bridge as a process of its own, so that it can die.
async function bridge(more = {}) {
  const request = { dist: asked.dist, avatars: [asked.avatar], names: ["Ada"], token: "secret-token", log, port: 0, act: "idle", ...more };
  const child = spawn(asked.python, [asked.bridge, JSON.stringify(request)], { cwd: asked.root, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  const port = Number(value?.split(" ")[1]);
  if (!port) throw new Error(`the bridge did not start: ${value}`);
  return { port, address: `http://127.0.0.1:${port}/`, end: () => new Promise((done) => { child.once("exit", done); child.kill("SIGKILL"); }) };
}

const heard = () => { try { return readFileSync(log, "utf8").trim().split("\n").map((line) => JSON.parse(line)); } catch { return []; } };

async function open(address, { hash = "#token=secret-token", script = null, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.troubles = [];
  page.foreign = [];
  page.on("pageerror", (error) => page.troubles.push(String(error)));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.troubles.push(message.text()));
  page.on("request", (request) => { if (!request.url().startsWith(address) && !/^(blob|data):/.test(request.url())) page.foreign.push(request.url()); });
  if (script) await page.addInitScript({ path: script.path });
  if (script?.after) await page.addInitScript(script.after);
  await page.goto(address + hash);
  return page;
}
const shown = (page) => page.waitForFunction(() => performance.getEntriesByName("face-drawn").length > 0, null, { timeout: 30000, polling: 30 });
const close = (page) => page.context().close();

// A small picture of the canvas as numbers.
const look = (page) => page.evaluate(() => {
  const small = Object.assign(document.createElement("canvas"), { width: 96, height: 60 });
  const pen = small.getContext("2d");
  pen.drawImage(viewer.stage.drawNow(), 0, 0, 96, 60);
  return [...pen.getImageData(0, 0, 96, 60).data];
});
const unlike = (one, two) => one.reduce((sum, value, at) => sum + Math.abs(value - two[at]), 0) / one.length;

// In a browser that has just begun: when the pixels of the avatar are there.
async function firstPaint(at) {
  const fresh = await chromium.launch({ executablePath: asked.chromium, args: flags });
  try {
    const page = await (await fresh.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    await page.addInitScript(() => new PerformanceObserver((list) => {
      if (!list.getEntriesByName("face-drawn").length) return;
      const gl = viewer.stage.renderer.getContext();
      const done = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
      gl.flush();
      const look = () => (gl.clientWaitSync(done, 0, 0) === gl.TIMEOUT_EXPIRED ? setTimeout(look, 5) : performance.mark("pixels"));
      look();
    }).observe({ entryTypes: ["mark"] }));
    await page.goto(`${at.address}#token=secret-token`);
    await page.waitForFunction(() => performance.getEntriesByName("pixels").length > 0, null, { timeout: 30000, polling: 30 });
    return await page.evaluate(() => Object.fromEntries(performance.getEntriesByType("mark").map((each) => [each.name, Math.round(each.startTime)])));
  } finally {
    await fresh.close();
  }
}

async function first(at) {
  const marks = [];
  // Other jobs on the machine may get in the way of one.
  while (marks.length < 3 && !marks.some(({ pixels }) => pixels < 2000)) marks.push(await firstPaint(at));
  const page = await open(at.address, { viewport: { width: 840, height: 560 } });
  await shown(page);
  told.first = { marks, calls: await page.evaluate(() => viewer.stage.calls), hash: await page.evaluate(() => location.href + JSON.stringify(history.state)),
    policy: (await page.request.get(at.address)).headers()["content-security-policy"] };
  for (const act of [accessible, keyboard, sliders, views, files]) {
    const began = Date.now();
    await act(page);
    (told.tookMs ??= {})[act.name] = Date.now() - began;
  }
  await page.waitForTimeout(50);
  told.first.troubles = page.troubles;
  told.first.foreign = page.foreign;
  await close(page);
}

// What a screen reader is told of every control, tab by tab.
async function accessible(page) {
  const session = await page.context().newCDPSession(page);
  const roles = new Set(["button", "slider", "textbox", "searchbox", "combobox", "radio", "checkbox", "tab", "meter", "switch", "link"]);
  const found = [];
  for (const name of ["Pose", "Live", "Look", "About"]) {
    await page.getByRole("tab", { name }).click();
    await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    for (const node of nodes) if (!node.ignored && roles.has(node.role?.value)) found.push({ tab: name, role: node.role.value, name: node.name?.value ?? "" });
  }
  told.accessible = { found, regions: await page.evaluate(() => document.querySelectorAll("[role=status], [role=alert]").length) };
  await page.getByRole("tab", { name: "Pose" }).click();
}

async function keyboard(page) {
  await page.locator(".stage").focus();
  const before = await page.evaluate(() => viewer.stage.orbit.yaw);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((yaw) => viewer.stage.orbit.yaw > yaw + 5, before);
  const turned = (await page.evaluate(() => viewer.stage.orbit.yaw)) - before;
  await page.keyboard.press("Home");
  const stops = [];
  for (let at = 0; at < 120; at++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element.matches(".choice input") ? element.nextElementSibling : element);
      return { tag: element.tagName, name: element.getAttribute("aria-label") ?? element.textContent.slice(0, 30), shape: element.dataset?.shape ?? null,
        seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
    });
    if (stop.tag === "BODY") break;
    stops.push(stop);
  }
  await page.getByRole("tab", { name: "Pose" }).focus();
  await page.keyboard.press("ArrowRight");
  const tab = await page.evaluate(() => document.querySelector("[role=tab][aria-selected=true]").textContent);
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("button", { name: "Joy", exact: true }).focus();
  await page.keyboard.press("Enter");
  const smiles = await page.evaluate(() => viewer.face.posed.weights[43]);
  const search = page.getByRole("searchbox");
  await search.fill("blink");
  const found = await page.evaluate(() => [...document.querySelectorAll(".slider input[data-shape]")].filter((each) => each.checkVisibility()).map((each) => each.dataset.shape));
  await search.fill("");
  await page.getByRole("button", { name: "Reset all shapes" }).click();
  told.keyboard = { turned, stops, tab, smiles, found, reset: await page.evaluate(() => Math.max(...viewer.face.posed.weights)) };
}

// Each slider to its end by the keyboard, and where every vertex goes.
async function sliders(page) {
  await page.evaluate(() => {
    document.querySelectorAll("details").forEach((each) => { each.open = true; });
    const { stage } = viewer;
    window.places = () => {
      stage.pose(performance.now());
      viewer.avatar.root.updateMatrixWorld(true);
      const point = viewer.avatar.target.clone();
      return viewer.avatar.drawn.map(({ mesh }) => {
        const { count } = mesh.geometry.attributes.position;
        const placed = new Float32Array(count * 3);
        for (let at = 0; at < count; at++) mesh.getVertexPosition(at, point).toArray(placed, at * 3);
        return placed;
      });
    };
    window.rest = places();
    window.moved = () => {
      let text = "";
      for (const [mesh, now] of places().entries()) {
        const bytes = new Uint8Array(now.map((value, at) => value - window.rest[mesh][at]).buffer);
        for (let at = 0; at < bytes.length; at += 8190) text += btoa(String.fromCharCode(...bytes.subarray(at, at + 8190)));
      }
      return text;
    };
  });
  const parts = await page.evaluate(() => viewer.avatar.drawn.map(({ parts, mesh }) => ({ parts, count: mesh.geometry.attributes.position.count })));
  const shapes = await page.evaluate(() => [...document.querySelectorAll("input[data-shape]")].map((each) => each.dataset.shape));
  const rows = [];
  const texts = [];
  for (const shape of shapes) {
    await page.locator(`input[data-shape="${shape}"]`).focus();
    await page.keyboard.press("End");
    rows.push(Buffer.concat((await page.evaluate(() => moved())).match(/.{1,10920}/g).map((piece) => Buffer.from(piece, "base64"))));
    texts.push(await page.evaluate(() => document.activeElement.parentElement.querySelector("output").textContent));
    await page.keyboard.press("Home");
  }
  writeFileSync(join(out, "moved.f32"), Buffer.concat(rows));
  const still = await look(page);
  await page.locator('input[data-shape="jawOpen"]').focus();
  await page.keyboard.press("End");
  const open = await look(page);
  await page.keyboard.press("Home");
  const band = (from, to) => unlike(still.slice(from * 96 * 4, to * 96 * 4), open.slice(from * 96 * 4, to * 96 * 4));
  told.sliders = { parts, shapes, texts, brow: band(0, 22), chin: band(33, 48) };
}

async function views(page) {
  await page.getByRole("tab", { name: "Look" }).click();
  const pictures = {};
  for (const view of ["Shaded", "Wireframe", "Normals", "Base colour", "Normal map"]) {
    await page.getByRole("radio", { name: view, exact: true }).check({ force: true });
    pictures[view] = await look(page);
  }
  const names = Object.keys(pictures);
  told.views = Object.fromEntries(names.flatMap((one, at) => names.slice(at + 1).map((two) => [`${one} / ${two}`, unlike(pictures[one], pictures[two])])));
  await page.getByRole("radio", { name: "Shaded", exact: true }).check({ force: true });
  told.views.back = unlike(pictures.Shaded, await look(page));
  const light = await look(page);
  await page.getByRole("radio", { name: "Dark", exact: true }).check({ force: true });
  const dark = await look(page);
  const mean = (picture) => picture.reduce((sum, value) => sum + value, 0) / picture.length;
  told.tones = { light: mean(light), dark: mean(dark), chosen: await page.evaluate(() => document.documentElement.dataset.tone) };
  await page.getByRole("radio", { name: "Automatic", exact: true }).check({ force: true });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => document.documentElement.dataset.tone === "dark", null, { timeout: 3000 }).catch(() => undefined);
  told.tones.automatic = await page.evaluate(() => document.documentElement.dataset.tone);
  await page.emulateMedia({ colorScheme: "light" });
}

async function files(page) {
  const saved = async (name, act) => {
    const [download] = await Promise.all([page.waitForEvent("download"), act()]);
    await download.saveAs(join(out, name));
    return download.suggestedFilename();
  };
  told.files = {};
  told.files.picture = await saved("picture.png", () => page.getByRole("button", { name: "Save a picture" }).click());
  await page.getByRole("button", { name: "Record a film" }).click();
  await page.waitForTimeout(800);
  told.files.film = await saved("film.webm", () => page.getByRole("button", { name: "Stop the film" }).click());
  // A clip of ours: from rest to a wide open jaw in a second.
  await page.locator('input[type=file][accept*=".glb"]').setInputFiles(asked.clip);
  await page.waitForFunction(() => viewer.face.source === "clip" && viewer.face.clipS > 0.3);
  await page.evaluate(() => { viewer.face.playing = false; viewer.face.clipS = 0.5; viewer.face.stale = true; viewer.stage.pose(performance.now()); });
  told.files.clip = await page.evaluate(() => ({ jaw: viewer.face.last.weights[24], seconds: viewer.face.clip.durationS, alarm: document.querySelector(".alarm").textContent }));
  await page.locator('input[type=file][accept*=".glb"]').setInputFiles(asked.npz);
  await page.waitForFunction(() => viewer.face.clip.name.endsWith(".npz"));
  told.files.npz = await page.evaluate(() => { const { clip } = viewer.face; const pose = clip.at(clip.durationS); return { jaw: pose.weights[24], head: pose.head, left: pose.eyes.left, tongue: pose.weights[52] }; });
  await page.locator('input[type=file][accept*=".glb"]').setInputFiles({ name: "broken.glb", mimeType: "model/gltf-binary", buffer: Buffer.from("no avatar at all") });
  await page.waitForFunction(() => document.querySelector(".alarm").textContent);
  told.files.broken = await page.evaluate(() => document.querySelector(".alarm").textContent);
  // Another avatar, which brings a performance of its own.
  await page.getByRole("tab", { name: "Pose" }).click();
  await page.locator('input[type=file][accept*=".glb"]').setInputFiles(asked.talking);
  await page.waitForFunction(() => viewer.face.clip?.name === "talk");
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.waitForFunction(() => viewer.face.source === "clip" && viewer.face.clipS > 0);
  told.files.talk = await page.evaluate(() => { const { clip } = viewer.face; const pose = clip.at(0.5); return { seconds: clip.durationS, jaw: pose.weights[24], tongue: pose.weights[52], head: pose.head, name: viewer.face.name }; });
}

async function performance_(at) {
  const page = await open(at.address, { viewport: { width: 900, height: 620 } });
  await shown(page);
  await page.getByRole("tab", { name: "Live" }).click();
  await page.getByLabel("Emotion").selectOption("joy");
  await page.getByRole("button", { name: "Wink left" }).click();
  await page.locator(".pad").focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowUp");
  await page.getByLabel("Head motion").focus();
  await page.keyboard.press("End");
  await page.getByLabel("Say", { exact: true }).fill("Hello there");
  await page.getByRole("button", { name: "Speak" }).click();
  await page.getByRole("button", { name: "Interrupt" }).click();
  await page.getByRole("button", { name: "Panic" }).click();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.locator('input[type=file][accept="audio/*"]').setInputFiles(asked.sound);
  await page.waitForTimeout(900);
  const asks = heard();
  await page.getByRole("button", { name: "Microphone" }).click();
  await page.waitForTimeout(1300);
  await page.getByRole("button", { name: "Microphone" }).click();
  await page.waitForTimeout(200);
  told.performance = { asks, spoken: heard().slice(asks.length), troubles: page.troubles };
  await close(page);
}

async function together(at) {
  const page = await open(at.address, { viewport: { width: 1100, height: 700 } });
  await shown(page);
  await page.waitForFunction(() => viewer.stage.faces.size === 2 && viewer.stage.shown.length === 2);
  const names = await page.locator(".labels button").allTextContents();
  await page.locator(".labels button").nth(1).click();
  const cells = await page.evaluate(() => viewer.stage.cells());
  await page.getByRole("tab", { name: "About" }).click();
  told.together = { names, cells, active: await page.evaluate(() => viewer.active), hacked: await page.evaluate(() => window.hacked ?? null), images: await page.evaluate(() => document.images.length),
    title: await page.title(), about: await page.locator("#app [role=tabpanel]:not([hidden])").textContent(), troubles: page.troubles };
  await close(page);
}

// Splats ride on the mesh: where they are in a pose, what they cost, and what is seen of them.
async function splats() {
  const at = await bridge({ avatars: [asked.splats], names: ["Ana"] });
  const page = await open(at.address, { viewport: { width: 800, height: 400 } }); // small: software GL draws what a GPU would
  await shown(page);
  await page.evaluate(() => viewer.stage.renderer.setAnimationLoop(null)); // and draws only what is looked at
  // Pixels of the chin's colour: how many, and the middle of their rows.
  const magenta = async () => {
    const all = await look(page);
    const found = Array.from({ length: all.length / 4 }, (_, pixel) => pixel).filter((pixel) => Math.min(all[4 * pixel] - 20, all[4 * pixel + 2]) > all[4 * pixel + 1] + 40);
    return { count: found.length, row: found.reduce((sum, pixel) => sum + Math.floor(pixel / 96), 0) / found.length };
  };
  told.splats = { calls: await page.evaluate(() => viewer.stage.calls), count: await page.evaluate(() => viewer.avatar.splats.count), calm: await magenta() };
  await page.getByRole("tab", { name: "Look" }).click();
  for (const [name, radio] of [["mesh", "Mesh"], ["both", "Mesh and splats"], ["other", "Base colour"]]) {
    await page.getByRole("radio", { name: radio, exact: true }).check({ force: true });
    told.splats[name] = await magenta();
  }
  await page.getByRole("radio", { name: "Shaded", exact: true }).check({ force: true });
  await page.evaluate(({ weights }) => {
    for (const [at, weight] of weights) viewer.face.pose(at, weight);
    viewer.stage.pose(performance.now());
  }, asked.pose);
  told.splats.open = await magenta();
  await page.evaluate(({ head }) => {
    viewer.face.posed.head = head;
    viewer.face.stale = true;
    viewer.stage.pose(performance.now());
    viewer.avatar.prepare(viewer.stage.orbit.camera, 800, 400);
  }, asked.pose);
  told.splats.places = await page.evaluate(() => Array.from({ length: Math.ceil(viewer.avatar.splats.count / 50) }, (_, at) => viewer.avatar.splats.place(at * 50)));
  told.splats.tookMs = await page.evaluate(() => Array.from({ length: 40 }, (_, at) => {
    viewer.face.pose(at % 52, 0.5);
    viewer.stage.pose(performance.now());
    viewer.avatar.prepare(viewer.stage.orbit.camera, 480, 300);
    return viewer.avatar.splats.tookMs;
  }));
  told.splats.troubles = page.troubles;
  await close(page);
  await at.end();
}

async function phone(at) {
  const page = await open(at.address, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
  await shown(page);
  told.phone = { wide: [], small: [], outside: [] };
  for (const name of ["Pose", "Live", "Look", "About"]) {
    await page.getByRole("tab", { name }).tap();
    const seen = await page.evaluate(() => {
      const targets = [...document.querySelectorAll("button, select, textarea, input:not([type=file]), summary, .pad")].filter((each) => each.checkVisibility());
      const box = (each) => (each.matches("[type=radio]") ? each.parentElement : each.matches("[type=checkbox]") ? each.parentElement : each).getBoundingClientRect();
      const words = (each) => `${each.tagName} ${each.id || each.textContent.slice(0, 20)}`;
      return { wide: document.documentElement.scrollWidth, pages: document.querySelector(".pages").scrollWidth - document.querySelector(".pages").clientWidth,
        small: targets.filter((each) => Math.min(box(each).width, box(each).height) < 43.5).map(words),
        outside: targets.filter((each) => box(each).left < -0.5 || box(each).right > 390.5).map(words) };
    });
    told.phone.wide.push(seen.wide, seen.pages);
    told.phone.small.push(...seen.small);
    told.phone.outside.push(...seen.outside);
  }
  await close(page);
}

async function headset(at) {
  const script = { path: asked.iwer, after: () => { const device = new IWER.XRDevice(IWER.metaQuest3); device.installRuntime({ forceInstall: true }); window.device = device; } };
  const page = await open(at.address, { viewport: { width: 640, height: 480 }, script });
  await shown(page);
  await page.getByRole("button", { name: "Enter VR" }).click();
  await page.waitForFunction(() => viewer.stage.renderer.xr.isPresenting, null, { timeout: 10000 });
  const before = await page.evaluate(() => viewer.stage.drawn);
  await page.waitForFunction((drawn) => viewer.stage.drawn > drawn + 2, before, { timeout: 10000 });
  const calls = await page.evaluate(() => viewer.stage.calls);
  const place = await page.evaluate(() => viewer.avatar.root.position.clone().add(viewer.avatar.target).toArray());
  await page.evaluate(() => viewer.stage.renderer.xr.getSession().end());
  await page.waitForFunction(() => !viewer.stage.renderer.xr.isPresenting);
  told.headset = { calls, place, back: await page.evaluate(() => viewer.avatar.root.position.toArray()), troubles: page.troubles };
  await close(page);
}

// Sound and face of the same media time: when one is heard and the other drawn.
async function inStep() {
  // A light avatar in a small window: a renderer without a GPU shows it often enough to tell 15 ms.
  const at = await bridge({ act: "click", avatars: [asked.light] });
  const page = await open(at.address, { viewport: { width: 320, height: 280 } });
  await shown(page);
  await page.locator("h1").click({ force: true, position: { x: 1, y: 1 } }).catch(() => undefined);
  await page.mouse.click(200, 100);
  await page.waitForFunction(() => viewer.player.running);
  await page.waitForTimeout(3000);
  await page.evaluate(() => {
    window.faces = [];
    window.sounds = [];
    const pose = viewer.stage.pose;
    let open = false;
    viewer.stage.pose = (now) => {
      const moved = pose(now);
      const isOpen = (viewer.face?.last.weights[24] ?? 0) > 0.5;
      if (isOpen && !open) window.faces.push(performance.now() / 1000 + 0.016); // seen with the next refresh
      open = isOpen;
      return moved;
    };
    let last = -1;
    setInterval(() => {
      const at = viewer.player.onsetHeardS;
      if (at > 0 && Math.abs(at - last) > 0.5) window.sounds.push((last = at));
    }, 10);
  });
  await page.waitForTimeout(5200);
  told.step = await page.evaluate(() => ({ faces: window.faces, sounds: window.sounds, delayS: viewer.player.delayS, latencyS: viewer.player.latencyS }));
  // And the same with everything gone and come back.
  const gone = Date.now();
  await at.end();
  await page.waitForFunction(() => viewer.connection.state === "waiting");
  told.restart = { noticedMs: Date.now() - gone };
  await page.waitForTimeout(1500);
  const again = await bridge({ act: "idle", port: at.port });
  const began = Date.now();
  await page.waitForFunction(() => viewer.connection.state === "live", null, { timeout: 10000, polling: 20 });
  told.restart.backMs = Date.now() - began;
  await page.waitForFunction(() => viewer.face.frames.flowing(performance.now() / 1000));
  told.restart.flowsMs = Date.now() - began;
  await close(page);
  await again.end();
}

async function strangers(at) {
  const page = await open(at.address, { hash: "" });
  await page.waitForFunction(() => window.viewer);
  await page.getByRole("tab", { name: "Live" }).click();
  const asks = await page.getByText("Not connected to a bridge").isVisible();
  await page.getByLabel("Pairing code").fill("12345678");
  await page.getByRole("button", { name: "Connect" }).click();
  await page.waitForFunction(() => viewer.connection.state === "live");
  const token = await page.evaluate(() => sessionStorage.getItem("avatar3d.token"));
  await close(page);
  const wrong = await open(at.address, { hash: "#token=wrong" });
  await wrong.waitForFunction(() => viewer.connection.state === "refused");
  await wrong.waitForTimeout(600);
  told.strangers = { asks, token: Boolean(token), refused: await wrong.evaluate(() => [viewer.connection, document.querySelector(".alarm").textContent, location.hash]) };
  await close(wrong);
}

const browser = await chromium.launch({ executablePath: asked.chromium, args: flags });
try {
  const at = await bridge({ pair: "12345678", act: "silent" });
  const two = await bridge({ avatars: [asked.hostile, asked.avatar], names: asked.names });
  for (const [name, act] of Object.entries({ first: () => first(at), performance: () => performance_(at), phone: () => phone(at), together: () => together(two), headset: () => headset(at), splats, strangers: () => strangers(at), step: inStep })) {
    if (asked.only && !asked.only.includes(name)) continue;
    const began = Date.now();
    try {
      await act();
    } catch (error) {
      told[`${name}_failed`] = String(error.stack ?? error);
    }
    (told.tookMs ??= {})[name] = Date.now() - began;
  }
  await Promise.all([at.end(), two.end()]);
} finally {
  await browser.close();
  writeFileSync(join(out, "told.json"), JSON.stringify(told));
}
