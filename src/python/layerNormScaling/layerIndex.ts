/** An expression for a layer's index: `text`, or `text` − 1 where the code counts from one. */
export interface LayerIndex {
  readonly text: string;
  readonly countsFrom: 0 | 1;
}

/** ℓ = index + 1, as Python. */
export function layerNumber({ text, countsFrom }: LayerIndex): string {
  return countsFrom === 1 ? text : `${text} + 1`;
}

/** What a new parameter is given, which counts from zero. */
export function argumentText({ text, countsFrom }: LayerIndex): string {
  return countsFrom === 1 ? `${text} - 1` : text;
}
