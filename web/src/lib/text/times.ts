import { text } from '.';

const DAY_MS = 86_400_000;
const relative = new Intl.RelativeTimeFormat(text.language, { numeric: 'auto' });
const FORMATS = {
  day: [text.language, { day: 'numeric', month: 'short' }],
  dayOfYear: [text.language, { day: 'numeric', month: 'short', year: 'numeric' }],
  hour: [text.language, { hour: 'numeric', minute: '2-digit' }],
  full: [text.language, { dateStyle: 'full', timeStyle: 'short' }],
  input: ['sv', { dateStyle: 'short', timeStyle: 'short' }], // Sweden writes dates as in ISO 8601
} satisfies Record<string, [string, Intl.DateTimeFormatOptions]>;
const formatters = new Map<string, Intl.DateTimeFormat>(); // creating one is slow

/** A short form of a time: “tomorrow, 9:00 AM”, “Mar 3” or “Mar 3, 2031”. */
export function short(time: string, { now, zone }: { now: Date; zone: string }): string {
  const date = new Date(time);
  const [then, today] = [format('input', date, zone), format('input', now, zone)];
  const days = (Date.parse(then.slice(0, 10)) - Date.parse(today.slice(0, 10))) / DAY_MS;
  if (Math.abs(days) <= 1) return `${relative.format(days, 'day')}, ${format('hour', date, zone)}`;
  return format(then.slice(0, 4) === today.slice(0, 4) ? 'day' : 'dayOfYear', date, zone);
}

/** The full form of a time, with the day of the week. */
export function long(time: string, zone: string): string {
  return format('full', new Date(time), zone);
}

/** The value of a datetime-local input for this time; empty for null. */
export function toInput(time: string | null, zone: string): string {
  return time === null ? '' : format('input', new Date(time), zone).replace(' ', 'T');
}

/** The time of a datetime-local input's value; null if it is empty or not a valid date, such as a five-digit year. */
export function fromInput(value: string): string | null {
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function format(name: keyof typeof FORMATS, date: Date, timeZone: string): string {
  const key = `${name} ${timeZone}`;
  const [language, options] = FORMATS[name];
  const formatter = formatters.get(key) ?? new Intl.DateTimeFormat(language, { ...options, timeZone });
  formatters.set(key, formatter);
  return formatter.format(date);
}
