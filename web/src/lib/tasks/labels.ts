import { LABEL_MAX, LABELS_MAX } from '#lib/text/limits.ts';
import { text } from '#lib/text/index.ts';
import { isInvisible, lengthOf } from '#lib/text/unicode.ts';

/** The label that the user means by this text, in the form in which the service stores it. */
export function labelOf(typed: string): string {
  return typed.trim().normalize('NFC');
}

/** Why the service would reject another label; empty if it would not. */
export function faultOf(label: string, labels: readonly string[]): string {
  const length = lengthOf(label);
  if (labels.length >= LABELS_MAX) return text.form.tooManyLabels(LABELS_MAX);
  if (isInvisible(label)) return text.form.invisibleLabel;
  return length > LABEL_MAX ? text.form.longLabel(length, LABEL_MAX) : '';
}

/** Return the labels with another one at the end, unless it is empty or one of them. */
export function withLabel(labels: string[], label: string): string[] {
  return label && !labels.includes(label) ? [...labels, label] : labels;
}
