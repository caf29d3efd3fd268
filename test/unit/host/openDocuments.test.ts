import fc from "fast-check";
import { expect, it } from "vitest";
import { OpenDocuments } from "../../../src/host/python/openDocuments";
import { PythonSources } from "../../../src/host/python/pythonSources";
import { EditedDocument } from "./support/editedDocument";

const file = "/work/model.py";
const kinds = (news: readonly { kind: string }[]): string[] => news.map(({ kind }) => kind);

it("tells a text once, then its edits, then nothing", () => {
  const documents = new OpenDocuments();
  const document = new EditedDocument(file, "a = 1\n");
  expect(documents.news([document.open])).toEqual([
    { kind: "opened", path: file, version: 1, text: "a = 1\n" },
  ]);
  documents.changed(document.edit({ at: 4, remove: 1, insert: "22" }));
  documents.changed(document.edit({ at: 0, insert: "b" }));
  expect(documents.news([document.open])).toEqual([
    {
      kind: "edited",
      path: file,
      version: 3,
      edits: [
        { offset: 4, length: 1, text: "22" },
        { offset: 0, length: 0, text: "b" },
      ],
    },
  ]);
  expect(documents.news([document.open])).toEqual([]);
});

it("tells the whole text where the edits do not lead to it", () => {
  const documents = new OpenDocuments();
  const document = new EditedDocument(file, "a\nb\n");
  documents.news([document.open]);
  // Its line ends are others, of which the editor tells no change.
  document.text = "a\r\nb\r\n";
  documents.changed(document.edit());
  documents.changed(document.edit({ at: 0, insert: "x" }));
  expect(kinds(documents.news([document.open]))).toEqual(["opened"]);
  // An event was missed.
  document.edit({ at: 0, insert: "y" });
  expect(kinds(documents.news([document.open]))).toEqual(["opened"]);
});

it("tells the whole text of another document of the same file, and when the thread knows nothing", () => {
  const documents = new OpenDocuments();
  const first = new EditedDocument(file, "a = 1\n");
  documents.news([first.open]);
  documents.close(first.open);
  const second = new EditedDocument(file, "b = 1\n");
  expect(kinds(documents.news([second.open]))).toEqual(["closed", "opened"]);
  documents.forget();
  expect(kinds(documents.news([second.open]))).toEqual(["opened"]);
});

it("leads the thread to the document's text, whatever the edits", () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(5),
    insert: fc.string({ maxLength: 5 }),
  });
  fc.assert(
    fc.property(fc.string(), fc.array(fc.tuple(edit, fc.boolean())), (text, edits) => {
      const [documents, document] = [new OpenDocuments(), new EditedDocument(file, text)];
      const sources = new PythonSources(new Promise(() => undefined));
      for (const [{ at, ...what }, isTold] of edits) {
        const from = Math.floor(at * document.text.length);
        const remove = Math.min(what.remove, document.text.length - from);
        documents.changed(document.edit({ at: from, remove, insert: what.insert }));
        if (isTold) sources.hear(documents.news([document.open]));
      }
      sources.hear(documents.news([document.open]));
      expect(sources.openTexts().get(file)).toBe(document.text);
    }),
  );
});
