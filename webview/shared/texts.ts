/** The language of a page, which whoever made the page put into it. */
import type { Texts } from "../../src/protocol/texts";
import { textsId, useTexts } from "../../src/report/texts";
import { embedded } from "./pageHost";

/** To be called before anything is drawn. */
export function readTexts(): void {
  useTexts((embedded(textsId) as Texts | null) ?? undefined);
}
