/** The rules of Unicode text, as in task_svc/text.py, and its direction. */

/** White space, control and format characters, default-ignorable code points, and characters that look blank. */
const INVISIBLE = /^[\u{16fe4}\u{1d159}\u2800\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]*$/u;
const NOT_IN_A_LINE = /[\p{Cc}\u2028\u2029]/gu;
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_DIRECTIONAL_ISOLATE = '\u2069';
const ISOLATES = /[\u2066-\u2069]/g;
const MAYBE_NOT_LEFT_TO_RIGHT = /[^\0-\u058f]/; // below, every letter is left-to-right

/** The length as the service counts it: in Unicode code points. One emoji can be several. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** The first `max` code points. */
export function cut(text: string, max: number): string {
  return text.length > max ? [...text].slice(0, max).join('') : text;
}

/** Whether a user would see nothing of the text. */
export function isInvisible(text: string): boolean {
  return INVISIBLE.test(text);
}

/** The text for a field of one line: each tab, line break or other control character is a blank. */
export function oneLine(text: string): string {
  return text.replace(NOT_IN_A_LINE, ' ');
}

/** The lines of a text, also if tabs separate them, as between the cells of a spreadsheet. */
export function linesOf(text: string): string[] {
  return text.split(NOT_IN_A_LINE);
}

/**
 * User text to put into a sentence. The text does not change the direction of the sentence, whatever it contains.
 *
 * For texts without markup, such as labels for screen readers; elsewhere use `dir="auto"`. Isolates in the text itself
 * are removed, because they could end this one (Unicode Standard Annex 9, BD9).
 */
export function isolated(text: string): string {
  if (!MAYBE_NOT_LEFT_TO_RIGHT.test(text)) return text;
  return FIRST_STRONG_ISOLATE + text.replace(ISOLATES, '') + POP_DIRECTIONAL_ISOLATE;
}
