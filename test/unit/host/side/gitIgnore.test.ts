import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { GitIgnore } from "../../../../src/host/side/gitIgnore";
import { scratchFolders } from "../../support/scratch";

const hasGit = (() => {
  try {
    execFileSync("git", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

const scratchFolder = scratchFolders();
let root: string;
beforeEach(() => {
  root = scratchFolder();
  mkdirSync(path.join(root, ".git", "info"), { recursive: true });
});

function write(file: string, ...lines: string[]): void {
  const target = path.join(root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, lines.join("\n"));
}

const ignores = (...steps: string[]): Promise<boolean> =>
  new GitIgnore().ignores(path.join(root, ...steps));

describe("folders that .gitignore names", () => {
  test("by a rule of the root, at any depth below", async () => {
    write(".gitignore", "out/");
    expect(await ignores("out")).toBe(true);
    expect(await ignores("runs", "out", "step-1")).toBe(true);
    expect(await ignores("runs", "step-1")).toBe(false);
  });

  test("by an anchored rule only where it is anchored", async () => {
    write(".gitignore", "/out");
    expect(await ignores("out", "step-1")).toBe(true);
    expect(await ignores("runs", "out")).toBe(false);
  });

  test("not where a deeper file takes it back", async () => {
    write(".gitignore", "step-*");
    write("runs/.gitignore", "!step-9");
    expect(await ignores("runs", "step-1")).toBe(true);
    expect(await ignores("runs", "step-9")).toBe(false);
  });

  test("nor what lies in a folder that a deeper file takes back", async () => {
    write(".gitignore", "b");
    write("a/.gitignore", "!b");
    expect(await ignores("a", "b", "c")).toBe(false);
    expect(await ignores("a", "b", "b [1]!", "c")).toBe(false);
    expect(await ignores("c", "b", "c")).toBe(true);
  });

  test("even where a file inside an ignored folder takes it back, as git has it", async () => {
    write(".gitignore", "runs/");
    write("runs/.gitignore", "!step-9");
    expect(await ignores("runs", "step-9")).toBe(true);
  });

  test("by .git/info/exclude", async () => {
    write(".git/info/exclude", "scratch");
    expect(await ignores("scratch", "step-1")).toBe(true);
  });

  test("never outside a repository, and never the repository itself", async () => {
    write(".gitignore", "*");
    expect(await ignores()).toBe(false);
    rmSync(path.join(root, ".git"), { recursive: true });
    expect(await ignores("runs")).toBe(false);
  });

  describe("and files that it names", () => {
    const ignoresAll = (names: string[], ...steps: string[]): Promise<boolean> =>
      new GitIgnore().ignoresAll(path.join(root, ...steps), names);

    test("hide a folder when they are all there is", async () => {
      write(".gitignore", "*.safetensors");
      expect(await ignores("run")).toBe(false);
      expect(await ignoresAll(["a.safetensors"], "run")).toBe(true);
      expect(await ignoresAll(["a.safetensors", "b.safetensors"], "run")).toBe(true);
      expect(await ignoresAll(["a.safetensors", "b.pt"], "run")).toBe(false);
      expect(await ignoresAll([], "run")).toBe(false);
    });

    test("not where a rule, the last or a deeper one, takes a file back", async () => {
      write(".gitignore", "*.pt", "!best.pt");
      write("run/.gitignore", "!last.pt");
      expect(await ignoresAll(["best.pt"], "run")).toBe(false);
      expect(await ignoresAll(["last.pt"], "run")).toBe(false);
      expect(await ignoresAll(["last.pt"], "other")).toBe(true);
    });

    test("with their folder, whatever the files", async () => {
      write(".gitignore", "run/");
      expect(await ignoresAll(["a.pt"], "run")).toBe(true);
      expect(await ignoresAll([], "run", "deeper")).toBe(true);
    });

    test("not by a rule for folders, and in the repository itself too", async () => {
      write(".gitignore", "a.pt/", "/b.pt");
      expect(await ignoresAll(["a.pt"])).toBe(false);
      expect(await ignoresAll(["b.pt"])).toBe(true);
      expect(await ignoresAll(["b.pt"], "run")).toBe(false);
    });
  });

  describe.skipIf(!hasGit)("as git itself answers", () => {
    const git = (...args: string[]): string =>
      execFileSync("git", ["-C", root, ...args], { encoding: "utf8", stdio: "pipe" });

    beforeEach(() => {
      rmSync(path.join(root, ".git"), { recursive: true });
      git("init", "--quiet");
    });

    const name = fc.constantFrom("a", "b", "ab", "out");
    const rule = fc.oneof(
      name,
      name.map((one) => `/${one}`),
      name.map((one) => `${one}/`),
      name.map((one) => `!${one}`),
      fc.tuple(name, name).map(([one, two]) => `${one}/${two}`),
      name.map((one) => `**/${one}`),
      fc.constantFrom("*", "a*", "!a*", "# b", "", "?b", "*.pt", "!*.pt", "/ab.pt", "*.pt/"),
    );
    const folder = fc.array(name, { minLength: 1, maxLength: 3 });

    test("whatever the rules", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(rule, { maxLength: 4 }),
          fc.array(rule, { maxLength: 3 }),
          folder,
          async (rootRules, deeperRules, steps) => {
            rmSync(path.join(root, "a"), { recursive: true, force: true });
            mkdirSync(path.join(root, ...steps), { recursive: true });
            write(".gitignore", ...rootRules);
            write("a/.gitignore", ...deeperRules);
            const answer = await ignores(...steps);
            expect(answer).toBe(gitIgnores(git, steps));
            const file = [...steps, "ab.pt"];
            write(file.join("/"), "");
            expect(await new GitIgnore().ignoresAll(path.join(root, ...steps), ["ab.pt"])).toBe(
              gitIgnores(git, file),
            );
            rmSync(path.join(root, ...file));
          },
        ),
        { numRuns: 100 },
      );
    });
  });
});

function gitIgnores(git: (...args: string[]) => string, steps: string[]): boolean {
  try {
    git("check-ignore", "--no-index", "--quiet", steps.join("/"));
    return true;
  } catch (error) {
    // 1 is its answer for a path that is not ignored; anything else is a failure.
    if ((error as { status?: number }).status === 1) return false;
    throw error;
  }
}
