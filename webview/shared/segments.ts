/** One of a few choices, side by side. */
import { element } from "./dom";

export interface Segments<Choice extends string> {
  node: HTMLElement;
  set: (choice: Choice) => void;
}

/** @param label what is chosen, for those who do not see it */
export function segments<Choice extends string>(
  label: string,
  choices: Readonly<Record<Choice, string>>,
  onChoice: (choice: Choice) => void,
): Segments<Choice> {
  const name = label.replaceAll(" ", "-");
  const inputs = new Map<string, HTMLInputElement>();
  const labels = (Object.entries(choices) as [Choice, string][]).map(([choice, text]) => {
    const input = element("input", { attributes: { type: "radio", name } });
    input.addEventListener("change", () => {
      onChoice(choice);
    });
    inputs.set(choice, input);
    return element("label", { children: [input, element("span", { text })] });
  });
  return {
    node: element("fieldset", {
      class: "segments",
      children: [element("legend", { class: "sr-only", text: label }), ...labels],
    }),
    set: (choice) => {
      for (const [one, input] of inputs) input.checked = one === choice;
    },
  };
}
