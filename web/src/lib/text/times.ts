import { text } from '.';

const DAY_MS = 86_400_000;
const day = new Intl.DateTimeFormat(text.language, { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat(text.language, { day: 'numeric', month: 'short', year: 'numeric' });
const hour = new Intl.DateTimeFormat(text.language, { hour: 'numeric', minute: '2-digit' });
const full = new Intl.DateTimeFormat(text.language, { dateStyle: 'full', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(text.language, { numeric: 'auto' });

/** The user's time zone, in which the page shows times. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A short form of a time: “tomorrow, 9:00 AM”, “Mar 3” or “Mar 3, 2031”. */
export function short(time: string, now: Date): string {
  const date = new Date(time);
  const days = Math.round((midnight(date) - midnight(now)) / DAY_MS);
  if (Math.abs(days) <= 1) return `${relative.format(days, 'day')}, ${hour.format(date)}`;
  return (date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date);
}

/** The full form of a time, with the day of the week. */
export function long(time: string): string {
  return full.format(new Date(time));
}

/** The value of a datetime-local input for this time; empty for null. */
export function toInput(time: string | null): string {
  if (time === null) return '';
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The time of a datetime-local input's value; null if it is empty or not a valid date, such as a five-digit year. */
export function fromInput(value: string): string | null {
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function midnight(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}
