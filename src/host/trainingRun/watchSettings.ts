/** What "Watch Run" waits for and warns of, from settings as a user may have written them. */
import { t } from "@vscode/l10n";
import type { AlertRules } from "../../trainingRun/alerts";
import { watchSettings } from "../ids";
import { SettingError, type WatchSettingName } from "../requestOf";

export interface WatchSettings {
  settleMs: number;
  rules: AlertRules;
}

/** @throws {SettingError} naming the setting, its value and what was expected */
export function readWatchSettings(value: (name: string) => unknown): WatchSettings {
  const number = (name: WatchSettingName, atMost: number): number | undefined => {
    const setting = value(name);
    if (setting === null || setting === undefined) return undefined;
    if (typeof setting === "number" && setting >= 0 && setting <= atMost) return setting;
    const expected =
      atMost === Infinity
        ? t("a number from 0 on, or nothing")
        : t("a number from 0 to {0}, or nothing", atMost);
    throw new SettingError(name, setting, expected);
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
