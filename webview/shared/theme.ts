/** The editor's colours for canvases, which cannot read style sheets, and news of their change. */

export interface Palette {
  foreground: string;
  muted: string;
  grid: string;
  background: string;
  measured: string;
  exponential: string;
  power: string;
  preLn: string;
  lns: string;
  ghost: string;
  otherRun: string;
  needed: string;
  free: string;
  uncertain: string;
  /** High-contrast themes get borders where others get tints. */
  highContrast: boolean;
  fontFamily: string;
}

/** Reads the custom properties that panel.css derives from the theme's own. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.body);
  const colour = (name: string) => style.getPropertyValue(`--fathom-${name}`).trim();
  return {
    foreground: colour("foreground"),
    muted: colour("muted"),
    grid: colour("grid"),
    background: colour("background"),
    measured: colour("measured"),
    exponential: colour("exponential"),
    power: colour("power"),
    preLn: colour("pre-ln"),
    lns: colour("lns"),
    ghost: colour("ghost"),
    otherRun: colour("other-run"),
    needed: colour("needed"),
    free: colour("free"),
    uncertain: colour("uncertain"),
    highContrast: isHighContrast(),
    fontFamily: style.fontFamily,
  };
}

/** The editor changes the body's class and the root's style when the theme changes. */
export function onThemeChange(listener: () => void): void {
  const observer = new MutationObserver(listener);
  const options = { attributes: true, attributeFilter: ["class", "style"] };
  observer.observe(document.body, options);
  observer.observe(document.documentElement, options);
}

/** Outside the editor the page follows the system, by the editor's own class names. */
export function followSystemTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const contrast = matchMedia("(prefers-contrast: more), (forced-colors: active)");
  const apply = () => {
    const { classList } = document.body;
    classList.toggle("vscode-dark", dark.matches && !contrast.matches);
    classList.toggle("vscode-light", !dark.matches && !contrast.matches);
    classList.toggle("vscode-high-contrast", contrast.matches);
    classList.toggle("vscode-high-contrast-light", contrast.matches && !dark.matches);
  };
  dark.addEventListener("change", apply);
  contrast.addEventListener("change", apply);
  apply();
}

/** Told by the page itself: themes have names for more than light and dark. */
export function isLightPage(palette: Palette): boolean {
  const [red = 0, green = 0, blue = 0] = (
    /\d+, \d+, \d+/.exec(faded(palette.background, 1))?.[0] ?? ""
  )
    .split(", ")
    .map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 128;
}

/** The same colour, `opacity` as strong. */
export function faded(colour: string, opacity: number): string {
  const [red, green, blue, alpha] = channels(colour);
  return `rgba(${red}, ${green}, ${blue}, ${alpha * opacity})`;
}

function isHighContrast(): boolean {
  const { classList } = document.body;
  return classList.contains("vscode-high-contrast");
}

/** Themes write colours in every notation CSS has; one drawn pixel reads them all. */
function channels(colour: string): [number, number, number, number] {
  const known = channelCache.get(colour);
  if (known) return known;
  pixel ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  let read: [number, number, number, number] = [128, 128, 128, 1];
  if (pixel) {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0, alpha = 0] = pixel.getImageData(0, 0, 1, 1).data;
    read = [red, green, blue, alpha / 255];
  }
  channelCache.set(colour, read);
  return read;
}

let pixel: CanvasRenderingContext2D | null | undefined;
const channelCache = new Map<string, [number, number, number, number]>();
