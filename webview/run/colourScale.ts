/**
 * Colours of the heat maps: viridis (Smith and van der Walt), even to the eye from end to end, in
 * grey and to the colour-blind too. On a light page it runs the other way, so that the higher of two
 * figures always stands out more from the page.
 */
export function heatColour(share: number, isLightPage: boolean): string {
  return `rgb(${channelsAt(isLightPage ? 1 - share : share).join(" ")})`;
}

/** Black or white, whichever can be read on a colour of the scale. */
export function inkOn(share: number, isLightPage: boolean): string {
  const [red, green, blue] = channelsAt(isLightPage ? 1 - share : share);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 130 ? "#000000" : "#ffffff";
}

/** The whole scale as a CSS gradient, from its lower end to its upper. */
export function heatGradient(isLightPage: boolean): string {
  const stops = viridis.map((_, i) => heatColour(i / (viridis.length - 1), isLightPage));
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

type Channels = readonly [number, number, number];

const viridis: readonly Channels[] = [
  [68, 1, 84],
  [72, 26, 108],
  [71, 47, 125],
  [65, 68, 135],
  [57, 86, 140],
  [49, 104, 142],
  [42, 120, 142],
  [35, 136, 142],
  [31, 152, 139],
  [34, 168, 132],
  [53, 183, 121],
  [84, 197, 104],
  [122, 209, 81],
  [165, 219, 54],
  [210, 226, 27],
  [253, 231, 37],
];

function channelsAt(share: number): Channels {
  const at = Math.min(1, Math.max(0, share)) * (viridis.length - 1);
  const [low, high] = [viridis[Math.floor(at)]!, viridis[Math.ceil(at)]!];
  const mix = (i: 0 | 1 | 2): number => Math.round(low[i] + (high[i] - low[i]) * (at % 1));
  return [mix(0), mix(1), mix(2)];
}
