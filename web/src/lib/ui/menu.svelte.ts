/** An entry of a menu. */
export interface MenuEntry {
  label: string;
  /** Whether this choice is selected. Set only for entries that are choices; these are listed first. */
  isChosen?: boolean;
  run: () => void;
}

/** The open menu: its button, its accessible name and its entries. */
export interface OpenMenu {
  anchor: HTMLElement;
  label: string;
  entries: readonly MenuEntry[];
}

/** The page's only menu: at most one is open at a time. The code that renders it is loaded on first use. */
export class Menu {
  shown = $state.raw<OpenMenu>();

  /** Open the menu at a button, or close it if it is open there. */
  toggle(anchor: HTMLElement, label: string, entries: readonly MenuEntry[]): void {
    this.shown = this.shown?.anchor === anchor ? undefined : { anchor, label, entries };
  }

  /** Close the menu. */
  close(): void {
    this.shown = undefined;
  }
}
