import type { Checkpoint } from "../../checkpoint/checkpoint";
import { CheckpointError } from "../../checkpoint/errors";
import type { SettingName, Settings, StatedSettings, Statements } from "../reading";
import { schemeNames, schemeOf } from "../schemes";
import { gelus } from "../settingValues";

/** How a report says that the user stated something. */
export const asAsked = "as asked";

/** What is stated of a setting, by the first who states any. */
export function statementOf(
  { stated }: Statements,
  name: SettingName,
): (Pick<StatedSettings, "by" | "isRemembered"> & { readonly value: string }) | undefined {
  const first = stated.find(({ settings }) => settings[name] !== undefined);
  return first && { ...first, value: first.settings[name]! };
}

/** Settings as a person may write them, under the values that are used here. */
export function normalisedSettings(
  { directoryFile }: Checkpoint,
  { settings, by }: StatedSettings,
): Settings {
  const { activation, norm, ...rest } = settings;
  const isTurned = ["rotary", "rotary-base", "rotary-span"].some((name) => name in settings);
  const positions = isTurned ? "rotary" : settings.sines === undefined ? undefined : "sines";
  const masks = settings["mask-token"] !== undefined && rest.attention === undefined;
  const isGrouped = norm === undefined && settings["norm-groups"] !== undefined;
  const named = isGrouped ? "group-ln" : norm === undefined ? undefined : schemeOf(norm);
  const approximated = Object.entries(gelus).find(
    ([name, own]) => name !== "exact" && own === activation,
  )?.[0];
  if (norm !== undefined && named === undefined) {
    const whose = by === asAsked ? "" : ` of ${by}`;
    throw new CheckpointError(
      "config",
      `${directoryFile}: the reading norm=${norm}${whose} is unknown; expected one of ${schemeNames.join(", ")}.`,
    );
  }
  return {
    ...rest,
    // Last, so that a refusal names what was stated.
    ...(positions && rest.positions === undefined && { positions }),
    ...(masks && { attention: "bidirectional" }),
    ...(named && { norm: named }),
    ...(activation && { activation: approximated ? "gelu" : activation }),
    ...(approximated && { gelu: approximated }),
  };
}
