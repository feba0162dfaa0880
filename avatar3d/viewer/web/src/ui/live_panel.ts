// The performer: what it says, feels and does, while the bridge runs.
import type { App } from "../app";
import { EMOTIONS, STYLES } from "../avatar/shapes";
import { Microphone } from "../sound/microphone";
import { GESTURES } from "../wire.generated";
import { button, freshId, h, icon, press, select, slider } from "./dom";

const LEVEL_MS = 80;
const GAZE_TAN = 0.55; // of the widest gaze: 29 degrees

export function livePanel(app: App): HTMLElement {
  const control = (what: Parameters<typeof app.bridge.control>[1]) => { app.bridge.control(app.active, what); };
  const live = () => app.source("live");

  const text = h("textarea", { rows: 2, maxlength: 5000, id: freshId("say"), placeholder: "Good morning. How can I help?" });
  const say = () => {
    const words = text.value.trim();
    if (!words) return;
    void app.player.start();
    live();
    if (app.bridge.say(app.active, words)) text.value = "";
  };
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      say();
    }
  });

  const microphone = h("button", { type: "button", class: "wide", "aria-pressed": "false", onclick: () => void app.toggleMicrophone() }, icon("microphone"), h("span", {}, "Microphone"));
  const level = h("meter", { min: 0, max: 1, value: 0, "aria-label": "Microphone level" });
  const sound = h("input", { type: "file", accept: "audio/*", class: "hidden", tabindex: -1, "aria-hidden": "true", onchange: () => {
    for (const each of sound.files ?? []) void app.open(each);
    sound.value = "";
  } });

  const emotion = select("Emotion", EMOTIONS, (name) => { live(); control({ emotion: name, intensity: Number(intensity.input.value) }); });
  const intensity = slider("Intensity", { value: 1 }, (value) => control({ emotion: emotion.input.value, intensity: value }));
  const style = select("Manner", STYLES, (name) => control({ style: name }));
  const motion = slider("Head motion", { max: 2, step: 0.05, value: 1 }, (value) => control({ head_motion: value }));

  const gestures = h("div", { class: "chips", role: "group", "aria-label": "Gestures" }, ...GESTURES.map((name) =>
    button((name.charAt(0).toUpperCase() + name.slice(1)).replace("_", " "), () => { live(); control({ gesture: name }); })));

  const gaze = gazePad((left, up) => { live(); control({ gaze: [left * GAZE_TAN, up * GAZE_TAN, 1] }); }, () => control({ listener: true }));

  const interrupt = button("Interrupt", () => control({ interrupt: true }));
  const panic = button("Panic", () => (app.panicked ? app.resume() : app.panic()), { class: "danger" });

  const code = h("input", { type: "text", id: freshId("code"), autocomplete: "one-time-code", spellcheck: "false", autocapitalize: "characters" });
  const connect = h("form", { class: "pair", onsubmit: (event: SubmitEvent) => {
    event.preventDefault();
    if (code.value.trim()) app.bridge.open({ token: null, pairingCode: code.value.trim() });
  } }, h("p", { class: "note" }, "Not connected to a bridge. Open the address that “avatar3d live” or “avatar3d view” has printed, or type its pairing code."),
  h("label", { for: code.id }, "Pairing code"), h("div", { class: "row" }, code, h("button", { type: "submit" }, "Connect")));
  const watching = h("p", { class: "note" }, "This page may watch and listen; its token does not let it move the face.");

  const controls = h("fieldset", { class: "plain", "aria-label": "Performance" },
    h("div", { class: "row urgent" }, interrupt, panic),
    h("label", { for: text.id, class: "heading" }, "Say"), text, h("div", { class: "row" }, button("Speak", say, { class: "primary" }), button("Sound file…", () => sound.click()), sound),
    h("div", { class: "row" }, microphone), level,
    h("div", { class: "pair-of-fields" }, emotion.row, style.row), intensity.row, motion.row,
    h("h3", {}, "Gestures"), gestures,
    h("h3", {}, "Gaze"), gaze);

  setInterval(() => { if (app.microphone.on) level.value = app.microphone.level; }, LEVEL_MS);
  app.watch(() => {
    const { state } = app.connection;
    controls.disabled = !app.bridge.mayDrive;
    controls.hidden = state === "off" || state === "refused";
    connect.hidden = !controls.hidden;
    watching.hidden = !(state === "live" && !app.bridge.mayDrive);
    press(microphone, app.microphone.on);
    microphone.disabled = !Microphone.supported;
    microphone.querySelector("span")!.textContent = app.microphone.on ? "Microphone is on" : "Microphone";
    level.hidden = !app.microphone.on;
    panic.textContent = app.panicked ? "Resume" : "Panic";
    panic.classList.toggle("danger", !app.panicked);
  });
  return h("div", {}, connect, watching, controls);
}

/** Where the eyes look: a pad to drag on, or arrow keys. Right on the pad is the person's left, as they face us. */
function gazePad(look: (left: number, up: number) => void, listener: () => void): HTMLElement {
  const dot = h("span", { class: "dot" });
  const pad = h("div", { class: "pad", tabindex: 0, role: "slider", "aria-label": "Gaze; arrow keys move it, Home looks at the listener", "aria-valuemin": -100, "aria-valuemax": 100, "aria-valuenow": 0, "aria-valuetext": "ahead" }, dot);
  let [x, y] = [0, 0];
  const show = () => {
    dot.style.left = `${50 + 50 * x}%`;
    dot.style.top = `${50 - 50 * y}%`;
    pad.setAttribute("aria-valuenow", String(Math.round(100 * x)));
    const words = [x < -0.05 ? `${Math.round(-100 * x)} right` : x > 0.05 ? `${Math.round(100 * x)} left` : "", y > 0.05 ? `${Math.round(100 * y)} up` : y < -0.05 ? `${Math.round(-100 * y)} down` : ""];
    pad.setAttribute("aria-valuetext", words.filter(Boolean).join(", ") || "ahead");
  };
  const move = (nextX: number, nextY: number) => {
    [x, y] = [Math.min(Math.max(nextX, -1), 1), Math.min(Math.max(nextY, -1), 1)];
    show();
    look(x, y);
  };
  const home = () => {
    [x, y] = [0, 0];
    show();
    listener();
  };
  const follow = (event: PointerEvent) => {
    const box = pad.getBoundingClientRect();
    move(((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2);
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); follow(event); });
  pad.addEventListener("pointermove", (event) => { if (pad.hasPointerCapture(event.pointerId)) follow(event); });
  pad.addEventListener("keydown", (event) => {
    const steps: Record<string, [number, number]> = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    const step = steps[event.key];
    if (step) move(x + step[0], y + step[1]);
    else if (event.key === "Home") home();
    else return;
    event.preventDefault();
  });
  show();
  return h("div", { class: "gaze" }, pad, button("At the listener", home));
}
