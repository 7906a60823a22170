/**
 * The form in which a query is compared: without case, combining marks, and compatibility variants. İ, I, i and ı are
 * equal. The service does the same: `folded` in task_svc/text.py. Both are tested with folded.cases.json.
 */
export function folded(text: string): string {
  // Lower, then upper case compares like Unicode case folding: ß is ss, and both small sigmas are equal.
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().toUpperCase();
}
