/** One thing that a menu offers. */
export interface MenuEntry {
  label: string;
  /** Whether it is the one that holds now; given for the entries that are a choice, which come first. */
  isChosen?: boolean;
  run: () => void;
}

/** What is open: under which button, called what, and what it offers. */
export interface OpenMenu {
  anchor: HTMLElement;
  label: string;
  entries: readonly MenuEntry[];
}

/** The page's one menu: at most one is open, so one is enough, and what draws it is loaded when the first one opens. */
export class Menu {
  shown = $state.raw<OpenMenu>();

  /** Opens it under a button, or closes it when it is open there. */
  toggle(anchor: HTMLElement, label: string, entries: readonly MenuEntry[]): void {
    this.shown = this.shown?.anchor === anchor ? undefined : { anchor, label, entries };
  }

  /** Closes it. */
  close(): void {
    this.shown = undefined;
  }
}
