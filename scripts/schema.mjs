/** `npm run schema`: writes the JSON schema of fathom.json into media/fathom.schema.json. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { root, runMain } from "./shared/process.mjs";

const source = "src/architecture/statement/statementJsonSchema.ts";
const file = "media/fathom.schema.json";

await runMain(async () => {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, source)],
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
  });
  const code = Buffer.from(outputFiles[0].contents).toString("base64");
  const { statementJsonSchemaText } = await import(`data:text/javascript;base64,${code}`);
  writeFileSync(path.join(root, file), statementJsonSchemaText());
  console.log(`${file} is written.`);
});
