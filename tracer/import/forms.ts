import type { Form } from './form.ts';
import { STRACE } from './strace/form.ts';
import { DMESG, FTRACE, PERF, TRACE_CMD } from './trace/form.ts';

/** In this order where a text fits several. */
export const FORMS: readonly Form[] = [STRACE, TRACE_CMD, FTRACE, PERF, DMESG];
