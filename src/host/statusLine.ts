/** One entry of the status bar: what goes on in the background, or what came of something. */
import * as vscode from "vscode";
import { innerCommands } from "./ids";

export interface StatusText {
  /** Short, perhaps with an icon: `$(sync~spin) Fathom: lns, layer 3 of 12`. */
  text: string;
  /** The whole of it. */
  tooltip: string;
  /** What a click leads to. */
  follow: () => unknown;
}

export class StatusLine implements vscode.Disposable {
  private readonly id: string;
  private readonly item: vscode.StatusBarItem;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param kind by which the editor remembers whether a person hides it
   * @param name what the editor's menu of the status bar calls it
   */
  constructor(kind: string, name: string) {
    this.id = freeId(kind);
    taken.add(this.id);
    this.item = vscode.window.createStatusBarItem(this.id, vscode.StatusBarAlignment.Left);
    this.item.name = name;
  }

  /** Takes the place of what it said before, and stays until it is hidden. */
  show({ text, tooltip, follow }: StatusText): void {
    clearTimeout(this.timer);
    this.item.text = text;
    this.item.tooltip = tooltip;
    // The editor hands the function on as it is: a status bar's arguments stay in this process.
    this.item.command = { command: innerCommands.follow, title: "", arguments: [follow] };
    this.item.show();
  }

  hide(): void {
    clearTimeout(this.timer);
    this.item.hide();
  }

  /** Says what came of something; a click follows it and is the end of it, and so is some time. */
  tell({ text, tooltip, follow }: StatusText): void {
    const followAndHide = (): unknown => {
      this.hide();
      return follow();
    };
    this.show({ text, tooltip, follow: followAndHide });
    this.timer = setTimeout(() => {
      this.hide();
    }, toldMs);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.item.dispose();
    taken.delete(this.id);
  }
}

/** The ids of the lines there are. */
const taken = new Set<string>();

/** To the editor two lines of one id are one entry: the second of a kind has a number. */
function freeId(kind: string): string {
  let id = kind;
  for (let number = 2; taken.has(id); number++) id = `${kind}.${number}`;
  return id;
}

/** What the command of a click does with what that passes. */
export function followed(follow: unknown): unknown {
  return typeof follow === "function" ? (follow as () => unknown)() : undefined;
}

/** Long enough for whoever comes back to the window; nothing is lost with it. */
const toldMs = 60_000;
