// Elements, made in one line each. Text becomes text: nothing here parses HTML.

type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | ((event: never) => void) | null | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

const ICONS = {
  sound: "M4 9v6h4l5 4V5L8 9H4zM16 8.500a5 5 0 0 1 0 7M18.500 6a8.500 8.500 0 0 1 0 12",
  muted: "M4 9v6h4l5 4V5L8 9H4zM16.500 9.500l5 5M21.500 9.500l-5 5",
  turn: "M20 12a8 8 0 1 1-2.600-5.900M20 3v4.500h-4.500",
  home: "M4 11l8-7 8 7M6.500 9.500V20h11V9.500",
  camera: "M4 8h3.500L9 5.500h6L16.500 8H20v11H4zM12 16.500a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400z",
  record: "M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  stop: "M8 8h8v8H8zM12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  headset: "M3 8.500A1.500 1.500 0 0 1 4.500 7h15A1.500 1.500 0 0 1 21 8.500v7a1.500 1.500 0 0 1-1.500 1.500H16l-2.500-3h-3L8 17H4.500A1.500 1.500 0 0 1 3 15.500z",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  tone: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 7h5M12 11h8M12 15h7",
  microphone: "M12 15a3.500 3.500 0 0 0 3.500-3.500v-5a3.500 3.500 0 0 0-7 0v5A3.500 3.500 0 0 0 12 15zM5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3",
} as const;
export type Icon = keyof typeof ICONS;

export function icon(name: Icon): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

export function button(label: string, act: () => void, more: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", onclick: act, ...more }, label);
}

export function iconButton(name: Icon, label: string, act: () => void, more: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick: act, ...more }, icon(name));
}

export function press(element: HTMLElement, on: boolean): void {
  element.setAttribute("aria-pressed", String(on));
}

let numbers = 0;
export function freshId(stem: string): string {
  return `${stem}-${++numbers}`;
}

/** A labelled slider; the number beside it is for eyes, the slider tells it to ears itself. */
export function slider(label: string, { min = 0, max = 1, step = 0.01, value = 0, told = (v: number) => v.toFixed(2) } = {}, moved: (value: number) => void) {
  const id = freshId("slider");
  const input = h("input", { type: "range", id, min, max, step, value });
  const shown = h("output", { for: id, "aria-hidden": "true" }, told(value));
  const paint = () => {
    input.style.setProperty("--part", String((Number(input.value) - min) / (max - min)));
    shown.textContent = told(Number(input.value));
  };
  input.addEventListener("input", () => { paint(); moved(Number(input.value)); });
  paint();
  const row = h("div", { class: "slider" }, h("label", { for: id }, label), shown, input);
  return { row, input, set(next: number) { if (Math.abs(Number(input.value) - next) > step / 4) { input.value = String(next); paint(); } } };
}

/** One of several, as a row of radio buttons. */
export function choice<T extends string>(legend: string, options: readonly T[], chosen: T, act: (option: T) => void) {
  const name = freshId("choice");
  const inputs = new Map<T, HTMLInputElement>();
  const set = h("fieldset", { class: "choice" }, h("legend", {}, legend));
  for (const option of options) {
    const input = h("input", { type: "radio", name, value: option, onchange: () => act(option) });
    input.checked = option === chosen;
    inputs.set(option, input);
    set.append(h("label", {}, input, h("span", {}, option)));
  }
  return { set, choose(option: T) { const input = inputs.get(option); if (input) input.checked = true; } };
}

export function select(label: string, options: readonly string[], act: (option: string) => void) {
  const id = freshId("select");
  const input = h("select", { id, onchange: () => act(input.value) }, ...options.map((option) => h("option", { value: option }, option.charAt(0).toUpperCase() + option.slice(1))));
  return { row: h("div", { class: "field" }, h("label", { for: id }, label), input), input };
}
