// The page begins here.
import { App } from "./app";
import { h } from "./ui/dom";
import { buildShell } from "./ui/shell";

const stage = h("div", { class: "stage", tabindex: 0, role: "group", "aria-label": "Avatar", "aria-roledescription": "turntable" });
const app = buildShell(document.getElementById("app")!, stage, () => new App(stage));
app.changed();

// For the console and for tests.
declare global { interface Window { viewer: App } }
window.viewer = app;
