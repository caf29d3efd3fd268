/** What stands above the directory: which checkpoint this is, how it is read, what a diagnosis takes. */

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
    `${bytes(size)} on disk`,
    counted(tensors, "tensor"),
  ].join(" · ");
}

export function factsOf(directory: CheckpointDirectory, outlook: ShownOutlook | undefined): Fact[] {
  return [parameters(directory), ...(outlook ? outlookFacts(outlook) : pending)];
}

/** `6.74 billion: BF16 6.74 billion · F32 32` */
function parameters({ parameters, types }: CheckpointDirectory): Fact {
  const total = largeCount(parameters);
  const shares = types.map(
    ({ dataType, parameters }) =>
      `${dataType}${types.length === 1 ? "" : ` ${largeCount(parameters)}`}`,
  );
  const text =
    types.length === 1 ? `${total}, all ${shares[0]!}` : `${total}: ${shares.join(" · ")}`;
  return { name: "Parameters", text };
}

const pending: Fact[] = ["Read as", "Memory", "Time"].map((name) => ({ name, text: "…" }));

function outlookFacts(outlook: ShownOutlook): Fact[] {
  if (outlook.kind !== "readable") {
    return [
      { name: "Cannot be diagnosed", text: outlook.reason, isProblem: true },
      { name: "Memory", text: unknown },
      { name: "Time", text: unknown },
    ];
  }
  const { architecture, lacksLoss, estimate } = outlook;
  return [
    { name: "Read as", text: readAs(architecture) },
    ...architecture.notices.map((text) => ({ name: "Note", text })),
    ...(lacksLoss === undefined
      ? []
      : [{ name: "Not measured", text: `what removing a layer costs, since ${lacksLoss}` }]),
    ...("refusal" in estimate
      ? [{ name: "Cannot be diagnosed", text: estimate.refusal, isProblem: true } as const]
      : [
          { name: "Memory", text: memoryText(estimate) },
          { name: "Time", text: timeText(estimate) },
        ]),
  ];
}

const unknown = "cannot be estimated without knowing the architecture";

/** `LLaMA · Pre-LN (stated in config.json) · 32 layers · hidden size 4,096 · …` */
function readAs(facts: ArchitectureFacts): string {
  const { heads, keyValueHeads, contextLength } = facts;
  return [
    familyName(facts.family),
    `${schemeName(facts.scheme)} (${facts.schemeSource})`,
    counted(facts.layers, "layer"),
    `hidden size ${wholeNumber(facts.hiddenSize)}`,
    counted(heads, "head") +
      (keyValueHeads === heads ? "" : `, ${keyValueHeads} of keys and values`),
    `feed-forward size ${wholeNumber(facts.feedForwardSize)}`,
    `vocabulary ${wholeNumber(facts.vocabularySize)}`,
    ...(contextLength === undefined ? [] : [`context ${wholeNumber(contextLength)}`]),
  ].join(" · ");
}

function memoryText({ memory, sequences, sequenceLength }: Estimate): string {
  const tokens = `${counted(sequences, "sequence")} of ${wholeNumber(sequenceLength)} tokens`;
  return (
    `about ${bytes(Number(memory.bytes.toPrecision(2)))}: the largest layer in float32 ${bytes(memory.layer)}, ` +
    `residual streams of up to ${tokens} ${bytes(memory.streams)}, ` +
    `one run ${bytes(memory.run)}, the engine itself ${bytes(memory.engine)}`
  );
}

function timeText({ time }: Estimate): string {
  return (
    `about ${duration(rounded(time.seconds))} on the CPU: ${figure(time.multiplyAdds)} multiply–adds, ` +
    `at an assumed ${largeCount(time.rate)} a second on each of ${counted(time.threads, "thread")}`
  );
}

/** No estimate knows the seconds of an hour. */
function rounded(seconds: number): number {
  const step = seconds < 90 ? 1 : seconds < 5400 ? 60 : 600;
  return Math.max(1, Math.round(seconds / step)) * step;
}
