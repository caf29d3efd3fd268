/** Where in the model a norm is, in words and by its layer. */
import { t } from "@vscode/l10n";
import type { NormSummary, Report } from "../diagnosis/report";
import { namedLayers } from "./format";
import type { Sublayer } from "./layerColumns";

/** `model.layers.*.norm · before the attention of every layer, 0 to 15`; undefined for another model's. */
export function normText(norm: NormSummary, report: Report): string | undefined {
  if (report.architecture.norms?.some(({ path }) => path === norm.path) !== true) return undefined;
  return `${norm.path} · ${normPlace(norm, report)}`;
}

/**
 * The same of all that the norm is: `… · after the attention of layer 0, on the sum with the stream;
 * before the attention of layers 1 to 15`, where its place moves with depth.
 */
export function normRolesText(norm: NormSummary, report: Report): string | undefined {
  const roles = rolesOf(norm, report);
  return roles.length === 0
    ? undefined
    : `${norm.path} · ${roles.map((role) => normPlace(role, report)).join("; ")}`;
}

/** What a report says of the norm that code makes: more than one entry where its place moves with depth. */
export function rolesOf({ path }: NormSummary, { architecture }: Report): NormSummary[] {
  return architecture.norms?.filter((norm) => norm.path === path) ?? [];
}

/** `before the attention of every layer, 0 to 15` */
export function normPlace(norm: NormSummary, report: Report): string {
  const { feeds, place } = norm;
  if (feeds === "stream") return t("after the embedding, before the first layer");
  if (feeds === "head") {
    return place === "inside" ? t("inside the head") : t("after the last layer, before the head");
  }
  return places[place ?? "untold"](parts[feeds](), layersText(norm, report));
}

/** By the sublayer and the layers that have it. */
const places: Readonly<
  Record<NonNullable<NormSummary["place"]> | "untold", (sublayer: string, layers: string) => string>
> = {
  before: (...of) => t("before {0} of {1}", ...of),
  inside: (...of) => t("inside {0} of {1}", ...of),
  output: (...of) => t("after {0} of {1}, before the sum with the stream", ...of),
  sum: (...of) => t("after {0} of {1}, on the sum with the stream", ...of),
  untold: (...of) => t("at {0} of {1}", ...of),
};

const parts: Readonly<Record<Sublayer | "sublayers", () => string>> = {
  attention: () => t("the attention"),
  crossAttention: () => t("the cross-attention"),
  feedForward: () => t("the feed-forward"),
  sublayers: () => t("the attention and the feed-forward"),
};

/** The sublayer that a norm belongs to; undefined where it belongs to none or to several. */
export function sublayerOf({ feeds }: NormSummary): Sublayer | undefined {
  return feeds === "stream" || feeds === "sublayers" || feeds === "head" ? undefined : feeds;
}

/** The layer that alone has the norm: `model.layers.7.norm`; undefined where several share it or none has it. */
export function layerOfNorm(norm: NormSummary, report: Report): number | undefined {
  return layerOfRoles([norm], report);
}

/** The layer that alone has a norm in any of its roles. */
export function layerOfRoles(roles: readonly NormSummary[], report: Report): number | undefined {
  const layers = new Set(roles.flatMap((role) => layersOfNorm(role, report)));
  const [layer] = layers;
  return layers.size === 1 ? layer : undefined;
}

function layersOfNorm(norm: NormSummary, { architecture, layers }: Report): number[] {
  const { path, feeds } = norm;
  if (norm.layers !== undefined) return norm.layers;
  if (feeds === "stream" || feeds === "head") return [];
  const own = layers.filter((layer) => path.startsWith(`${layer.path}.`)).map(({ index }) => index);
  return own.length > 0 ? own : Array.from({ length: architecture.layers }, (_, index) => index);
}

function layersText(norm: NormSummary, report: Report): string {
  const layers = layersOfNorm(norm, report);
  const { length } = layers;
  return length > 1 && length === report.architecture.layers
    ? t("every layer, 0 to {0}", length - 1)
    : namedLayers(layers);
}
