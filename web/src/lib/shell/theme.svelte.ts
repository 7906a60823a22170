export const THEMES = ['system', 'light', 'dark'] as const;
export type ThemeName = (typeof THEMES)[number];

const KEY = 'theme'; // static/theme.js reads it before the first paint

/** How the page looks: as the system says, or as the person chose. */
export class Theme {
  name = $state<ThemeName>('system');

  /** Takes over what was chosen before. */
  load(): void {
    this.name = THEMES.find((each) => each === document.documentElement.dataset['theme']) ?? 'system';
  }

  /** Changes it, here and for the next visit. */
  choose(name: ThemeName): void {
    this.name = name;
    if (name === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = name;
    try {
      localStorage.setItem(KEY, name);
    } catch {
      // Without storage it holds for this visit.
    }
  }
}
