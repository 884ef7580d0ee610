/** For tests of what an ordinary user may do, where root runs them. */
import { spawnSync } from 'node:child_process';
import { PROGRAM } from './cli/hvrewind.testing.ts';

/** nobody, whom every Linux knows. */
export const NOBODY = 65534;

export const isRoot = process.getuid?.() === 0;

/** Why root cannot run the program as {@link NOBODY}; false where it can, or is not root. For the `skip` of tests. */
export const shutToNobody: string | false =
  isRoot && spawnSync('test', ['-r', PROGRAM], { uid: NOBODY, gid: NOBODY, cwd: '/' }).status !== 0
    ? 'this checkout is for root alone'
    : false;
