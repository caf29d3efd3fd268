/** The thread that reads Python for `PythonCode`. */
import { textsInUse } from "../../report/texts";
import { PythonReader } from "../../python/reader";
import { answerCalls } from "../threads/answerCalls";
import { CodeFits, placeOf } from "./codeFits";
import type { PythonMethods, PythonThreadData } from "./pythonMessages";
import { PythonSources } from "./pythonSources";
import { scaleModel } from "./scaleModel";

answerCalls((data) => {
  const { folder } = data as PythonThreadData;
  const reader = PythonReader.load(folder, textsInUse());
  const sources = new PythonSources(reader);
  const fits = new CodeFits(sources, reader);
  const methods: PythonMethods = {
    sitesOf: async (news, at) => {
      sources.hear(news);
      return (await sources.readDocument(at))?.sites.map(placeOf);
    },
    fitOf: (news, question) => {
      sources.hear(news);
      return fits.of(question);
    },
    scale: async (news, request) => {
      sources.hear(news);
      const open = sources.openTexts();
      return scaleModel(await reader, request, open);
    },
  };
  return () => methods;
});
