import { text } from '.';

const DAY_MS = 86_400_000;
const day = new Intl.DateTimeFormat(text.language, { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat(text.language, { day: 'numeric', month: 'short', year: 'numeric' });
const hour = new Intl.DateTimeFormat(text.language, { hour: 'numeric', minute: '2-digit' });
const full = new Intl.DateTimeFormat(text.language, { dateStyle: 'full', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(text.language, { numeric: 'auto' });

/** The time zone that the page shows times in: the person's own. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A time in few words, like “tomorrow, 9:00 AM”, “3 Mar” or “3 Mar 2031”. */
export function short(time: string, now: Date): string {
  const date = new Date(time);
  const days = Math.round((midnight(date) - midnight(now)) / DAY_MS);
  if (Math.abs(days) <= 1) return `${relative.format(days, 'day')}, ${hour.format(date)}`;
  return (date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date);
}

/** A time in all detail. */
export function long(time: string): string {
  return full.format(new Date(time));
}

/** What an input of type datetime-local shows for this time; empty for none. */
export function toInput(time: string | null): string {
  if (time === null) return '';
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The time that an input of type datetime-local stands for; null for none, or a year that no input should take. */
export function fromInput(value: string): string | null {
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function midnight(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}
