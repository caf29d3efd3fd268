import { beforeEach, describe, expect, test, vi } from "vitest";
import type { TreeNode } from "../../../../src/host/side/checkpointTree";
import { RowActions, type RowServices } from "../../../../src/host/side/rowActions";
import { failureOf } from "../../support/failures";

/** Where the editor runs, what it is answered, and what was asked and deleted. */
const editor = vi.hoisted(() => ({
  env: {} as { remoteName?: string; uiKind: number },
  enableTrash: true,
  answers: true,
  asked: [] as string[],
  deleted: [] as { path: string; useTrash: boolean }[],
  failures: new Map<string, string>(),
}));

// As much of the editor as deletion touches.
vi.mock("vscode", () => ({
  l10n: {
    t: (text: string, ...values: unknown[]) =>
      text.replace(/\{(\d+)\}/g, (_, at: string) => String(values[Number(at)])),
  },
  env: editor.env,
  UIKind: { Desktop: 1, Web: 2 },
  Uri: { file: (path: string) => ({ path }) },
  window: {
    showWarningMessage: (text: string, { detail }: { detail: string }, yes: string) => {
      editor.asked.push(`${text} ${detail} [${yes}]`);
      return Promise.resolve(editor.answers ? yes : undefined);
    },
    showInformationMessage: () => Promise.resolve(undefined),
  },
  workspace: {
    getConfiguration: () => ({ get: () => editor.enableTrash }),
    fs: {
      delete: ({ path }: { path: string }, { useTrash }: { useTrash: boolean }) => {
        const failure = editor.failures.get(path);
        if (failure !== undefined) return Promise.reject(new Error(failure));
        editor.deleted.push({ path, useTrash });
        return Promise.resolve();
      },
    },
  },
}));

const stored: string[] = [];
const actions = new RowActions({
  deleteStored: (key) => {
    stored.push(key);
    return Promise.resolve(() => Promise.resolve());
  },
} as Partial<RowServices> as RowServices);

const fileNode = (name: string): TreeNode => ({
  kind: "reportFile",
  file: { path: `/w/${name}.fathom.json`, name: `${name}.fathom.json`, label: name },
});
const storedNode = { kind: "report", report: { key: "k", name: "one" } } as unknown as TreeNode;

beforeEach(() => {
  Object.assign(editor.env, { remoteName: undefined, uiKind: 1 });
  Object.assign(editor, { enableTrash: true, answers: true });
  editor.asked.length = editor.deleted.length = stored.length = 0;
  editor.failures.clear();
});

describe("deleting report files", () => {
  test("on the desktop goes to the trash, and says so", async () => {
    await actions.delete([fileNode("a")]);
    await actions.delete([fileNode("a"), fileNode("b")]);
    expect(editor.asked).toEqual([
      "Delete the report file a.fathom.json? You can restore this file from the Trash. [Move to Trash]",
      "Delete 2 report files? You can restore these files from the Trash. [Move to Trash]",
    ]);
    expect(editor.deleted.map(({ useTrash }) => useTrash)).toEqual([true, true, true]);
  });

  const trashless: [string, { remoteName?: string; uiKind?: number; enableTrash?: boolean }][] = [
    ["over SSH", { remoteName: "ssh-remote" }],
    ["in a browser", { uiKind: 2 }],
    ["with the trash turned off", { enableTrash: false }],
  ];
  test.each(trashless)(
    "%s is for good, and is asked once",
    async (_, { enableTrash = true, ...env }) => {
      Object.assign(editor.env, env);
      editor.enableTrash = enableTrash;
      await actions.delete([fileNode("a")]);
      expect(editor.asked).toEqual([
        "Delete the report file a.fathom.json? This action is irreversible! [Delete Permanently]",
      ]);
      expect(editor.deleted).toEqual([{ path: "/w/a.fathom.json", useTrash: false }]);
    },
  );

  test("tells a failure by its own words, after all others are deleted", async () => {
    editor.failures.set("/w/a.fathom.json", "no permission");
    const deletion = actions.delete([fileNode("a"), storedNode, fileNode("b")]);
    expect(await failureOf(deletion, Error)).toBe("no permission");
    expect(editor.asked).toHaveLength(1);
    expect(editor.deleted.map(({ path }) => path)).toEqual(["/w/b.fathom.json"]);
    expect(stored).toEqual(["k"]);
  });

  test("when refused deletes nothing, stored reports included", async () => {
    editor.answers = false;
    await actions.delete([fileNode("a"), storedNode]);
    expect([...editor.deleted, ...stored]).toEqual([]);
  });
});
