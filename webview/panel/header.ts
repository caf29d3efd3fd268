/** Which checkpoint this is: its name, and one line of what it is made of. */
import type { Report } from "../../src/diagnosis/report";
import { familyName, layersText, parameterCount, schemeName } from "../../src/report/format";
import { element, setText } from "../shared/dom";

export class Header {
  readonly node: HTMLElement;
  private readonly name = element("h1");
  private readonly facts = element("p", { class: "facts" });

  constructor() {
    this.node = element("header", { class: "checkpoint", children: [this.name, this.facts] });
  }

  show(name: string, report: Report | undefined): void {
    setText(this.name, name);
    setText(this.facts, report ? checkpointFacts(report) : "");
    this.name.title = report?.checkpoint.path ?? name;
  }
}

/** `LLaMA · Pre-LN · 32 layers · 6.74 billion parameters` */
export function checkpointFacts({ architecture, checkpoint }: Report): string {
  return [
    familyName(architecture.family),
    schemeName(architecture.normScheme),
    layersText(architecture),
    parameterCount(checkpoint.parameters),
  ].join(" · ");
}
