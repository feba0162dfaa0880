// The page around the avatar: name, badge, state, tools, and the panel with its tabs.
import type { App } from "../app";
import { MARK } from "../stage/mark";
import { Recorder } from "../stage/pictures";
import type { Tone } from "../stage/studio";
import { button, freshId, h, iconButton, press } from "./dom";
import { livePanel } from "./live_panel";
import { aboutPanel, lookPanel } from "./look_panel";
import { posePanel } from "./pose_panel";

const TONE = "avatar3d.tone";
const SAID_MS = 6000;

export function buildShell(root: HTMLElement, stageHost: HTMLElement, make: () => App): App {
  const name = h("h1", {}, "avatar3d");
  const badge = h("span", { class: "badge" }, MARK);
  const state = h("span", { class: "state", role: "status" });
  const message = h("div", { class: "toast", role: "status", "aria-live": "polite" });
  const alarm = h("div", { class: "toast alarm", role: "alert" });
  const labels = h("div", { class: "labels" });
  const tools = h("div", { class: "tools", role: "toolbar", "aria-label": "Stage" });
  const panel = h("aside", { class: "panel", "aria-label": "Controls" });
  const drop = h("div", { class: "drop", hidden: true }, "Drop an avatar, a clip or a sound");
  const busy = h("div", { class: "busy" }, "Loading the avatar");
  const keys = h("p", { class: "hidden-words", id: freshId("keys") }, "Arrow keys walk around the face, plus and minus go nearer and further, Home returns to the front.");
  stageHost.setAttribute("aria-describedby", keys.id);
  root.append(stageHost, keys, labels, h("header", {}, name, h("div", { class: "marks" }, badge, state)), busy, tools, panel, message, alarm, drop);

  const app = make();
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const still = () => { app.stage.orbit.still = calm.matches; if (calm.matches) app.stage.orbit.turning = false; app.changed(); };
  calm.addEventListener("change", still);

  // Light and dark --------------------------------------------------------------------------------------------------
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let tone: Tone | "auto" = (localStorage.getItem(TONE) as Tone | null) ?? "auto";
  const paint = () => {
    const now: Tone = tone === "auto" ? (dark.matches ? "dark" : "light") : tone;
    document.documentElement.dataset.tone = now;
    app.stage.tone(now);
  };
  const setTone = (next: Tone | "auto") => {
    tone = next;
    if (next === "auto") localStorage.removeItem(TONE);
    else localStorage.setItem(TONE, next);
    paint();
  };
  dark.addEventListener("change", paint);

  // Tools --------------------------------------------------------------------------------------------------------------
  const sound = iconButton("sound", "Sound", () => {
    if (!app.player.running) {
      muted = false;
      void app.player.start();
    } else muted = !muted;
    app.player.mute(muted);
    app.changed();
  });
  let muted = false;
  const turn = iconButton("turn", "Turn by itself", () => { app.stage.orbit.turning = !app.stage.orbit.turning; app.stage.touch(); app.changed(); });
  const home = iconButton("home", "Back to the front", () => app.stage.orbit.home());
  const shot = iconButton("camera", "Save a picture", () => void app.takePicture());
  const film = iconButton("record", "Record a film", () => app.toggleFilm(), { hidden: !Recorder.supported });
  const grid = iconButton("grid", "All faces together", () => app.together(app.stage.shown.length < 2), { hidden: true });
  const headset = iconButton("headset", "Enter VR", () => void enterHeadset(app), { hidden: true });
  tools.append(sound, turn, home, grid, shot, film, headset);
  void navigator.xr?.isSessionSupported("immersive-vr").then((yes) => { headset.hidden = !yes; }).catch(() => undefined);
  // A page may sound after its first click or key.
  const wake = () => {
    if (app.connection.state === "live" && !app.player.running) void app.player.start();
  };
  addEventListener("pointerdown", wake, { capture: true });
  addEventListener("keydown", wake, { capture: true });

  // Tabs ---------------------------------------------------------------------------------------------------------------
  const pages: [string, HTMLElement][] = [["Pose", posePanel(app)], ["Live", livePanel(app)], ["Look", lookPanel(app, setTone)], ["About", aboutPanel(app)]];
  const tabs = pages.map(([label, page], at) => {
    const id = freshId("tab");
    page.id = `${id}-page`;
    page.setAttribute("role", "tabpanel");
    page.setAttribute("aria-labelledby", id);
    page.classList.add("page");
    return button(label, () => open(at), { id, role: "tab", "aria-controls": page.id });
  });
  const open = (at: number) => {
    tabs.forEach((tab, number) => {
      tab.setAttribute("aria-selected", String(number === at));
      tab.tabIndex = number === at ? 0 : -1;
      pages[number]![1].hidden = number !== at;
    });
    app.changed();
  };
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Controls" }, ...tabs);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.length, End: tabs.length }[event.key];
    if (!step) return;
    const now = tabs.findIndex((tab) => tab === document.activeElement);
    const next = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : (now + step + tabs.length) % tabs.length;
    open(next);
    tabs[next]!.focus();
    event.preventDefault();
  });
  panel.append(list, h("div", { class: "pages" }, ...pages.map(([, page]) => page)));
  const room = () => {
    const phone = matchMedia("(max-width: 760px)").matches;
    app.stage.inset(phone ? 44 : 0, phone ? 0 : panel.offsetWidth + 16, phone ? panel.offsetHeight : 0);
    nameCells(app, labels);
  };
  new ResizeObserver(room).observe(panel);
  addEventListener("resize", room);

  // Files dropped -----------------------------------------------------------------------------------------------------
  addEventListener("dragover", (event) => { event.preventDefault(); drop.hidden = false; });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.hidden = true; });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.hidden = true;
    for (const file of event.dataTransfer?.files ?? []) void app.open(file);
  });

  // What changes -------------------------------------------------------------------------------------------------------
  let silence: ReturnType<typeof setTimeout> | undefined;
  app.listen((words, urgent) => {
    (urgent ? message : alarm).textContent = "";
    (urgent ? alarm : message).textContent = words;
    clearTimeout(silence);
    silence = setTimeout(() => { message.textContent = alarm.textContent = ""; }, SAID_MS);
  });
  app.watch(() => {
    const { avatar, face, connection } = app;
    name.textContent = app.stage.shown.length > 1 ? `${app.stage.shown.length} faces` : face?.name ?? "avatar3d";
    document.title = face ? `${face.name} · avatar3d` : "avatar3d";
    stageHost.setAttribute("aria-label", face ? `Avatar ${face.name}` : "Avatar");
    badge.textContent = avatar && !avatar.provenance.synthetic ? "Origin not stated" : MARK;
    badge.hidden = !avatar;
    busy.hidden = app.stage.faces.size > 0;
    busy.textContent = connection.state === "off" || connection.state === "refused" ? "Drop an avatar (.glb) here" : "Loading the avatar";
    const words = { off: "", connecting: "Connecting", live: app.speaking ? "Speaking" : "Live", waiting: "Reconnecting", refused: "Not admitted" }[connection.state];
    if (state.textContent !== words) state.textContent = words;
    state.dataset.state = connection.state;
    state.hidden = !words;
    const heard = app.player.running && !muted;
    sound.setAttribute("aria-label", heard ? "Sound is on" : "Sound is off");
    sound.title = heard ? "Sound is on" : "Sound is off";
    press(sound, heard);
    sound.hidden = connection.state === "off";
    press(turn, app.stage.orbit.turning);
    press(film, app.recorder.running);
    film.title = app.recorder.running ? "Stop the film" : "Record a film";
    film.setAttribute("aria-label", film.title);
    grid.hidden = app.stage.faces.size < 2;
    press(grid, app.stage.shown.length > 1);
    shot.disabled = film.disabled = app.stage.faces.size === 0;
    nameCells(app, labels);
  });
  open(0);
  paint();
  still();
  room();
  return app;
}

/** The names of several faces, each over its own; a click chooses whom the controls move. */
function nameCells(app: App, labels: HTMLElement): void {
  const cells = app.stage.shown.length > 1 ? app.stage.cells() : [];
  while (labels.children.length > cells.length) labels.lastElementChild!.remove();
  cells.forEach((cell, at) => {
    let label = labels.children[at] as HTMLButtonElement | undefined;
    if (!label) labels.append((label = h("button", { type: "button" })));
    label.onclick = () => app.choose(cell.face);
    label.textContent = app.faces.get(cell.face)?.name ?? `Face ${cell.face}`;
    press(label, cell.face === app.active);
    Object.assign(label.style, { left: `${cell.left + cell.width / 2}px`, top: `${cell.top + cell.height - 46}px` });
  });
}

async function enterHeadset(app: App): Promise<void> {
  try {
    const session = await navigator.xr!.requestSession("immersive-vr", { requiredFeatures: ["local-floor"] });
    await app.stage.enter(session, () => app.say("Back from VR."));
    app.say("In VR.");
  } catch (error) {
    app.say(`VR did not start: ${error instanceof Error ? error.message : "unknown"}`, true);
  }
}
