/** Building the page out of nodes; text is always text, never markup. */

export interface ElementOptions {
  class?: string;
  text?: string;
  attributes?: Readonly<Record<string, string>>;
  children?: readonly (Node | string)[];
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  options: ElementOptions = {},
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  if (options.class !== undefined) node.className = options.class;
  if (options.text !== undefined) node.textContent = options.text;
  setAttributes(node, options.attributes ?? {});
  node.append(...(options.children ?? []));
  return node;
}

export function svgElement<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>>,
  children: readonly Node[] = [],
): SVGElementTagNameMap[Tag] {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(node, attributes);
  node.append(...children);
  return node;
}

/** Leaves the node alone when it says so already: a live region must not repeat itself. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A figure and its interval stay on one line, and a factor with its sign. */
export function unbroken(text: string): string {
  return text.replaceAll(" ± ", "\u00a0±\u00a0").replace(/× (?=\d)/g, "×\u00a0");
}

function setAttributes(node: Element, attributes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}
