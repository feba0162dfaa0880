// The face by hand: expressions, clips, and a slider for each of the 52.
import type { App } from "../app";
import { EXPRESSIONS, GROUPS, SHAPE_INDEX, label } from "../avatar/shapes";
import { button, choice, freshId, h, slider } from "./dom";

const REFRESH_MS = 120;

export function posePanel(app: App): HTMLElement {
  const source = choice<"Live" | "Pose">("Face follows", ["Live", "Pose"], "Pose", (which) => app.source(which === "Live" ? "live" : "pose"));
  const share = h("input", { type: "checkbox", id: freshId("share"), onchange: () => { app.sharing = share.checked; if (share.checked) app.source("pose"); } });
  const shareRow = h("div", { class: "check" }, share, h("label", { for: share.id }, "Send this pose to everybody on the bridge"));

  const expressions = h("div", { class: "chips", role: "group", "aria-label": "Expressions" },
    button("Neutral", () => { app.face?.poseAll(new Float32Array(56)); app.changed(); }),
    ...[...EXPRESSIONS].map(([name, weights]) => button(name, () => { app.face?.poseAll(weights); app.changed(); })));

  const rows: { name: string; words: string; row: HTMLElement; at: number; set(value: number): void }[] = [];
  const groups = GROUPS.map(({ name, shapes }) => {
    const body = h("div", { class: "sliders" });
    for (const shape of shapes) {
      const at = SHAPE_INDEX.get(shape)!;
      const one = slider(label(shape), {}, (value) => { app.face?.pose(at, value); app.changed(); });
      one.input.dataset.shape = shape;
      one.input.setAttribute("aria-label", `${name}: ${label(shape)}`);
      body.append(one.row);
      rows.push({ name: shape, words: `${name} ${label(shape)} ${shape}`.toLowerCase(), row: one.row, at, set: one.set });
    }
    return h("details", { open: name === "Brows" || name === "Mouth" || name === "Jaw" }, h("summary", {}, name, h("span", { class: "count", "aria-hidden": "true" }, String(shapes.length))), body);
  });

  const search = h("input", { type: "search", placeholder: "Search 52 shapes", "aria-label": "Search shapes", autocomplete: "off", spellcheck: "false" });
  const found = h("p", { class: "note", role: "status" });
  const openBefore = new Map<HTMLDetailsElement, boolean>();
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { words, row } of rows) {
      row.hidden = !wanted.every((word) => words.includes(word));
      if (!row.hidden) count++;
    }
    for (const group of groups) {
      if (wanted.length && !openBefore.has(group)) openBefore.set(group, group.open);
      const hits = [...group.querySelectorAll<HTMLElement>(".slider")].some((row) => !row.hidden);
      group.hidden = !hits;
      group.open = wanted.length ? hits : openBefore.get(group) ?? group.open;
    }
    if (!wanted.length) openBefore.clear();
    found.textContent = wanted.length ? `${count} of ${rows.length} shapes` : "";
  });

  const play = button("Play", () => {
    const face = app.face;
    if (!face?.clip) return;
    if (face.source === "clip" && face.playing) face.playing = false;
    else {
      if (face.source !== "clip" || face.clipS >= face.clip.durationS) face.clipS = 0;
      face.playing = true;
      app.source("clip");
    }
    app.changed();
  });
  const position = slider("Position", { max: 1, step: 0.001, told: () => "" }, (part) => {
    const face = app.face;
    if (!face?.clip) return;
    face.clipS = part * face.clip.durationS;
    face.playing = false;
    app.source("clip");
  });
  const clipName = h("span", { class: "name" });
  const clip = h("section", { class: "clip", "aria-label": "Clip" }, h("h3", {}, "Clip"), h("div", { class: "row" }, play, clipName), position.row);

  const file = h("input", { type: "file", accept: ".glb,.csv,.npz,audio/*", class: "hidden", tabindex: -1, "aria-hidden": "true", onchange: () => {
    for (const each of file.files ?? []) void app.open(each);
    file.value = "";
  } });
  const open = button("Open a file…", () => file.click(), { class: "wide" });

  const refresh = () => {
    const face = app.face;
    if (!face) return;
    if (panel.offsetParent !== null) for (const { at, set } of rows) set(face.last.weights[at] ?? 0);
    source.choose(face.source === "live" ? "Live" : "Pose");
    clip.hidden = !face.clip;
    if (face.clip) {
      clipName.textContent = face.clip.name;
      play.textContent = face.source === "clip" && face.playing ? "Pause" : "Play";
      position.set(face.clip.durationS ? face.clipS / face.clip.durationS : 0);
    }
  };
  setInterval(refresh, REFRESH_MS);
  app.watch(() => {
    source.set.hidden = app.connection.state === "off";
    shareRow.hidden = !app.bridge.mayDrive;
    share.checked = app.sharing;
    refresh();
  });
  const panel = h("div", {},
    source.set, shareRow,
    h("h3", {}, "Expressions"), expressions,
    clip,
    h("div", { class: "row search" }, search, button("Reset", () => { app.face?.poseAll(new Float32Array(56)); app.changed(); }, { "aria-label": "Reset all shapes" })),
    found, ...groups,
    h("p", { class: "note" }, "An avatar (.glb), a clip (.csv, .npz) or a sound can also be dropped on the page."), open, file);
  return panel;
}
