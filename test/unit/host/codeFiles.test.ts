import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { codeFiles } from "../../../src/host/python/codeFiles";
import { scratchFolders } from "../support/scratch";

const newFolder = scratchFolders();
let folder: string;
beforeEach(() => {
  folder = newFolder();
});

const place = (...names: string[]): string => path.join(folder, ...names);

function write(...names: string[]): void {
  mkdirSync(path.dirname(place(...names)), { recursive: true });
  writeFileSync(place(...names), "");
}

function writeMany(within: string, count: number): void {
  for (let number = 0; number < count; number++) write(within, `file_${1000 + number}.py`);
}

describe("codeFiles", () => {
  it("are all there are, hidden folders and installed packages left out", async () => {
    write("model.py");
    write("layers", "norm.py");
    write("layers", "notes.md");
    write(".venv", "lib.py");
    write("site-packages", "lib.py");
    expect(await codeFiles(folder, place("layers", "norm.py"))).toEqual({
      files: [place("layers", "norm.py"), place("model.py")],
      isCut: false,
    });
    expect((await codeFiles(folder, place("site-packages", "lib.py"))).files).toHaveLength(2);
    expect((await codeFiles(folder, path.resolve("/elsewhere/model.py"))).files).toHaveLength(2);
  });

  it("begin with the file, its folder and what is below, then go outwards", async () => {
    writeMany("a", 190);
    writeMany("z/zoo", 5);
    write("z", "train.py");
    write("z", "model", "zz.py");
    write("z", "model", "layers", "deep", "norm.py");
    write("setup.py");
    const { files, isCut } = await codeFiles(folder, place("z", "model", "zz.py"));
    expect(isCut).toBe(false);
    expect(files).toHaveLength(199);

    writeMany("b", 190);
    const cut = await codeFiles(folder, place("z", "model", "zz.py"));
    expect(cut.isCut).toBe(true);
    expect(cut.files).toHaveLength(200);
    expect(cut.files).toEqual(
      expect.arrayContaining([
        place("z", "model", "zz.py"),
        place("z", "model", "layers", "deep", "norm.py"),
        place("z", "train.py"),
        place("z", "zoo", "file_1004.py"),
        place("setup.py"),
      ]),
    );
  });

  it("have the file itself even where its folder alone holds too many", async () => {
    writeMany("a", 300);
    const last = place("a", "file_1299.py");
    expect((await codeFiles(folder, last)).files).toContain(last);
    expect((await codeFiles(folder, place("b.py"))).files).not.toContain(last);
  });

  it("are looked for as deep as the file lies", async () => {
    const deep = ["a", "b", "c", "d", "e", "f"];
    write(...deep, "model.py");
    write(...deep, "layers", "norm.py");
    expect((await codeFiles(folder, place(...deep, "model.py"))).files).toHaveLength(2);
    expect((await codeFiles(folder, place("train.py"))).files).toEqual([place("train.py")]);
  });
});
