/** How the report of each thing that is compared is found, and what the comparison calls it. */
import { stat } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { messageOf } from "../../checkpoint/errors";
import type { Report } from "../../diagnosis/report";
import { namedCheckpoint } from "../checkpointPicker";
import type { Reader } from "../reading/reader";
import type { ReportSource } from "../reportSource";
import type { ComparisonMember } from "./comparisonSession";
import { distinctNames, type ComparisonTarget } from "./target";

/** Reports that were kept from earlier diagnoses. */
export interface KeptReports {
  list(): Promise<readonly KeptReport[]>;
  read(key: string): Promise<Report | undefined>;
}

export interface KeptReport {
  key: string;
  name: string;
  /** ISO 8601 */
  savedAt: string;
}

export interface MemberSources {
  /** Diagnoses what has no report yet. */
  reports: ReportSource;
  /** Where there is such a store. */
  kept?: KeptReports;
  reader: Pick<Reader, "readReport">;
  log: vscode.LogOutputChannel;
}

/** One for each target, under names that tell them apart. */
export async function comparisonMembers(
  targets: readonly ComparisonTarget[],
  sources: MemberSources,
): Promise<ComparisonMember[]> {
  const kept = (await sources.kept?.list()) ?? [];
  const members = targets.map((target) => memberOf(target, sources, kept));
  const names = distinctNames(members.map(({ name }) => name));
  return members.map((member, n) => ({ ...member, name: names[n]! }));
}

function memberOf(
  target: ComparisonTarget,
  sources: MemberSources,
  kept: readonly KeptReport[],
): ComparisonMember {
  switch (target.kind) {
    case "checkpoint":
      return checkpointMember(target.path, sources);
    case "reportFile":
      return {
        name: reportName(target.path),
        stored: () => readReportFile(sources.reader, target.path),
      };
    case "keptReport": {
      const { key } = target;
      return {
        name: kept.find((one) => one.key === key)?.name ?? key,
        stored: async () => {
          const report = await sources.kept?.read(key);
          if (report === undefined) throw new Error(vscode.l10n.t("the report is no longer kept."));
          return report;
        },
      };
    }
  }
}

function checkpointMember(place: string, { reports, log }: MemberSources): ComparisonMember {
  const checkpoint = namedCheckpoint(place);
  return {
    name: checkpoint.name,
    stored: async (signal) => {
      if ((await stat(place).catch(() => undefined)) === undefined) {
        throw new Error(vscode.l10n.t("{0} does not exist.", place));
      }
      return reports.stored(checkpoint, signal);
    },
    measured: (signal, observer) =>
      reports.reportOf(checkpoint, signal, {
        ...observer,
        notice: (text) => {
          log.warn(`${checkpoint.name}: ${text}`);
        },
      }),
  };
}

async function readReportFile(reader: MemberSources["reader"], file: string): Promise<Report> {
  try {
    return await reader.readReport(file);
  } catch (error) {
    throw new Error(
      vscode.l10n.t("{0} could not be read as a report. {1}", file, messageOf(error)),
      { cause: error },
    );
  }
}

/** `pre-ln-step-2600` of `fathom-pre-ln-step-2600.json` or of `pre-ln-step-2600.fathom.json` */
function reportName(file: string): string {
  return path
    .basename(file)
    .replace(/(\.fathom)?\.json$/, "")
    .replace(/^fathom-(?=.)/, "");
}
