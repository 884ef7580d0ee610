/** What the numbers of an event may be; the event text and the packed form hold them to the same. */
export const LIMITS = {
  u8: [0, 0xff],
  u12: [0, 0xfff],
  u16: [0, 0xffff],
  u32: [0, 0xffff_ffff],
  i32: [-0x8000_0000, 0x7fff_ffff],
  count: [0, Number.MAX_SAFE_INTEGER],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type Limit = keyof typeof LIMITS;

export function within(value: unknown, limit: Limit): value is number {
  const range = LIMITS[limit];
  return Number.isSafeInteger(value) && (value as number) >= range[0] && (value as number) <= range[1];
}

/** The value itself; what is beyond is the mistake of the program that made the event. */
export function checked(value: number, limit: Limit): number {
  if (!within(value, limit)) throw new RangeError(`${value} is not from ${LIMITS[limit].join(' to ')}`);
  return value;
}
