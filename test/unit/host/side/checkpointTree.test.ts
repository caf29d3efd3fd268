import path from "node:path";
import { describe, expect, test } from "vitest";
import { checkpointAt, type Checkpoint } from "../../../../src/host/checkpoint";
import {
  ageText,
  checkpointTree,
  headlineLines,
  headlineText,
  nodeId,
  type KnownReport,
  type TreeNode,
} from "../../../../src/host/side/checkpointTree";
import { headlineOf } from "../../../../src/report/headline";
import { sampleReport } from "../../report/sampleReport";

const workspace = path.resolve("/w");
const checkpoint = (name: string): Checkpoint =>
  checkpointAt(path.join(workspace, name), workspace);
const report = (key: string, name: string, day: number, layers = 12): KnownReport => ({
  ...headlineOf(sampleReport({ layers })),
  key,
  name,
  savedAt: `2026-03-0${day}T10:00:00.000Z`,
  checkpoint: checkpoint(name).key,
});

/** The tree as indented lines. */
function lines(nodes: readonly TreeNode[], indent = ""): string[] {
  return nodes.flatMap((node) => {
    switch (node.kind) {
      case "checkpoints":
      case "reports":
        return [`${indent}${node.kind}`, ...lines(node.children, `${indent}  `)];
      case "folder":
        return [`${indent}${node.name}/`, ...lines(node.children, `${indent}  `)];
      case "checkpoint":
        return [`${indent}${node.label}${node.report ? ` = ${node.report.key}` : ""}`];
      case "report":
        return [`${indent}${node.report.key} of ${node.report.name}`];
      case "reportFile":
        return [`${indent}${node.file.label}`];
    }
  });
}

describe("the tree", () => {
  test("is empty where there is nothing, so that the welcome shows", () => {
    expect(checkpointTree([], [])).toEqual([]);
  });

  test("groups checkpoints by their folder, in the order of their numbers", () => {
    const names = ["pre-ln/step-1000", "pre-ln/step-250", "lns/step-250", "runs/a/last", "final"];
    expect(lines(checkpointTree(names.map(checkpoint), []))).toEqual([
      "checkpoints",
      "  lns/",
      "    step-250",
      "  pre-ln/",
      "    step-250",
      "    step-1000",
      "  runs/a/",
      "    last",
      "  final",
      "reports",
    ]);
  });

  test("gives a checkpoint its newest report, and lists reports newest first", () => {
    const reports = [
      report("old", "lns/a", 1),
      report("new", "lns/a", 3),
      report("b", "gone/b", 2),
    ];
    expect(lines(checkpointTree([checkpoint("lns/a")], reports))).toEqual([
      "checkpoints",
      "  lns/",
      "    a = new",
      "reports",
      "  new of lns/a",
      "  b of gone/b",
      "  old of lns/a",
    ]);
  });

  test("lists reports in files after the stored ones, also where there is nothing else", () => {
    const files = ["r/step-1000", "r/step-250"].map((name) => ({
      path: path.join(workspace, `${name}.fathom.json`),
      name: `${name}.fathom.json`,
      label: name,
    }));
    expect(lines(checkpointTree([], [report("a", "gone/a", 1)], files))).toEqual([
      "checkpoints",
      "reports",
      "  a of gone/a",
      "  r/step-250",
      "  r/step-1000",
    ]);
    expect(lines(checkpointTree([], [], files.slice(0, 1)))).toEqual([
      "checkpoints",
      "reports",
      "  r/step-1000",
    ]);
  });

  test("names every node once", () => {
    const tree = checkpointTree(
      [checkpoint("lns/a"), checkpoint("lns/b")],
      [report("r", "lns/a", 1)],
    );
    const all = (nodes: readonly TreeNode[]): TreeNode[] =>
      nodes.flatMap((node) => ["children" in node ? [node, ...all(node.children)] : [node]].flat());
    const ids = all(tree).map(nodeId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("the headline", () => {
  const headline = headlineOf(sampleReport({ layers: 12 }));

  test("is perplexity and the layers needed", () => {
    expect(headlineText({ ...headline, perplexity: 20.812, neededLayers: 9 })).toBe(
      "ppl 20.8 · 9 of 12 needed",
    );
  });

  test("is the variance where nothing was removed, and the layers where nothing was measured", () => {
    const { perplexity, freeLayers, neededLayers, ...rest } = headline;
    expect([perplexity, freeLayers, neededLayers]).not.toContain(undefined);
    expect(headlineText({ ...rest, variance: { first: 0.4, last: 812 } })).toBe("σ² 0.400 → 812");
    const { variance, ...bare } = rest;
    expect(variance).toBeDefined();
    expect(headlineText(bare)).toBe("12 layers");
  });

  test("says in lines what is needed, free and neither", () => {
    const text = headlineLines({ ...headline, freeLayers: 2, neededLayers: 9 });
    expect(text).toContainEqual(["Layers", "9 needed · 2 free · 1 uncertain"]);
    expect(text).toContainEqual(["Model", "LLaMA · Pre-LN · 12 layers"]);
  });
});

test("ages are told in the words of a calendar", () => {
  const now = new Date(2026, 2, 12, 15, 0, 0);
  const age = (...parts: [number, number, number, number, number, number]): string =>
    ageText(new Date(...parts).toISOString(), now);
  expect(age(2026, 2, 12, 14, 59, 40)).toBe("just now");
  expect(age(2026, 2, 12, 14, 20, 0)).toBe("40 min ago");
  expect(age(2026, 2, 12, 9, 0, 0)).toBe("6 h ago");
  expect(age(2026, 2, 11, 23, 0, 0)).toBe("yesterday");
  expect(age(2026, 1, 3, 9, 0, 0)).toMatch(/3/);
  expect(age(2024, 1, 3, 9, 0, 0)).toMatch(/2024/);
});
