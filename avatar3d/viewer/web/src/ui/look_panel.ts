// Ways to look at the avatar, and what its file says about itself.
import type { App } from "../app";
import type { Tone } from "../stage/studio";
import { VIEWS, Views, type View } from "../stage/views";
import { choice, h, slider } from "./dom";

export function lookPanel(app: App, setTone: (tone: Tone | "auto") => void): HTMLElement {
  const views = choice<View>("View", VIEWS, "Shaded", (view) => { app.stage.look(view); app.changed(); });
  const light = slider("Light from", { min: -180, max: 180, step: 1, value: 0, told: (degrees) => `${degrees}°` }, (degrees) => {
    app.stage.studio.turn((degrees / 180) * Math.PI);
    app.stage.touch();
  });
  const tones = choice<"Automatic" | "Light" | "Dark">("Appearance", ["Automatic", "Light", "Dark"], "Automatic", (tone) => setTone(tone === "Automatic" ? "auto" : (tone.toLowerCase() as Tone)));
  const lods = h("div");
  const splats = h("div");
  let shownFor: unknown = null;
  app.watch(() => {
    const { avatar } = app;
    views.choose(app.stage.view);
    if (shownFor === avatar) return;
    shownFor = avatar;
    const possible = avatar ? Views.of(avatar.drawn.map(({ mesh }) => mesh)) : VIEWS;
    for (const input of views.set.querySelectorAll("input")) input.parentElement!.hidden = !possible.includes(input.value as View);
    lods.replaceChildren();
    if (avatar && avatar.lods.length > 1) {
      const names = avatar.lods.map(String);
      lods.append(choice("Level of detail", names, names[0]!, (level) => { avatar.chooseLod(Number(level)); app.stage.touch(); }).set);
    }
    splats.replaceChildren();
    const drawnAs = avatar?.splats ? ["Mesh and splats", "Mesh"] as const : avatar?.hasSplats ? ["Mesh", "Splats"] as const : [];
    if (avatar && drawnAs[0]) splats.append(choice("Drawn as", drawnAs, drawnAs[0], (which) => { avatar.showSplats(which !== "Mesh"); app.stage.touch(); }).set);
  });
  return h("div", {}, views.set, lods, splats, light.row, tones.set);
}

export function aboutPanel(app: App): HTMLElement {
  const name = h("h3");
  const origin = h("p", { class: "origin" });
  const facts = h("dl");
  const licences = h("ul", { class: "licences" });
  const fact = (term: string, words: string) => (words ? [h("dt", {}, term), h("dd", {}, words)] : []);
  let shownFor: unknown = null;
  app.watch(() => {
    const { avatar, face } = app;
    if (shownFor === avatar) return;
    shownFor = avatar;
    name.textContent = face?.name ?? "No avatar";
    if (!avatar) return;
    const { generator, copyright, licences: lines, synthetic, source } = avatar.provenance;
    origin.textContent = synthetic
      ? "This likeness was made by a computer. Its file is marked as synthetic."
      : "The file does not say whether this likeness is synthetic.";
    facts.replaceChildren(
      ...fact("Made with", generator), ...fact("Made from", source), ...fact("Copyright", copyright),
      ...fact("Geometry", `${Math.round(avatar.triangles).toLocaleString("en")} triangles, ${avatar.vertices.toLocaleString("en")} vertices`),
      ...fact("File", `${(avatar.bytes / 1e6).toFixed(1)} MB`));
    licences.replaceChildren(...lines.map((line) => h("li", {}, line)));
  });
  const keys = [["Arrow keys", "walk around the face"], ["+ and −", "nearer, further"], ["Home", "back to the front"], ["Tab", "to every control"]];
  return h("div", {}, name, origin, facts, h("h3", {}, "Licences"), licences,
    h("h3", {}, "Keys, while the avatar has the focus"), h("dl", { class: "keys" }, ...keys.flatMap(([key, does]) => [h("dt", {}, key!), h("dd", {}, does!)])),
    h("p", { class: "note" }, "The viewer contains three.js (MIT); its licence is in LICENSES.txt beside this page."));
}
