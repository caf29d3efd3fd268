import { huggingFace } from "./models";

/** A Python file of many models, at least `lines` long, in which most code is in forward methods. */
export function longFile(lines: number): string {
  const forward = Array.from(
    { length: 14 },
    (_, index) =>
      `        x${index} = self.mlp(self.norm_${index}(hidden, mask=mask)) + x[..., ${index}:]`,
  );
  const method = ["    def forward(self, hidden, mask=None, **kwargs):", ...forward, ""];
  const model = huggingFace.replaceAll(/\n(?=\nclass )/g, `\n${method.join("\n")}\n`);
  const models: string[] = [];
  for (let count = 0; count < lines; count += model.split("\n").length) {
    models.push(model.replaceAll("Tiny", `Model${models.length}`));
  }
  return models.join("\n");
}
