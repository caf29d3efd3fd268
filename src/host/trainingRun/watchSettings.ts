/** What "Watch Run" waits for and warns of, from settings as a user may have written them. */
import { t } from "@vscode/l10n";
import type { AlertRules } from "../../trainingRun/alerts";
import { watchSettings } from "../ids";

export interface WatchSettings {
  settleMs: number;
  rules: AlertRules;
}

/** @throws Error that names a setting, its value and what was expected */
export function readWatchSettings(value: (name: string) => unknown): WatchSettings {
  const number = (name: string, atMost: number): number | undefined => {
    const setting = value(name);
    if (setting === null || setting === undefined) return undefined;
    if (typeof setting === "number" && setting >= 0 && setting <= atMost) return setting;
    throw new Error(
      atMost === Infinity
        ? t(
            "the setting fathom.{0} is {1}; expected a number from 0 on, or nothing.",
            name,
            JSON.stringify(setting),
          )
        : t(
            "the setting fathom.{0} is {1}; expected a number from 0 to {2}, or nothing.",
            name,
            JSON.stringify(setting),
            atMost,
          ),
    );
  };
  const lastLayerVariance = number(watchSettings.maxLastLayerVariance, Infinity);
  const neededShare = number(watchSettings.minNeededShare, 1);
  const deepIdentityDistance = number(watchSettings.minDeepIdentityDistance, Infinity);
  return {
    settleMs: (number(watchSettings.settleSeconds, 3600) ?? 10) * 1000,
    rules: {
      ...(lastLayerVariance === undefined ? {} : { lastLayerVariance }),
      ...(neededShare === undefined ? {} : { neededShare }),
      ...(deepIdentityDistance === undefined ? {} : { deepIdentityDistance }),
    },
  };
}
