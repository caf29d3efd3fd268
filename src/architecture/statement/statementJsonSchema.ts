import * as z from "zod";
import { statementSchema } from "./statement";

/** What media/fathom.schema.json holds: the schema by which editors check and complete fathom.json. */
export function statementJsonSchema(): object {
  const schema = z.toJSONSchema(statementSchema, { target: "draft-7", io: "input" });
  return { title: "fathom.json", ...schema };
}

/** The same as the file's text. */
export function statementJsonSchemaText(): string {
  return `${JSON.stringify(statementJsonSchema(), undefined, 2)}\n`;
}
