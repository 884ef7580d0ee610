import { existsSync } from 'node:fs';
import { openTracefs } from '../tracefs/root.ts';

/** Why nothing of the kernel can be recorded here; tracefs is let go again. For the `skip` of tests. */
export function whyNotKernel(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'Linux on x86-64 only';
  const tracefs = openTracefs();
  if ('text' in tracefs) return tracefs.text;
  const hasMsr = existsSync(`${tracefs.path}/events/msr/write_msr`);
  tracefs.release();
  return hasMsr ? undefined : 'this kernel has no msr trace points';
}
