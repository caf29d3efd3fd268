import type { ReadingSummary } from "../diagnosis/report";
import { counted, figure } from "./format";

/** How a checkpoint was read, in a sentence: the format, what told the architecture, and the evidence. */
export function readingText(
  format: string,
  { source, settled = [], candidates = [], margin, untold = [] }: ReadingSummary,
): string {
  const [taken, ...others] = candidates;
  const told = settled.map(({ name, value, by }) => `${name}=${value} (${by})`);
  return [
    `${format}, ${sources[source]}`,
    ...(told.length > 0 ? [`settled: ${told.join(", ")}`] : []),
    ...(taken
      ? [
          `of ${counted(candidates.length, "reading")} the evaluated tokens are predicted best with ` +
            Object.entries(taken.settings)
              .filter(([name]) => !untold.includes(name))
              .filter(([name]) => name !== "gelu" || taken.settings["activation"] === "gelu")
              .map(([name, value]) => `${name}=${value}`)
              .join(", "),
          ...(taken.nll === undefined || others.length === 0
            ? []
            : [
                `${figure(taken.nll)} nats a token${margin === undefined ? "" : `, the next reading ${figure(margin)} more`}`,
              ]),
        ]
      : []),
    ...(untold.length > 0
      ? [
          `not told by the evidence, so the usual was taken: ${untold
            .map((name) => `${name}=${taken?.settings[name] ?? ""}`)
            .join(", ")}`,
        ]
      : []),
  ].join("; ");
}

const sources: Record<ReadingSummary["source"], string> = {
  config: "described by its config and its family",
  family: "described by what the file states and its family",
  inference: "inferred from the names and shapes of its tensors",
  statement: "described by the roles of its tensors in fathom.json",
};
