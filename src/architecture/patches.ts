import { reshaped, rows as tableRows } from "../checkpoint/views";
import type { Norm, PatchEmbedding } from "./description";
import type { FamilyReader, Sizes } from "./familyReader";

/** Where a family keeps what it makes tokens of an image with, by the names of tensors. */
export interface PatchNames {
  /** Module path of the convolution that steps by whole patches. */
  readonly projection: string;
  readonly hasBias: boolean;
  /** What stands before the patches, each [1, 1, hidden] or [1, several, hidden]. */
  readonly firstTokens: readonly string[];
  readonly positions: string;
  /** Whether the table of positions may be of the patches alone. */
  readonly mayLeaveOutFirstTokens?: boolean;
}

export interface PatchSizes {
  /** Channels of the residual stream, under the name the config has for them. */
  readonly hidden: Sizes;
  readonly channels: Sizes;
  /** Height and width of the images in pixels, under the name the config has for them. */
  readonly image: { readonly key: string; readonly pixels: readonly [number, number] };
  readonly patch: { readonly key: string; readonly pixels: readonly [number, number] };
}

/**
 * Takes the embedding of images that are cut into patches.
 *
 * @throws CheckpointError when a tensor is missing or of another shape, or patches do not fill the image
 */
export function readPatchEmbedding(
  reader: FamilyReader,
  { projection, hasBias, firstTokens, positions, mayLeaveOutFirstTokens = false }: PatchNames,
  { hidden, channels, image, patch }: PatchSizes,
  norm: Norm | undefined,
): PatchEmbedding {
  const { tensors } = reader;
  const [hiddenSize, channelCount] = [hidden, channels].map(
    (sizes) => Object.values(sizes)[0]!,
  ) as [number, number];
  const [height, width] = image.pixels;
  const [rows, columns] = patch.pixels;
  if (height % rows !== 0 || width % columns !== 0) {
    const { [patch.key]: stated = patch.pixels } = reader.config.value;
    throw reader.refusal(patch.key, stated, `it must divide ${image.key}, ${height} × ${width}`);
  }
  const kernel = tensors.take(
    `${projection}.weight`,
    hidden,
    channels,
    { [patch.key]: rows },
    { [`${patch.key} `]: columns },
  );
  const vectors = firstTokens.flatMap((name) => {
    const count = tensors.shapeOf(name)?.[1] ?? 1;
    const all = tensors.take(name, { batch: 1 }, { tokens: count }, hidden);
    const table = reshaped(all, [count, hiddenSize]);
    return Array.from({ length: count }, (_, at) => tableRows(table, at, at + 1));
  });
  const patches = (height / rows) * (width / columns);
  const isOfPatches = mayLeaveOutFirstTokens && tensors.shapeOf(positions)?.[1] === patches;
  const places = isOfPatches
    ? { patches }
    : { "patches and first tokens": patches + vectors.length };
  const table = tensors.take(positions, { batch: 1 }, places, hidden);
  return {
    patches: {
      // A convolution that steps by whole patches is a linear of their pixels.
      weight: reshaped(kernel, [hiddenSize, channelCount * rows * columns]),
      bias: hasBias ? tensors.take(`${projection}.bias`, hidden) : undefined,
    },
    firstTokens: vectors,
    positions: reshaped(table, [Object.values(places)[0]!, hiddenSize]),
    norm,
    image: { channels: channelCount, height, width },
    patch: [rows, columns],
  };
}
