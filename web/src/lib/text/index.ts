import { en, type Catalogue } from './en';

const CATALOGUES: Record<string, Catalogue> = { en };

/** The catalogue of the person's first language that there is one for. */
export const text: Catalogue = preferred();

function preferred(): Catalogue {
  const languages = typeof navigator === 'undefined' ? [] : navigator.languages;
  return languages.map((tag) => CATALOGUES[tag.split('-')[0] ?? '']).find(Boolean) ?? en;
}
