import type { Form } from './form.ts';
import { STRACE } from './strace/form.ts';

/** In this order where a text fits several. */
export const FORMS: readonly Form[] = [STRACE];
