export const THEMES = ['system', 'light', 'dark'] as const;
export type ThemeName = (typeof THEMES)[number];

const KEY = 'theme'; // static/theme.js reads it before the first paint

/** The colour theme: the system's, or the user's choice. */
export class Theme {
  name = $state<ThemeName>('system');

  /** Load the stored choice. */
  load(): void {
    this.name = THEMES.find((each) => each === document.documentElement.dataset['theme']) ?? 'system';
  }

  /** Change the theme and store the choice. */
  choose(name: ThemeName): void {
    this.name = name;
    if (name === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = name;
    try {
      localStorage.setItem(KEY, name);
    } catch {
      // Without storage, the choice applies to this visit only.
    }
  }
}
