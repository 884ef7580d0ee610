import { timeNs } from '../../engine/trace/position.ts';
import { formatTime } from '../../engine/trace/time.ts';

const NS_DIGITS = 9;

/** A time in ns as seconds with groups of three digits, so that columns of times line up: `0.900 005 500`. */
export function secondsText(ns: number): string {
  const text = String(ns).padStart(NS_DIGITS + 1, '0');
  const fraction = text.slice(-NS_DIGITS);
  const grouped = (fraction.match(/.{3}/g) ?? []).join('\u2009');
  return `${text.slice(0, -NS_DIGITS)}.${grouped}`;
}

/** A time or a length of time in its largest unit, exact: `1.5ms`. */
export function timeText(ns: number): string {
  return formatTime(timeNs(Math.max(0, Math.round(ns))));
}
