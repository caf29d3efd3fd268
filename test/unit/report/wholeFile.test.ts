import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileWriteError, writeWholeFile } from "../../../src/report/wholeFile";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fathom-whole-file-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("writeWholeFile", () => {
  test("writes text and bytes, over what was there, and leaves nothing else", async () => {
    const file = path.join(folder, "report.json");
    await writeWholeFile(file, "first");
    await writeWholeFile(file, new Uint8Array([65, 66]));
    expect(readFileSync(file, "utf8")).toBe("AB");
    expect(readdirSync(folder)).toEqual(["report.json"]);
  });

  test("writes through a symlink", async () => {
    const real = path.join(folder, "real.json");
    writeFileSync(real, "old");
    symlinkSync(real, path.join(folder, "link.json"));
    await writeWholeFile(path.join(folder, "link.json"), "new");
    expect(readFileSync(real, "utf8")).toBe("new");
  });

  test("names the file and the reason", async () => {
    const missing = path.join(folder, "none", "report.json");
    await expect(writeWholeFile(missing, "")).rejects.toThrow(FileWriteError);
    await expect(writeWholeFile(missing, "")).rejects.toThrow(
      `${missing} could not be written: its folder does not exist.`,
    );
  });

  test("leaves nothing behind when the name is a folder's", async () => {
    const taken = path.join(folder, "taken");
    mkdirSync(taken);
    await expect(writeWholeFile(taken, "")).rejects.toThrow("a folder has that name");
    expect(readdirSync(folder)).toEqual(["taken"]);
  });

  test.each([
    ["ENOSPC", "there is no space left on the disk"],
    ["EROFS", "the disk is read-only"],
    ["EACCES", "permission was denied"],
  ])("calls %s by its name", (code, reason) => {
    const cause = Object.assign(new Error(code), { code });
    expect(new FileWriteError("/a.json", cause).message).toBe(
      `/a.json could not be written: ${reason}.`,
    );
  });
});
