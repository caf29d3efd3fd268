/** The form of the file in which the store keeps its headlines. */
import * as z from "zod";
import type { ReportHeadline } from "./reportStore";

/** @throws Error when the text is not such an index, or one of a later version */
export function parseReportIndex(text: string): ReportHeadline[] {
  return indexSchema.parse(JSON.parse(text)).reports;
}

/** A `Headline`, as a file may hold it. */
export const headlineSchema = z.object({
  checkpointPath: z.string(),
  fingerprint: z.string().exactOptional(),
  seconds: z.number(),
  family: z.string(),
  scheme: z.string(),
  layers: z.int(),
  perplexity: z.number().exactOptional(),
  freeLayers: z.int().exactOptional(),
  neededLayers: z.int().exactOptional(),
  variance: z.object({ first: z.number(), last: z.number() }).exactOptional(),
});

const indexSchema = z.object({
  version: z.literal(1),
  reports: z.array(
    headlineSchema.extend({ key: z.string(), name: z.string(), savedAt: z.iso.datetime() }),
  ),
});
