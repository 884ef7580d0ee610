const NS_PER_S = 1_000_000_000;
const SECONDS_PER_DAY = 86_400;
/** The longest trace whose times are exact (104 days). */
const MAX_SECONDS = Math.floor(Number.MAX_SAFE_INTEGER / NS_PER_S);

/** The nanoseconds of a decimal fraction: `004311` is 4311000. Digits beyond the ninth are cut. */
export function fractionNs(digits: string): number {
  return Number(digits.slice(0, 9).padEnd(9, '0'));
}

/** Turns the times of a text into nanoseconds since its first one. */
export class Clock {
  #base: { readonly seconds: number; readonly ns: number; readonly text: string } | undefined;
  #lastSeconds = 0;
  #days = 0;

  /** The first time as it stood in the text; undefined before there was one. */
  get base(): string | undefined {
    return this.#base?.text;
  }

  /** Seconds and the digits of their fraction; 0 for what is before the first time. */
  at(seconds: number, fraction: string): number {
    const ns = fractionNs(fraction);
    this.#base ??= { seconds, ns, text: fraction === '' ? `${seconds}` : `${seconds}.${fraction}` };
    const passed = Math.min(seconds - this.#base.seconds, MAX_SECONDS - 1) * NS_PER_S + ns - this.#base.ns;
    return Math.max(0, passed);
  }

  /** A time of day, which starts again at midnight. */
  atTimeOfDay(seconds: number, fraction: string): number {
    // Half a day back is midnight that has passed; less is a line out of order.
    if (seconds < this.#lastSeconds - SECONDS_PER_DAY / 2) this.#days += 1;
    this.#lastSeconds = seconds;
    return this.at(seconds + this.#days * SECONDS_PER_DAY, fraction);
  }
}
