import { t } from "@vscode/l10n";
import { indexNames, scaleName } from "./names";
import { attributeOf } from "./nodes";
import type { RefusalReason } from "./outcome";
import type { ScaledClass } from "./placement";

/** What to write by hand, in the names of the code where they are known. */
export function recipeFor(
  reason: RefusalReason | undefined,
  found: readonly ScaledClass[],
): string {
  const [first] = found;
  const layer = first?.definition.name ?? "Block";
  const examples = found.flatMap(({ norms }) =>
    norms.map(({ node, placement }) => {
      const attribute = attributeOf(node);
      // LN(x + f x) is to become x + f(LN x).
      return placement === "post" && attribute ? `self.${attribute}(x)` : node.text;
    }),
  );
  const shown = [...new Set(examples)].filter((text) => !text.includes("\n"));
  const calls = shown.length > 0 ? shown : ["self.norm1(x)", "self.norm2(x)"];
  const attributes = [
    ...new Set(found.flatMap(({ norms }) => norms.flatMap(({ node }) => attributeOf(node) ?? []))),
  ];
  const [index] = indexNames;
  const where =
    attributes.length > 0
      ? t("Where {0} applies {1}:", layer, attributes.join(", "))
      : t("Where {0} applies the norms before attention and feed-forward:", layer);
  return [
    t("LayerNorm Scaling: multiply what each norm of a layer gives by 1/sqrt(layer index + 1)."),
    "",
    ...opening(reason, layer),
    `# ${t("In the constructor of {0}, which needs the index of its layer (0 for the first):", layer)}`,
    `self.${scaleName} = 1.0 / math.sqrt(${index} + 1)`,
    "",
    `# ${where}`,
    ...calls.map((call) => `${call} * self.${scaleName}`),
    "",
    `# ${t("Where the layers are made:")}`,
    `nn.ModuleList([${layer}(..., ${index}=${index}) for ${index} in range(num_layers)])`,
    "",
    t("Leave the final norm and the norms of queries and keys as they are."),
    t("Keep the factor a Python float: a buffer is lost in to_empty()."),
    t("Train without scaled initialisation, which weakens it."),
    "",
  ].join("\n");
}

/** What has to happen first, for the reasons where something has. */
function opening(reason: RefusalReason | undefined, layer: string): string[] {
  switch (reason) {
    case "already":
      return [t("This code seems to do so already; compare it with what follows."), ""];
    case "post-norm":
    case "output-norm":
      return [
        t("It is made for Pre-LN, x + f(LN(x)): change the placement of the norms first."),
        "",
      ];
    case "shared-block":
      return [
        t("Make each {0} by itself instead of copying one, so that it can know its index.", layer),
        "",
      ];
    case "framework-code":
      return [
        t("Subclass the layer and write its forward, so that the norms are called in your code:"),
        "",
        "class Layer(nn.TransformerEncoderLayer):",
        `    def __init__(self, *args, ${indexNames[0]}, **kwargs):`,
        "        super().__init__(*args, norm_first=True, **kwargs)",
        `        self.${scaleName} = 1.0 / math.sqrt(${indexNames[0]} + 1)`,
        "",
        "    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):",
        `        x = src + self._sa_block(self.norm1(src) * self.${scaleName}, src_mask, src_key_padding_mask, is_causal)`,
        `        return x + self._ff_block(self.norm2(x) * self.${scaleName})`,
        "",
      ];
    case undefined:
    case "no-norms":
    case "no-stack":
    case "unclear-index":
    case "unclear-norm":
    case "unclear-construction":
    case "broken-syntax":
      return [];
  }
}
