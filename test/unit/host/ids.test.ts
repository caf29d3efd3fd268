import { describe, expect, test } from "vitest";
import { metrics } from "../../../src/diagnosis/report";
import { devices } from "../../../src/engine/device";
import { indexEndings, weightExtensions } from "../../../src/checkpoint/weightFiles";
import {
  commands,
  contextKeys,
  innerCommands,
  settings,
  settingsSection,
  tools,
  views,
  viewSettings,
  watchSettings,
  webviews,
} from "../../../src/host/ids";
import { requestOf, schemes, stackChoices, type SettingName } from "../../../src/host/requestOf";
import { manifest, texts } from "./manifest";

const { contributes } = manifest;
const properties: Record<string, { default: unknown }> = contributes.configuration.properties;

describe("package.json and src/host/ids.ts say the same", () => {
  test("commands", () => {
    const declared = contributes.commands.map(({ command }: { command: string }) => command);
    expect(declared.sort()).toEqual(Object.values(commands).sort());
  });

  test("commands of menus", () => {
    const used = Object.values(contributes.menus)
      .flat()
      .map((item) => (item as { command: string }).command);
    expect(Object.values(commands)).toEqual(expect.arrayContaining(used));
  });

  test("settings", () => {
    const all = [settings, viewSettings, watchSettings].flatMap((ids) => Object.values(ids));
    const names = all.map((name) => `${settingsSection}.${name}`);
    expect(Object.keys(properties).sort()).toEqual(names.sort());
  });

  test("tools of the assistant", () => {
    const declared = contributes.languageModelTools.map(({ name }: { name: string }) => name);
    expect(declared).toEqual(Object.values(tools));
  });

  test("views, and the commands of their welcome", () => {
    const declared = contributes.views.fathom.map(({ id }: { id: string }) => id);
    expect(declared.sort()).toEqual(Object.values(views).sort());
    const welcome = JSON.stringify(contributes.viewsWelcome);
    const offered = welcome.match(/(?<=command:)fathom\.\w+/g) ?? [];
    expect(Object.values(commands)).toEqual(expect.arrayContaining(offered));
  });

  test("custom editors; that of checkpoints is offered for every file that may be one", () => {
    const { customEditors } = contributes;
    expect(customEditors.map(({ viewType }: { viewType: string }) => viewType)).toEqual([
      webviews.report,
      webviews.directory,
    ]);
    const { selector, priority } = customEditors[1];
    expect(selector).toEqual(
      [...weightExtensions, ...indexEndings].map((ending) => ({ filenamePattern: `*.${ending}` })),
    );
    expect(priority).toBe("option");
  });

  test("commands, settings and context keys of the walkthrough", () => {
    const { steps } = contributes.walkthroughs[0];
    const events: string[] = steps.flatMap(
      ({ completionEvents }: { completionEvents: string[] }) => completionEvents,
    );
    const known: Record<string, string[]> = {
      onCommand: [...Object.values(commands), ...Object.values(innerCommands)],
      onSettingChanged: Object.keys(properties),
      onContext: Object.values(contextKeys),
    };
    for (const event of events) {
      const [kind = "", id] = event.split(":");
      expect(known[kind], event).toContain(id);
    }
    const pressed = JSON.stringify(texts).match(/(?<=command:)fathom\.[\w.]+/g) ?? [];
    const focuses = Object.values(views).map((view) => `${view}.focus`);
    expect([...Object.values(commands), ...focuses]).toEqual(expect.arrayContaining(pressed));
  });

  test("context keys, views and webviews of conditions", () => {
    const conditions = [...Object.values(contributes.menus).flat(), ...contributes.viewsWelcome]
      .map((item) => (item as { when: string }).when)
      .concat(contributes.commands.map((command: { enablement?: string }) => command.enablement))
      .join(" ");
    const used = new Set(conditions.match(/fathom\.\w+/g));
    const known = [contextKeys, webviews, views].flatMap((ids) => Object.values(ids));
    expect([...used].sort()).toEqual(known.sort());
  });
});

describe("package.json and src/host/requestOf.ts say the same", () => {
  test("choices", () => {
    expect(choices("scheme")).toEqual(schemes);
    expect(choices("stack")).toEqual(stackChoices);
    expect(choices("device")).toEqual(devices);
    const { items } = contributes.configuration.properties["fathom.metrics"];
    expect(items.enum).toEqual(metrics);
  });

  test("every setting has a description, and every choice has one", () => {
    for (const property of Object.values(contributes.configuration.properties)) {
      const {
        markdownDescription,
        enum: choices,
        enumDescriptions,
      } = property as {
        markdownDescription?: string;
        enum?: string[];
        enumDescriptions?: string[];
      };
      expect(markdownDescription).toMatch(/\.$/);
      expect(enumDescriptions?.length).toBe(choices?.length);
    }
  });

  test("the defaults make a request", () => {
    const reader = {
      value: (name: SettingName) => properties[`fathom.${name}`]?.default,
      isExplicit: () => false,
    };
    const places = { checkpoint: "/c", textFolder: "/w", defaultText: "/d.txt" };
    expect(requestOf(reader, places)).toEqual({
      checkpoint: "/c",
      texts: { kind: "default", file: "/d.txt" },
      sequenceLength: 256,
      sequenceLengthIsExplicit: false,
      maxTokens: 2048,
      maxTokensIsExplicit: false,
      metrics: ["variance", "jacobian", "pruning"],
      probes: 2,
      device: "auto",
      seed: 0,
    });
  });
});

function choices(name: SettingName): unknown {
  return contributes.configuration.properties[`fathom.${name}`].enum;
}
