import { type TimeNs, timeNs } from './position.ts';

const TIME = /^([0-9]{1,16})(?:\.([0-9]{1,9}))?(ns|us|ms|s)?$/;
const DIGITS_OF_UNIT = { ns: 0, us: 3, ms: 6, s: 9 } as const;

/**
 * Reads a time of the event text: a number with a unit `ns us ms s`, fractions allowed down to a nanosecond;
 * `0` needs no unit. Undefined when the text is not a time, or is finer than 1 ns or beyond 2^53 ns.
 */
export function parseTime(text: string): TimeNs | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', unit] = match;
  if (unit === undefined) return Number(whole) === 0 && fraction === '' ? timeNs(0) : undefined;
  const digits = DIGITS_OF_UNIT[unit as keyof typeof DIGITS_OF_UNIT];
  if (/[1-9]/.test(fraction.slice(digits))) return undefined;
  const ns = Number(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  return Number.isSafeInteger(ns) ? timeNs(ns) : undefined;
}

/** Prints a time exactly, in the largest unit that it reaches: `0`, `950ns`, `41us`, `1.5ms`, `2s`. */
export function formatTime(time: TimeNs): string {
  if (time === 0) return '0';
  const unit = time >= 1e9 ? 's' : time >= 1e6 ? 'ms' : time >= 1e3 ? 'us' : 'ns';
  const digits = DIGITS_OF_UNIT[unit];
  const text = String(time).padStart(digits + 1, '0');
  if (digits === 0) return `${text}ns`;
  const fraction = text.slice(-digits).replace(/0+$/, '');
  return `${text.slice(0, -digits)}${fraction === '' ? '' : `.${fraction}`}${unit}`;
}
