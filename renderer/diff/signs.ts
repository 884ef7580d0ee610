import type { BesideSign } from '../../engine/app/api-compare.ts';

/** What a row says, as a sign and as a word: colour says nothing alone. */
export const SIGNS: Readonly<Record<BesideSign, { readonly mark: string; readonly word: string }>> = {
  same: { mark: '=', word: 'same' },
  changed: { mark: '≠', word: 'changed' },
  'only A': { mark: '−', word: 'only A' },
  'only B': { mark: '+', word: 'only B' },
  reordered: { mark: '⇅', word: 'reordered' },
  remark: { mark: '·', word: 'remark' },
};
