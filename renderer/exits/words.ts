import type { ExitGroup, ExitRow } from '../../engine/app/api-exits.ts';

/** What an exit is about, in a few words: `write port 0x3f8`, else the name of its message. */
export function aboutOf({
  type,
  access,
  place,
}: Pick<ExitRow & ExitGroup, 'type' | 'access' | 'place'>): string {
  if (place === undefined) return type ?? 'no message';
  return access === undefined ? place : `${access} ${place}`;
}

/** How long the guest ran; undefined while it runs. */
export function ranNs({ startNs, endNs }: ExitRow): number | undefined {
  return endNs === undefined ? undefined : endNs - startNs;
}

export function timesText(count: number, one: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${one}s`;
}
