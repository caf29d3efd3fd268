/** What an editor in a browser has written down, and shows again after a reload. */
import type { Page } from "playwright-core";

/** Whether a value that the editor keeps for the open folder has `text` in it, however escaped. */
export function isInWorkspaceState(page: Page, text: string): Promise<boolean> {
  return page.evaluate(`(${find})(${JSON.stringify(text)})`);
}

/** Runs in the page; a text, for the tests know no DOM. */
const find = `async (text) => {
  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  for (const { name } of await indexedDB.databases()) {
    // One for all windows and one for each folder; profiles have more.
    if (!name.startsWith("vscode-web-state-db") || name.includes("global")) continue;
    const database = await settled(indexedDB.open(name));
    try {
      for (const store of database.objectStoreNames) {
        const values = await settled(database.transaction(store).objectStore(store).getAll());
        const texts = values.filter((value) => typeof value === "string");
        // A page's state is a text within the text of its editor.
        const plain = texts.map((value) => value.split(String.fromCharCode(92)).join(""));
        if (plain.some((value) => value.includes(text))) return true;
      }
    } finally {
      database.close();
    }
  }
  return false;
}`;
