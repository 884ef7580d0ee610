import type { AppProgress } from '../../engine/app/api.ts';

/** How far the replay is, for what waits for it. */
export function replayText(progress: AppProgress | undefined): string {
  switch (progress?.state) {
    case 'failed':
      return 'not known, as the replay has failed';
    case 'replaying':
      return `replaying, ${percentOf(progress)} %`;
    default:
      return 'replaying…';
  }
}

/** Whole percents: 100 only when all is done. */
export function percentOf({ done, total }: { readonly done: number; readonly total: number }): number {
  return total === 0 ? 0 : Math.min(99, Math.floor((done / total) * 100));
}
