/** What stands above the directory: which checkpoint this is, how it is read, what a diagnosis takes. */

import { t } from "@vscode/l10n";
import type { HostToDirectory } from "../../src/protocol/directory";
import type { CheckpointDirectory } from "../../src/report/directory";
import {
  bytes,
  counted,
  duration,
  familyName,
  figure,
  largeCount,
  schemeName,
  wholeNumber,
} from "../../src/report/format";
import type { ArchitectureFacts, Estimate } from "../../src/diagnosis/outlook";

export type ShownOutlook = (HostToDirectory & { type: "outlook" })["outlook"];

export interface Fact {
  name: string;
  text: string;
  /** It says why something cannot be done. */
  isProblem?: true;
}

/** `safetensors · 1 file · 13.5 GB on disk · 291 tensors` */
export function headline({ format, files, bytes: size, tensors }: CheckpointDirectory): string {
  return [
    format,
    counted(files.length, "file"),
    t("{0} on disk", bytes(size)),
    counted(tensors, "tensor"),
  ].join(" · ");
}

export function factsOf(directory: CheckpointDirectory, outlook: ShownOutlook | undefined): Fact[] {
  return [parameters(directory), ...(outlook ? outlookFacts(outlook) : pending())];
}

/** `6.74 billion: BF16 6.74 billion · F32 32` */
function parameters({ parameters, types }: CheckpointDirectory): Fact {
  const total = largeCount(parameters);
  const shares = types.map(
    ({ dataType, parameters }) =>
      `${dataType}${types.length === 1 ? "" : ` ${largeCount(parameters)}`}`,
  );
  const text =
    types.length === 1 ? t("{0}, all {1}", total, shares[0]!) : `${total}: ${shares.join(" · ")}`;
  return { name: t("Parameters"), text };
}

function pending(): Fact[] {
  return [t("Read as"), t("Memory"), t("Time")].map((name) => ({ name, text: "…" }));
}

function outlookFacts(outlook: ShownOutlook): Fact[] {
  if (outlook.kind !== "readable") {
    return [
      { name: t("Cannot be diagnosed"), text: outlook.reason, isProblem: true },
      { name: t("Memory"), text: unknown() },
      { name: t("Time"), text: unknown() },
    ];
  }
  const { architecture, lacksLoss, estimate } = outlook;
  return [
    { name: t("Read as"), text: readAs(architecture) },
    ...architecture.notices.map((text) => ({ name: t("Note"), text })),
    ...(lacksLoss === undefined
      ? []
      : [
          { name: t("Not measured"), text: t("what removing a layer costs, since {0}", lacksLoss) },
        ]),
    ...("refusal" in estimate
      ? [{ name: t("Cannot be diagnosed"), text: estimate.refusal, isProblem: true } as const]
      : [
          { name: t("Memory"), text: memoryText(estimate) },
          { name: t("Time"), text: timeText(estimate) },
        ]),
  ];
}

function unknown(): string {
  return t("cannot be estimated without knowing the architecture");
}

/** `LLaMA · Pre-LN (stated in config.json) · 32 layers · hidden size 4,096 · …` */
function readAs(facts: ArchitectureFacts): string {
  const { heads, keyValueHeads, contextLength } = facts;
  return [
    familyName(facts.family),
    `${schemeName(facts.scheme)} (${facts.schemeSource})`,
    counted(facts.layers, "layer"),
    t("hidden size {0}", wholeNumber(facts.hiddenSize)),
    keyValueHeads === heads
      ? counted(heads, "head")
      : t("{0}, {1} of keys and values", counted(heads, "head"), keyValueHeads),
    t("feed-forward size {0}", wholeNumber(facts.feedForwardSize)),
    t("vocabulary {0}", wholeNumber(facts.vocabularySize)),
    ...(contextLength === undefined ? [] : [t("context {0}", wholeNumber(contextLength))]),
  ].join(" · ");
}

function memoryText({ memory, sequences, sequenceLength }: Estimate): string {
  return t(
    "about {0}: the largest layer in float32 {1}, residual streams of up to {2} of {3} tokens {4}, one run {5}, the engine itself {6}",
    bytes(Number(memory.bytes.toPrecision(2))),
    bytes(memory.layer),
    counted(sequences, "sequence"),
    wholeNumber(sequenceLength),
    bytes(memory.streams),
    bytes(memory.run),
    bytes(memory.engine),
  );
}

function timeText({ time }: Estimate): string {
  return t(
    "about {0} on the CPU: {1} multiply–adds, at an assumed {2} a second on each of {3}",
    duration(rounded(time.seconds)),
    figure(time.multiplyAdds),
    largeCount(time.rate),
    counted(time.threads, "thread"),
  );
}

/** No estimate knows the seconds of an hour. */
function rounded(seconds: number): number {
  const step = seconds < 90 ? 1 : seconds < 5400 ? 60 : 600;
  return Math.max(1, Math.round(seconds / step)) * step;
}
