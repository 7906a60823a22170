import { en, type Catalogue } from './en';

const CATALOGUES: Record<string, Catalogue> = { en };

/** The catalogue for the first of the user's preferred languages that has one; otherwise English. */
export const text: Catalogue = preferred();

function preferred(): Catalogue {
  const languages = typeof navigator === 'undefined' ? [] : navigator.languages;
  return languages.map((tag) => CATALOGUES[tag.split('-')[0] ?? '']).find(Boolean) ?? en;
}
