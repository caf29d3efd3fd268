/**
 * The one door to @vscode/webview-ui-toolkit, which is no longer maintained: to leave it, rewrite
 * this file.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeProgressRing,
} from "@vscode/webview-ui-toolkit";
import { element } from "./dom";

export interface Button {
  node: HTMLElement;
  setHidden(hidden: boolean): void;
  setDisabled(disabled: boolean): void;
}

export function button(
  label: string,
  options: { appearance: "primary" | "secondary"; title?: string; onPress: () => void },
): Button {
  register();
  const node = document.createElement("vscode-button");
  node.setAttribute("appearance", options.appearance);
  if (options.title !== undefined) node.setAttribute("title", options.title);
  node.textContent = label;
  node.addEventListener("click", options.onPress);
  return {
    node,
    setHidden: (hidden) => {
      node.hidden = hidden;
    },
    setDisabled: (disabled) => {
      node.toggleAttribute("disabled", disabled);
    },
  };
}

export interface Checkbox {
  node: HTMLElement;
  setChecked(checked: boolean): void;
}

export function checkbox(label: string, onChange: (checked: boolean) => void): Checkbox {
  register();
  const node = document.createElement("vscode-checkbox") as HTMLElement & { checked: boolean };
  node.textContent = label;
  // Setting the state fires `change` too; only what a person did is passed on.
  let isSetting = false;
  node.addEventListener("change", () => {
    if (!isSetting) onChange(node.checked);
  });
  return {
    node,
    setChecked: (checked) => {
      isSetting = true;
      node.checked = checked;
      isSetting = false;
    },
  };
}

/** A turning ring that says work goes on; the words beside it say which. */
export function progressRing(): HTMLElement {
  register();
  return element("span", {
    class: "progress-ring",
    attributes: { "aria-hidden": "true" },
    children: [document.createElement("vscode-progress-ring")],
  });
}

let isRegistered = false;

function register(): void {
  if (isRegistered) return;
  isRegistered = true;
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeProgressRing());
}
